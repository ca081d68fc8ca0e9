use hyper::header::{self, HeaderMap};
use hyper::{Method, StatusCode, Uri};
use url::Url;

use super::failure::Failure;
use super::request::Outgoing;
use super::target::Target;

/// What to ask next, if an answer leads on: to the same host and port only, never from TLS to none.
///
/// 301 and 302 are followed for `GET` alone: for other methods clients do not agree whether the
/// action is to be repeated or only looked at, so the author has to say where it really is.
pub(super) fn next(
    asked: &Outgoing,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Outgoing>, Failure> {
    let again = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if asked.method != Method::GET => {
            return Ok(None);
        }
        StatusCode::SEE_OTHER => asked.clone().into_get(),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => asked.clone(),
        _ => return Ok(None),
    };
    let Some(location) = headers.get(header::LOCATION) else {
        return Ok(None);
    };
    let uri = resolve(&asked.uri, location.as_bytes());
    let uri = uri.ok_or_else(|| Failure::Broken("it redirects to nowhere".to_owned()))?;
    let (from, to) = (Target::of(&asked.uri)?, Target::of(&uri)?);
    if from.host != to.host || from.port != to.port {
        return Err(Failure::Elsewhere { to: to.to_string() });
    }
    if from.secure && !to.secure {
        return Err(Failure::Downgrade);
    }
    Ok(Some(Outgoing { uri, ..again }))
}

/// The absolute address that a `location` means.
fn resolve(base: &Uri, location: &[u8]) -> Option<Uri> {
    let location = std::str::from_utf8(location).ok()?;
    let mut url = Url::parse(&base.to_string()).ok()?.join(location).ok()?;
    url.set_fragment(None);
    url.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn asked(method: Method, url: &str) -> Outgoing {
        let uri = url.parse().expect(url);
        Outgoing { method, uri, headers: HeaderMap::new(), body: "{}".into() }
    }

    fn follow(asked: &Outgoing, status: u16, location: &str) -> Result<Option<String>, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_str(location).expect(location));
        let status = StatusCode::from_u16(status).expect("a status");
        let next = next(asked, status, &headers)?;
        Ok(next.map(|next| format!("{} {} {}", next.method, next.uri, next.body.len())))
    }

    #[test]
    fn the_same_host_and_port_are_followed() {
        let post = asked(Method::POST, "http://a.example:81/x/y?z=1");
        for (location, expected) in [
            ("/w", "POST http://a.example:81/w 2"),
            ("w", "POST http://a.example:81/x/w 2"),
            ("../w?q#part", "POST http://a.example:81/w?q 2"),
            ("http://A.example:81/w", "POST http://a.example:81/w 2"),
            ("//a.example:81/w", "POST http://a.example:81/w 2"),
            ("https://a.example:81/w", "POST https://a.example:81/w 2"),
        ] {
            assert_eq!(follow(&post, 307, location), Ok(Some(expected.to_owned())), "{location}");
        }
        assert_eq!(follow(&post, 303, "/w"), Ok(Some("GET http://a.example:81/w 0".to_owned())));
    }

    #[test]
    fn nothing_is_repeated_that_is_not_asked_to_be() {
        let post = asked(Method::POST, "http://a.example/x");
        for status in [200, 201, 300, 301, 302, 304, 305, 399, 404] {
            assert_eq!(follow(&post, status, "/w"), Ok(None), "{status}");
        }
        let get = asked(Method::GET, "http://a.example/x");
        for status in [301, 302, 303, 307, 308] {
            assert!(follow(&get, status, "/w").expect("it leads on").is_some(), "{status}");
        }
        let none = next(&get, StatusCode::FOUND, &HeaderMap::new());
        assert_eq!(none, Ok(None), "no location");
    }

    #[test]
    fn nothing_else_is_followed() {
        let get = asked(Method::GET, "https://a.example/x");
        for (location, to) in [
            ("https://b.example/", "b.example:443"),
            ("https://a.example:444/", "a.example:444"),
            ("http://a.example/", "a.example:80"),
            ("//b.example/", "b.example:443"),
            ("https:\\\\b.example\\", "b.example:443"),
            ("http://169.254.169.254/latest", "169.254.169.254:80"),
            ("http://2852039166/latest", "169.254.169.254:80"),
            ("https://a.example.b.example/", "a.example.b.example:443"),
        ] {
            let to = to.to_owned();
            assert_eq!(follow(&get, 302, location), Err(Failure::Elsewhere { to }), "{location}");
        }
        assert_eq!(follow(&get, 302, "http://a.example:443/"), Err(Failure::Downgrade));
        for location in ["http://", "file:///etc/passwd", "https://x@a.example/", "data:,x"] {
            assert!(follow(&get, 302, location).is_err(), "{location}");
        }
    }
}

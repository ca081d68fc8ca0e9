//! Sessions of browsers, through the whole router.

use super::*;

const PLACE: &str = "/api/v1/session";
const OWN: [(&str, &str); 2] =
    [("host", "segue.example:8900"), ("origin", "https://segue.example:8900")];

impl Setting {
    /// What a request with these headers is answered with: the status and the cookie.
    fn cookie(
        &self,
        method: &Method,
        token: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut asked = request(method, PLACE, token);
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().expect("a name");
            asked.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let answer = self.router.clone().call(asked).await.expect("it always answers");
            let cookie = answer.headers().get(header::SET_COOKIE);
            let cookie = cookie.map(|cookie| cookie.to_str().expect("text").to_owned());
            (answer.status().as_u16(), cookie.unwrap_or_default())
        })
    }

    /// Who a cookie is.
    fn who(
        &self,
        cookie: &str,
        method: &Method,
        path: &str,
        more: &[(&str, &str)],
    ) -> (u16, Value) {
        let mut asked = request(method, path, None);
        asked.headers_mut().insert(header::COOKIE, cookie.parse().expect("a value"));
        for (name, value) in more {
            let name: header::HeaderName = name.parse().expect("a name");
            asked.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let (status, body) = self.ask(asked);
        (status.as_u16(), body)
    }
}

#[test]
fn a_session_is_its_tokens_owner_until_it_is_ended() {
    let closed = Setting::new(CLOSED);
    let begun = |role| {
        let (status, cookie) = closed.cookie(&Method::POST, Some(closed.token(role)), &[]);
        assert_eq!(status, 204);
        let (pair, rest) = cookie.split_once("; ").expect("attributes");
        assert_eq!(rest, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
        assert!(!cookie.contains(closed.token(role)), "the token itself stays out of the browser");
        pair.to_owned()
    };
    let (viewer, operator) = (begun(Role::Viewer), begun(Role::Operator));
    let whoami = |cookie: &str| closed.who(cookie, &Method::GET, "/api/v1/whoami", &[]);
    assert_eq!(whoami(&viewer), (200, json!({"name": "the-viewer", "role": "viewer"})));
    assert_eq!(whoami(&operator).1["role"], "operator");
    let acts = "/api/v1/instances/order/o-1/acts";
    assert_eq!(closed.who(&viewer, &Method::POST, acts, &OWN).0, 403, "its role is the token's");
    let (status, cookie) = closed.cookie(&Method::DELETE, None, &[("cookie", viewer.as_str())]);
    assert_eq!((status, cookie.as_str()), (403, ""), "no page has asked for that");
    let own = [&OWN[..], &[("cookie", viewer.as_str())]].concat();
    let (status, cookie) = closed.cookie(&Method::DELETE, None, &own);
    assert!(status == 204 && cookie.starts_with("segue-session=; Path=/; Max-Age=0;"), "{cookie}");
    assert_eq!(whoami(&viewer).0, 401, "who has kept the cookie has nothing");
    assert_eq!(whoami(&operator).0, 200, "others go on");
}

#[test]
fn a_page_of_another_origin_cannot_act_with_a_session() {
    let closed = Setting::new(CLOSED);
    let (_, cookie) = closed.cookie(&Method::POST, Some(closed.token(Role::Admin)), &[]);
    let cookie = cookie.split(';').next().expect("a pair");
    let acts = "/api/v1/instances/order/o-1/acts";
    let status = |headers: &[(&str, &str)]| closed.who(cookie, &Method::POST, acts, headers).0;
    let foreign = [("host", "segue.example:8900"), ("origin", "https://evil.example")];
    assert_eq!(status(&foreign), 403);
    assert_eq!(status(&[("host", "segue.example:8900"), ("origin", "null")]), 403);
    assert_eq!(status(&[("host", "segue.example:8900")]), 403, "a browser says its origin");
    assert_eq!(status(&OWN), 422, "its own page is let in; that body is no act");
}

#[test]
fn a_session_ends_with_its_token() {
    let closed = Setting::new(CLOSED);
    let (_, cookie) = closed.cookie(&Method::POST, Some(closed.token(Role::Admin)), &[]);
    let cookie = cookie.split(';').next().expect("a pair");
    assert_eq!(closed.who(cookie, &Method::GET, "/api/v1/whoami", &[]).0, 200);
    std::fs::write(closed.folder.path().join("tokens"), "# nobody\n").expect("written");
    assert_eq!(closed.who(cookie, &Method::GET, "/api/v1/whoami", &[]).0, 401);
}

#[test]
fn where_nobody_needs_a_token_there_is_no_session() {
    let open = Setting::new(OPEN);
    assert_eq!(open.cookie(&Method::POST, None, &[]), (204, String::new()));
    let closed = Setting::new(CLOSED);
    assert_eq!(closed.cookie(&Method::POST, None, &[]).0, 401);
    assert_eq!(closed.who("segue-session=x", &Method::POST, PLACE, &OWN).0, 401);
}

//! The form by which people come in, in the place of any page that they may not see without.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use url::Url;

use super::act;
use super::frame::{lead, page};
use super::query::Query;
use crate::api::{self, Door, Problem, WaysIn};

const PATH: &str = "/login";

/// The form that asks for a token.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(config = "src/console/askama.toml", path = "login.html")]
pub(super) struct LoginPage {
    /// What has to be said first, if anything.
    pub said: Option<Said>,
    /// The page that is shown once somebody is in.
    pub to: String,
    pub ways: WaysIn,
}

/// What is said above the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub words: String,
    /// What to do about it.
    pub next: String,
    /// Whether the token was the reason.
    pub is_token: bool,
}

/// Why a page asks who somebody is: what of the request is needed to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    /// The page that was wanted.
    to: String,
    /// Whether the browser has shown a session, which is over then.
    had_session: bool,
    /// Whether something was sent that was not done.
    has_sent: bool,
}

/// Answers the form.
pub(super) async fn show(
    Extension(door): Extension<Arc<Door>>,
    query: Query,
) -> Result<Response, Problem> {
    let to = inside(query.get("to").unwrap_or_default());
    if door.is_open() {
        return Ok(lead(&to));
    }
    let said = query.get("out").map(|_| Said {
        words: "You are logged out.".to_owned(),
        next: "The session is over for every window of this browser.".to_owned(),
        is_token: false,
    });
    page(&LoginPage { said, to, ways: door.ways_in() })
}

/// Lets the owner of a token in, and leads to the page that was wanted.
pub(super) async fn begin(
    Extension(door): Extension<Arc<Door>>,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = act::read(&headers, &form)?;
    let to = inside(form.get("to").unwrap_or_default());
    if door.is_open() {
        return Ok(lead(&to));
    }
    let token = form.get("token").unwrap_or_default();
    match api::log_in(&door, token, &headers).await {
        Ok((who, cookie)) => {
            tracing::info!(name = who.name, role = %who.role, "session.begun");
            let mut response = lead(&to);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            tracing::warn!(reason = problem.detail(), "session.refused");
            let said = Some(Said::refused(token, &problem));
            let mut response = page(&LoginPage { said, to, ways: door.ways_in() })?;
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

/// Ends the session, and leads to the form.
pub(super) async fn end(
    Extension(door): Extension<Arc<Door>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cookie = api::log_out(&door, &headers)?;
    let mut response = lead(&Query::default().with("out", "yes").link(PATH));
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

impl Said {
    /// What is said of a token that lets nobody in.
    fn refused(token: &str, problem: &Problem) -> Self {
        let (words, next) = if token.is_empty() {
            ("No token was given.".to_owned(), "Paste yours, then log in.".to_owned())
        } else {
            let next = "Look whether it was copied whole, and whether it is one for this server.";
            (format!("This token lets nobody in: {}.", problem.detail()), next.to_owned())
        };
        Self { words, next, is_token: true }
    }
}

impl Asking {
    /// What a request tells of why it may be answered by the form.
    pub fn of(request: &Request) -> Self {
        let is_looked_at = request.method().is_safe();
        let place = if is_looked_at {
            request.uri().path_and_query().map(|place| place.as_str().to_owned())
        } else {
            sent_from(request.headers())
        };
        Self {
            to: inside(&place.unwrap_or_default()),
            had_session: api::session(request.headers()).is_some(),
            has_sent: !is_looked_at,
        }
    }

    /// The form in the place of the page that was wanted.
    pub fn form(self, ways: WaysIn) -> LoginPage {
        let sent = "What you sent was not done; send it again once you are in.";
        let said = match (self.had_session, self.has_sent) {
            (false, false) => None,
            (true, false) => Some(("Your session is over.", "Log in again to go on.")),
            (true, true) => Some(("Your session is over.", sent)),
            (false, true) => Some(("You are not logged in.", sent)),
        };
        let said = said.map(|(words, next)| Said {
            words: words.to_owned(),
            next: next.to_owned(),
            is_token: false,
        });
        LoginPage { said, to: self.to, ways }
    }
}

/// The page that a form was sent from.
fn sent_from(headers: &HeaderMap) -> Option<String> {
    let page = headers.get(header::REFERER)?.to_str().ok()?;
    let page = Url::parse(page).ok()?;
    let query = page.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", page.path()))
}

/// A place of the console to lead to: nobody is led to another server, whatever a link says.
fn inside(place: &str) -> String {
    let is_plain = place.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
    let is_path = place.starts_with('/') && !place.starts_with("//");
    let path = place.split(['?', '#']).next().unwrap_or_default();
    let is_page = path != PATH && path != "/logout" && !path.starts_with("/api/");
    if is_plain && is_path && is_page { place.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn nobody_is_led_to_another_server_or_in_a_circle() {
        for place in ["/", "/instances?state=stuck&key=a%2Fb", "/loginx", "/a//b"] {
            assert_eq!(inside(place), place);
        }
        for place in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/a\r\nset-cookie: x",
            "/login",
            "/login?to=/login",
            "/logout",
            "/api/v1/session",
            "instances",
        ] {
            assert_eq!(inside(place), "/", "{place}");
        }
    }

    #[test]
    fn the_form_says_why_it_stands_there_and_where_it_leads() {
        let asked = |method: &str, cookie: &'static str| {
            let request = Request::builder().method(method).uri("/instances/order/o-1/acts");
            let from = "https://segue.example/instances/order/o-1?entries=all#state";
            let request = request.header(header::REFERER, from).header(header::COOKIE, cookie);
            let request = request.body(Body::empty()).expect("a request");
            Asking::of(&request).form(WaysIn::default())
        };
        let words = |form: &LoginPage| {
            form.said.as_ref().map(|said| format!("{} {}", said.words, said.next))
        };
        let first = asked("GET", "other=1");
        assert_eq!((first.to.as_str(), words(&first)), ("/instances/order/o-1/acts", None));
        let over = asked("GET", "segue-session=x");
        let told = "Your session is over. Log in again to go on.";
        assert_eq!(words(&over).as_deref(), Some(told));
        let sent = asked("POST", "segue-session=x");
        assert_eq!(sent.to, "/instances/order/o-1?entries=all", "the page that the form stood on");
        assert!(words(&sent).is_some_and(|words| words.contains("was not done")));
    }
}

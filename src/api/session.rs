use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::guard::{self, Door};
use super::owners::Who;
use super::problem::{Code, Problem};
use super::sessions::SESSION_MAX;

/// What the cookie of a session is called.
pub(super) const COOKIE: &str = "segue-session";
/// The longest token that a session is made of, in bytes: it is kept as long as the session.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Begins a session for a browser: the answer sets a cookie that stands for the token of the
/// request, which no page can read and which goes to this address alone. Where nobody needs a token
/// there is nothing to begin.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session",
    responses(
        (status = 204, description = "It has begun, if a token is needed here"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn begin(
    Extension(door): Extension<Arc<Door>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if door.is_open() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let Some(token) = guard::bearer(&headers)? else {
        let mend = "send `Authorization: Bearer <token>`";
        return Err(Problem::new(Code::Wrong, "a session is made of a token", mend));
    };
    Ok(answer(begun(&door, token, &headers)?))
}

/// Begins a session for the owner of a token that a form says; answers whose it is, and the cookie
/// that stands for it.
///
/// # Errors
/// When it is nobody's token, or no session can be begun now.
pub(crate) async fn log_in(
    door: &Door,
    token: &str,
    headers: &HeaderMap,
) -> Result<(Who, HeaderValue), Problem> {
    if token.len() > TOKEN_BYTES_MAX {
        let detail = format!("it has {} bytes; {TOKEN_BYTES_MAX} at most", token.len());
        return Err(Problem::new(Code::Unauthenticated, detail, "paste the token alone"));
    }
    let who = door.owner(token).await?;
    Ok((who, begun(door, token, headers)?))
}

/// Ends the session of a request, if it has one; answers the cookie that takes its own away.
///
/// # Errors
/// Never but for a defect.
pub(crate) fn log_out(door: &Door, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    if let Some(old) = shown(headers) {
        door.sessions.end(old);
    }
    cookie("", 0, door.is_secure)
}

/// Begins a session; answers its cookie.
fn begun(door: &Door, token: &str, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let begun = door.sessions.begin(token, guard::now());
    let begun = begun.map_err(|e| {
        let detail = format!("the system gives no randomness: {e}");
        Problem::new(Code::Unavailable, detail, "ask again")
    })?;
    // One that is replaced is over: its cookie is nowhere any more.
    if let Some(old) = shown(headers) {
        door.sessions.end(old);
    }
    cookie(&begun, SESSION_MAX.as_secs(), door.is_secure)
}

/// Ends the session of the request, if it has one.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses(
        (status = 204, description = "There is no session any more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn end(
    Extension(door): Extension<Arc<Door>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(answer(log_out(&door, &headers)?))
}

/// The session that a request shows.
pub(crate) fn shown(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim());
    values.next().filter(|value| !value.is_empty())
}

fn cookie(value: &str, seconds: u64, is_secure: bool) -> Result<HeaderValue, Problem> {
    let secure = if is_secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|_| Problem::defect("a cookie holds odd signs"))
}

fn answer(cookie: HeaderValue) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let headers = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            headers
        };
        let found = |lines: &[&'static str]| shown(&headers(lines)).map(str::to_owned);
        assert_eq!(found(&["a=b; segue-session=x1;c=d"]).as_deref(), Some("x1"));
        assert_eq!(found(&["a=b", "segue-session=x1"]).as_deref(), Some("x1"));
        assert_eq!(found(&["xsegue-session=x1; segue-session=", "segue-session"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn no_page_reads_the_cookie_and_no_other_site_sends_it() {
        let plain = "segue-session=x; Path=/; Max-Age=9; HttpOnly; SameSite=Strict";
        assert_eq!(cookie("x", 9, false).expect("a value"), plain);
        assert_eq!(cookie("x", 9, true).expect("a value"), format!("{plain}; Secure").as_str());
    }
}

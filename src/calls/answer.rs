use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap};
use serde_json::Value;

use super::failure::Failure;
use crate::engine::CallOutcome;
use crate::message::read_json;

/// The most bytes of an answer's headers.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Reads an answer to its end; none of it counts if it is larger than it may be.
pub(super) async fn read(
    response: Response<Incoming>,
    bytes_max: usize,
) -> Result<CallOutcome, Failure> {
    let (head, mut body) = response.into_parts();
    // The client stops reading at this bound, but takes what it has read in one go beyond it.
    let sizes = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    if sizes.sum::<usize>() > HEAD_BYTES_MAX {
        return Err(Failure::Headers);
    }
    let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if promised > bytes_max {
        return Err(Failure::Body(bytes_max));
    }
    let mut bytes = Vec::with_capacity(promised);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Failure::of_http(&e))?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > bytes_max {
            return Err(Failure::Body(bytes_max));
        }
        bytes.extend_from_slice(data);
    }
    let body = value(&head.headers, &bytes);
    // What was no text grows when it becomes text.
    if matches!(&body, Value::String(text) if text.len() > bytes_max) {
        return Err(Failure::Body(bytes_max));
    }
    let (status, headers) = (head.status.as_u16(), told(&head.headers));
    Ok(CallOutcome::Answered { status, headers, body })
}

/// The headers as the engine wants them. Cookies are not told: nobody sends them back, and they
/// would lie in topics for days.
fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let all = headers.iter().filter(|(name, _)| **name != header::SET_COOKIE);
    all.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
    .collect()
}

/// The body as a value: JSON if it is meant to be and is, else text; null if there is none.
fn value(headers: &HeaderMap, bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let parsed = if is_json(headers) { read_json(bytes).ok() } else { None };
    parsed.unwrap_or_else(|| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// Whether the body says that it is JSON, or says nothing.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn check(kind: &'static str, body: &[u8], expected: &Value) {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        assert_eq!(value(&headers, body), *expected, "{kind} {body:?}");
    }

    #[test]
    fn a_body_is_json_if_it_says_so_and_is() {
        check("application/json", b"{\"a\":1}", &json!({ "a": 1 }));
        check("Application/JSON; charset=utf-8", b"true", &json!(true));
        check("application/problem+json", b"[1]", &json!([1]));
        check("", b" null ", &Value::Null);
        check("", b"done", &json!("done"));
        check("application/json", b"{\"a\":", &json!("{\"a\":"));
        check("text/plain", b"17", &json!("17"));
        check("text/plain", b"", &Value::Null);
        check("application/octet-stream", b"\xff", &json!("\u{fffd}"));
        check("application/json", "[".repeat(10_000).as_bytes(), &json!("[".repeat(10_000)));
    }

    #[test]
    fn numbers_keep_their_text() {
        let text = "{\"a\":1.10,\"b\":123456789012345678901234567890,\"c\":1e+400,\"d\":-0.0}";
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert_eq!(value(&headers, text.as_bytes()).to_string(), text);
    }
}

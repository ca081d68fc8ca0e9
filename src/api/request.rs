//! What handlers take from a request; what cannot be taken is told as a problem.

use std::io::Read as _;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{Code, Problem};
use crate::message::{InstanceId, Key, SagaName, Span, read_json};
use crate::view::{self, FieldTest};

/// The largest body of a request, in bytes: a start event may be as large as events are.
pub(super) const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest id of an act that the engine takes, in bytes.
const ID_BYTES_MAX: usize = 200;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The longest that a request may wait for what comes of it.
const WAIT_MAX: Span = Span(60_000);

/// The parameters behind the `?`.
pub(crate) struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        let Query(value) = read.map_err(|e: QueryRejection| Problem::wrong(e.body_text()))?;
        Ok(Self(value))
    }
}

/// The most tests of fields in one request, and the longest of them, in bytes.
const TESTS_MAX: usize = 8;
const TEST_BYTES_MAX: usize = 1_024;

/// The parameters of a list, and apart from them every `where`, of which there may be several.
pub(crate) struct Tested<T> {
    pub asked: T,
    pub tests: Vec<FieldTest>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Tested<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let all = parts.uri.query().unwrap_or_default().split('&');
        let (tests, others): (Vec<&str>, Vec<&str>) =
            all.partition(|parameter| parameter.starts_with("where="));
        let asked = parameters(&others.join("&"))?;
        let tests: Vec<(String, String)> = parameters(&tests.join("&"))?;
        if tests.len() > TESTS_MAX {
            let detail = format!("`where` stands {} times; {TESTS_MAX} at most", tests.len());
            return Err(Problem::wrong(detail));
        }
        let test = |(_, text): &(String, String)| {
            if text.len() > TEST_BYTES_MAX {
                let detail = format!("`where` has {} bytes; {TEST_BYTES_MAX} at most", text.len());
                return Err(Problem::wrong(detail));
            }
            text.parse().map_err(|e: view::Error| Problem::wrong(format!("`where`: {e}")))
        };
        Ok(Self { asked, tests: tests.iter().map(test).collect::<Result<_, _>>()? })
    }
}

/// What some parameters say.
fn parameters<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let uri = Uri::builder().path_and_query(format!("/?{query}")).build();
    let uri = uri.map_err(|e| Problem::wrong(format!("the parameters are none: {e}")))?;
    let read = Query::<T>::try_from_uri(&uri);
    let Query(value) = read.map_err(|e: QueryRejection| Problem::wrong(e.body_text()))?;
    Ok(value)
}

/// The parts of the path.
pub(crate) struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        let Path(value) = read.map_err(|e: PathRejection| Problem::wrong(e.body_text()))?;
        Ok(Self(value))
    }
}

/// A JSON body as it came: its numbers keep their digits.
pub(crate) struct Body(pub Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        // A browser sends this kind to another origin only after it has asked, and we say no.
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::wrong("the body is not `Content-Type: application/json`"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|_| {
            let detail = format!("the body is larger than {BODY_BYTES_MAX} bytes, or broke off");
            Problem::new(Code::TooLarge, detail, "send less")
        })?;
        let value = read_json(&bytes);
        value.map(Self).map_err(|e| Problem::wrong(format!("the body is no JSON: {e}")))
    }
}

/// The instance of a path.
pub(crate) fn instance(saga: &str, key: &str) -> Result<InstanceId, Problem> {
    let key = Key::new(key).map_err(|e| Problem::wrong(e.to_string()))?;
    Ok(InstanceId { saga: saga_name(saga)?, key })
}

/// The saga of a path.
pub(crate) fn saga_name(saga: &str) -> Result<SagaName, Problem> {
    SagaName::new(saga).map_err(|e| Problem::wrong(e.to_string()))
}

/// What makes a request count once however often it is sent; drawn if the caller names nothing.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(said) = headers.get(IDEMPOTENCY_KEY) else {
        return draw().map_err(|e| {
            let mend = "send an `Idempotency-Key` of your own";
            Problem::new(Code::Unavailable, format!("the system gives no randomness: {e}"), mend)
        });
    };
    let said = said.to_str().unwrap_or_default().trim();
    if said.is_empty() || said.len() > ID_BYTES_MAX {
        let detail = format!("`Idempotency-Key` is not 1 to {ID_BYTES_MAX} printable ASCII signs");
        return Err(Problem::wrong(detail));
    }
    Ok(said.to_owned())
}

/// Draws an id.
///
/// # Errors
/// When the system gives no randomness.
pub fn draw() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Whether a parameter is set that needs no value: `?dry-run`, `?dry-run=true`.
pub(super) fn is_set(name: &str, value: Option<&str>) -> Result<bool, Problem> {
    match value {
        None | Some("false") => Ok(false),
        Some("" | "true") => Ok(true),
        Some(word) => Err(Problem::wrong(format!("`{name}`: `{word}` is not true or false"))),
    }
}

/// How long `?wait=` says to wait.
pub(super) fn wait(text: Option<&str>) -> Result<Option<Span>, Problem> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<Span>() {
        Ok(span) if span <= WAIT_MAX => Ok(Some(span)),
        Ok(_) => Err(Problem::wrong(format!("`wait` is {text}; {WAIT_MAX} at most"))),
        Err(e) => Err(Problem::wrong(format!("`wait`: {e}"))),
    }
}

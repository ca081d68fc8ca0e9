use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};

use super::failure::Failure;
use crate::definition;
use crate::engine::Call;
use crate::message::header as ours;

/// Headers that say how the request itself travels: the client's business, not an author's.
const OF_TRANSPORT: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// Headers that the engine writes itself.
const OF_ENGINE: [&str; 4] =
    [ours::IDEMPOTENCY_KEY, ours::COMMAND, ours::UNDOES, ours::TRACE_PARENT];
/// Methods that have a body or say that it is empty.
const WITH_BODY: [Method; 3] = [Method::POST, Method::PUT, Method::PATCH];

/// A request that can be made several times: once for each redirect that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Outgoing {
    /// Makes a request of a call; `trace_parent` is the header that it carries.
    pub fn of(call: &Call, trace_parent: &str) -> Result<Self, Failure> {
        let uri = call.url.parse().map_err(|e| Failure::Url(format!("{e}")))?;
        let method = match call.method {
            definition::Method::Get => Method::GET,
            definition::Method::Post => Method::POST,
            definition::Method::Put => Method::PUT,
            definition::Method::Patch => Method::PATCH,
            definition::Method::Delete => Method::DELETE,
        };
        let body = call.body.as_ref().map(ToString::to_string);
        let headers = headers(call, trace_parent, body.is_some())?;
        Ok(Self { method, uri, headers, body: body.unwrap_or_default().into() })
    }

    /// The same question put to another place by `GET`, as status 303 asks for it.
    pub fn into_get(mut self) -> Self {
        self.method = Method::GET;
        self.body = Bytes::new();
        self.headers.remove(header::CONTENT_TYPE);
        self
    }

    /// The request as the client wants it.
    pub fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if self.body.is_empty() && WITH_BODY.contains(&self.method) {
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request
    }
}

fn headers(call: &Call, trace_parent: &str, has_body: bool) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.1"));
    let agent = HeaderValue::from_static(concat!("segue/", env!("CARGO_PKG_VERSION")));
    headers.insert(header::USER_AGENT, agent);
    if has_body {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
    }
    for (name, text) in &call.headers {
        let wrong = |reason| Failure::Header { name: name.clone(), reason };
        let lower = name.to_ascii_lowercase();
        let key = HeaderName::from_bytes(lower.as_bytes());
        let key = key.map_err(|_| wrong("no header has such a name"))?;
        if OF_ENGINE.contains(&lower.as_str()) {
            return Err(wrong("the engine writes it itself"));
        }
        if OF_TRANSPORT.contains(&key) || lower.starts_with("proxy-") {
            return Err(wrong("it says how the request travels"));
        }
        headers.insert(key, value(text).ok_or_else(|| wrong(UNSAYABLE))?);
    }
    let id = call.id.to_string();
    let own = [
        (ours::IDEMPOTENCY_KEY, Some(call.idempotency_key.as_str())),
        (ours::COMMAND, Some(id.as_str())),
        (ours::UNDOES, call.undoes.as_deref()),
        (ours::TRACE_PARENT, Some(trace_parent).filter(|text| !text.is_empty())),
    ];
    for (name, text) in own {
        let Some(text) = text else { continue };
        let wrong = || Failure::Header { name: name.to_owned(), reason: UNSAYABLE };
        headers.insert(HeaderName::from_static(name), value(text).ok_or_else(wrong)?);
    }
    Ok(headers)
}

const UNSAYABLE: &str = "its value has line breaks or other control characters";

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

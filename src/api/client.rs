use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, header};
use serde::Deserialize;
use serde_json::Value;

use super::peer::Peer;
use crate::calls;
use crate::message::read_json;

/// Where an engine listens when nobody says otherwise.
const PORT_DEFAULT: &str = "8900";
/// Longer than the longest wait of a request.
const PATIENCE: Duration = Duration::from_secs(75);
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Asks a server of this API, one request after the other.
pub struct Client {
    peer: Peer,
    token: Option<String>,
    by: String,
}

/// A problem as the server tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProblemTold {
    /// The status of the answer.
    pub status: u16,
    /// The kind of problem as one word.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub mend: String,
    /// What is near to that which was not found.
    #[serde(default)]
    pub near: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The server's address is none.
    #[error("`{0}` is no server; write http://host:port, such as http://127.0.0.1:8900")]
    Address(String),
    /// The authorities that are to vouch for the server cannot be read.
    #[error("SEGUE_CA_FILE: {0}")]
    Authorities(String),
    /// What is remembered of servers is of no use.
    #[error("{0}")]
    Context(String),
    /// The server does not answer.
    #[error(
        "{server} does not answer: {reason}; `segue run` and `segue dev` serve the API where \
         `api.listen` says, `segue view` alone"
    )]
    Silent {
        /// Which.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server says what is wrong.
    #[error("{}; {}", .0.detail, .0.mend)]
    Problem(ProblemTold),
    /// Something answers that is not this API.
    #[error("{server} answers with {status}, which is no answer of segue: is it another service?")]
    Foreign {
        /// Which.
        server: String,
        /// The status of its answer.
        status: u16,
    },
    /// A token or an id holds signs that no request can carry.
    #[error("the request cannot be sent: {0}; look at the token and the id")]
    Unsendable(String),
    /// The system gives no sockets.
    #[error("the system gives no network: {0}")]
    System(#[from] std::io::Error),
}

/// What is asked for: a path and what stands behind the `?`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Endpoint {
    path: String,
    query: String,
}

impl Endpoint {
    /// Asks for a path of the API; each part may hold any sign.
    #[must_use]
    pub fn at(parts: &[&str]) -> Self {
        let parts = parts.iter().map(|part| escaped(part));
        let path = format!("/api/v1/{}", parts.collect::<Vec<_>>().join("/"));
        Self { path, query: String::new() }
    }

    /// The same with a parameter, if there is a value for it.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let sign = if self.query.is_empty() { '?' } else { '&' };
            let value = escaped(&value.to_string());
            self.query = format!("{}{sign}{name}={value}", self.query);
        }
        self
    }
}

/// Text as it stands in one part of a path, or in the value of a parameter.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => {
                let half = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
                escaped.extend(['%', half(byte >> 4), half(byte & 15)]);
            }
        }
    }
    escaped
}

impl Client {
    /// A client of a server such as `http://127.0.0.1:8900`, with the caller's token, if there is
    /// one, and name.
    ///
    /// # Errors
    /// When the server's address is none.
    pub fn new(server: &str, token: Option<String>, by: &str) -> Result<Self, NoAnswer> {
        Self::trusting(server, token, by, None)
    }

    /// The same, of a server over TLS that these authorities vouch for; without a file, the
    /// machine's.
    ///
    /// # Errors
    /// When the server's address is none, or the file cannot be read.
    pub fn trusting(
        server: &str,
        token: Option<String>,
        by: &str,
        ca_file: Option<&Path>,
    ) -> Result<Self, NoAnswer> {
        let wrong = || NoAnswer::Address(server.to_owned());
        let (is_secure, authority) = match server.split_once("://") {
            Some(("http", rest)) => (false, rest.trim_end_matches('/')),
            Some(("https", rest)) => (true, rest.trim_end_matches('/')),
            Some(_) => return Err(wrong()),
            None => (false, server),
        };
        let is_odd =
            |c: char| c == '/' || c == '@' || c == '?' || c == '#' || !c.is_ascii_graphic();
        if authority.is_empty() || authority.contains(is_odd) {
            return Err(wrong());
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
        let port = if has_port { String::new() } else { format!(":{PORT_DEFAULT}") };
        let by = by.chars().filter(char::is_ascii_graphic).collect();
        let authority = format!("{authority}{port}");
        let trusted = || calls::trusting(ca_file).map_err(|e| NoAnswer::Authorities(e.to_string()));
        let tls = if is_secure { Some(trusted()?) } else { None };
        Ok(Self { peer: Peer { authority, tls }, token, by })
    }

    /// Looks something up.
    ///
    /// # Errors
    /// When there is no answer, or it is a problem.
    pub fn get(&self, endpoint: &Endpoint) -> Result<Value, NoAnswer> {
        let request = self.request("GET", endpoint, None).body(Full::default());
        self.ask(request.map_err(|e| NoAnswer::Unsendable(e.to_string()))?)
    }

    /// Looks up what is no JSON, such as a drawing.
    ///
    /// # Errors
    /// When there is no answer, it is a problem, or it is no text.
    pub fn text(&self, endpoint: &Endpoint) -> Result<String, NoAnswer> {
        let request = self.request("GET", endpoint, None).body(Full::default());
        let request = request.map_err(|e| NoAnswer::Unsendable(e.to_string()))?;
        let (status, body) = self.body(request)?;
        let foreign = |_| NoAnswer::Foreign { server: self.server(), status };
        String::from_utf8(body.into()).map_err(foreign)
    }

    /// Does something; the same `id` does it once.
    ///
    /// # Errors
    /// When there is no answer, or it is a problem.
    pub fn post(
        &self,
        endpoint: &Endpoint,
        body: &Value,
        id: Option<&str>,
    ) -> Result<Value, NoAnswer> {
        let request = self
            .request("POST", endpoint, id)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())));
        self.ask(request.map_err(|e| NoAnswer::Unsendable(e.to_string()))?)
    }

    /// Reads events as they come: each has a name and data. It goes on as long as `tell` says so
    /// and the server lives.
    ///
    /// # Errors
    /// When there is no answer, or it is a problem.
    pub fn follow(
        &self,
        endpoint: &Endpoint,
        tell: impl FnMut(&str, Value) -> bool,
    ) -> Result<(), NoAnswer> {
        let request = self.request("GET", endpoint, None).body(Full::default());
        let request = request.map_err(|e| NoAnswer::Unsendable(e.to_string()))?;
        let silent = |reason| NoAnswer::Silent { server: self.server(), reason };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let unhappy = runtime.block_on(async {
            let (answer, _driven) = self.peer.send(request).await.map_err(silent)?;
            let status = answer.status().as_u16();
            if (200..300).contains(&status) {
                read_events(answer.into_body(), tell).await;
                return Ok(None);
            }
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|e| silent(e.to_string()))?.to_bytes();
            Ok::<_, NoAnswer>(Some((status, body)))
        })?;
        match unhappy {
            None => Ok(()),
            Some((status, body)) => Err(self.problem(status, &body)),
        }
    }

    fn request(
        &self,
        method: &str,
        endpoint: &Endpoint,
        id: Option<&str>,
    ) -> hyper::http::request::Builder {
        let target = format!("{}{}", endpoint.path, endpoint.query);
        let mut request = Request::builder().method(method).uri(target);
        request = request.header(header::HOST, &self.peer.authority).header("segue-by", &self.by);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        match id {
            Some(id) => request.header("idempotency-key", id),
            None => request,
        }
    }

    fn ask(&self, request: Request<Full<Bytes>>) -> Result<Value, NoAnswer> {
        let (status, body) = self.body(request)?;
        read_json(&body).map_err(|_| NoAnswer::Foreign { server: self.server(), status })
    }

    /// The status and the body of an answer that is no problem.
    fn body(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), NoAnswer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let asked = runtime.block_on(async {
            tokio::time::timeout(PATIENCE, self.answer(request))
                .await
                .unwrap_or_else(|_| Err(format!("nothing came within {} s", PATIENCE.as_secs())))
        });
        let silent = |reason| NoAnswer::Silent { server: self.server(), reason };
        let (status, body) = asked.map_err(silent)?;
        if (200..300).contains(&status) {
            return Ok((status, body));
        }
        Err(self.problem(status, &body))
    }

    fn problem(&self, status: u16, body: &[u8]) -> NoAnswer {
        let foreign = || NoAnswer::Foreign { server: self.server(), status };
        serde_json::from_slice(body).map_or_else(|_| foreign(), NoAnswer::Problem)
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String> {
        let (answer, _driven) = self.peer.send(request).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|e| e.to_string())?.to_bytes()))
    }

    fn server(&self) -> String {
        let scheme = if self.peer.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.peer.authority)
    }
}

/// Tells the events of a stream until one of both has enough.
async fn read_events(mut body: Incoming, mut tell: impl FnMut(&str, Value) -> bool) {
    let mut text = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(bytes) = frame.into_data() else { continue };
        text.extend_from_slice(&bytes);
        while let Some(end) = text.windows(2).position(|signs| signs == b"\n\n") {
            let event: Vec<u8> = text.drain(..end + 2).collect();
            let goes_on = event_of(&event).is_none_or(|(name, data)| tell(&name, data));
            if !goes_on {
                return;
            }
        }
        if text.len() > ANSWER_BYTES_MAX {
            return;
        }
    }
}

/// The name and the data of an event; none if it is but a sign of life.
fn event_of(text: &[u8]) -> Option<(String, Value)> {
    let text = std::str::from_utf8(text).ok()?;
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim_start))
    };
    let data = read_json(value("data")?.as_bytes()).ok()?;
    Some((value("event")?.to_owned(), data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_hold_any_sign() {
        let endpoint = Endpoint::at(&["instances", "order", "a/b ü"]).with("wait", Some("1s&x"));
        assert_eq!(endpoint.path, "/api/v1/instances/order/a%2Fb%20%C3%BC");
        assert_eq!(endpoint.query, "?wait=1s%26x");
        assert_eq!(endpoint.clone().with("limit", None::<u32>), endpoint);
    }

    #[test]
    fn an_event_has_a_name_and_data() {
        let told = event_of(b"id: 0/7\nevent: transition\ndata: {\"a\":1.50}\n\n");
        let (name, data) = told.expect("an event");
        assert_eq!((name.as_str(), data.to_string()), ("transition", r#"{"a":1.50}"#.to_owned()));
        assert_eq!(event_of(b": nothing new\n\n"), None);
    }

    #[test]
    fn a_server_is_a_host_with_a_port_or_without() {
        for (server, authority) in [
            ("http://127.0.0.1:8900", "127.0.0.1:8900"),
            ("http://segue.internal/", "segue.internal:8900"),
            ("[::1]", "[::1]:8900"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(Client::new(server, None, "").expect(server).peer.authority, authority);
        }
        let secure = Client::new("https://segue.internal", None, "").expect("a server");
        assert_eq!(secure.server(), "https://segue.internal:8900");
        for server in ["", "ftp://a:1", "http://", "http://a/b", "http://u@a", "a b"] {
            assert!(matches!(Client::new(server, None, ""), Err(NoAnswer::Address(_))), "{server}");
        }
    }
}

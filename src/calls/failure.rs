use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use crate::message::Span;

/// Why a call has no answer, in words for the one who reads the saga's history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The definition's URL cannot be used.
    #[error("the URL cannot be used: {0}")]
    Url(String),
    /// A header of the definition cannot be sent.
    #[error("the header `{name}` cannot be sent: {reason}")]
    Header { name: String, reason: &'static str },
    /// The operator does not allow the host.
    #[error("calls to {target} are not allowed; add the host to `calls.allow` if it is meant")]
    NotAllowed { target: String },
    /// The host is where it may not be called.
    #[error("{target} is not called: {address} is a {reach} address; {advice}")]
    Address { target: String, address: IpAddr, reach: &'static str, advice: &'static str },
    /// More calls than there may be.
    #[error("too many calls wait{0}")]
    Crowded(&'static str),
    /// The host failed too often.
    #[error(
        "{target} failed {failures} times in a row and is not called for another {left}; look at it"
    )]
    Open { target: String, failures: u32, left: Span },
    /// The host failed too often, and another call finds out whether it is well again.
    #[error("{target} failed {failures} times in a row; one call finds out whether it is well")]
    Probed { target: String, failures: u32 },
    /// The attempt's time is up before its turn came.
    #[error("{within} were over before it was its turn; nothing was sent")]
    Waited { within: Span },
    /// The attempt's time is up.
    #[error("no answer within {within}: {doing}")]
    Late { within: Span, doing: &'static str },
    /// The name stands for nothing.
    #[error("{target} has no address: {reason}")]
    Name { target: String, reason: String },
    /// Nobody takes the connection.
    #[error("{target} cannot be connected to: {reason}")]
    Connect { target: String, reason: String },
    /// The connection is not what TLS wants.
    #[error("{target} cannot be trusted: {reason}")]
    Tls { target: String, reason: String },
    /// The connection broke, or what came is not HTTP.
    #[error("the answer is broken: {0}")]
    Broken(String),
    /// The answer's status line and headers are too much.
    #[error("the answer's headers are too many or too large")]
    Headers,
    /// The answer's body is too much.
    #[error(
        "the answer's body has more than {0} bytes, the most that `calls.body-bytes-max` takes"
    )]
    Body(usize),
    /// The answer leads elsewhere.
    #[error("it redirects to {to}; redirects are followed to the same host and port only")]
    Elsewhere { to: String },
    /// The answer leads from TLS to a connection that everybody can read.
    #[error("it redirects from https to http; that is never followed")]
    Downgrade,
    /// The answer leads round and round.
    #[error("it redirects more than {0} times")]
    Redirects(usize),
    /// The engine itself failed.
    #[error("the call broke off inside segue; report this")]
    Panicked,
}

/// What a failure says about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It answers.
    Well,
    /// It does not do what it should.
    Ill,
    /// Nothing is known.
    Unsaid,
}

impl Failure {
    /// What it says about the host.
    pub fn health(&self) -> Health {
        match self {
            Self::Late { .. }
            | Self::Name { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Broken(_) => Health::Ill,
            Self::Headers
            | Self::Body(_)
            | Self::Elsewhere { .. }
            | Self::Downgrade
            | Self::Redirects(_) => Health::Well,
            Self::Url(_)
            | Self::Header { .. }
            | Self::NotAllowed { .. }
            | Self::Address { .. }
            | Self::Crowded(_)
            | Self::Open { .. }
            | Self::Probed { .. }
            | Self::Waited { .. }
            | Self::Panicked => Health::Unsaid,
        }
    }

    /// Whether nothing was sent, because it must not be.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Url(_)
                | Self::Header { .. }
                | Self::NotAllowed { .. }
                | Self::Address { .. }
                | Self::Crowded(_)
                | Self::Open { .. }
                | Self::Probed { .. }
                | Self::Waited { .. }
        )
    }

    /// Reads what the client says: the connector's own failure, or what hyper found.
    pub fn of_client(error: &hyper_util::client::legacy::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(failure) = inner.downcast_ref::<Self>() {
                return failure.clone();
            }
            if let Some(error) = inner.downcast_ref::<hyper::Error>() {
                return Self::of_http(error);
            }
            cause = inner.source();
        }
        Self::Broken(error.to_string())
    }

    /// Reads what hyper found in an answer; its words hold nothing of the answer.
    pub fn of_http(error: &hyper::Error) -> Self {
        if error.is_parse() && error.to_string().contains("too large") {
            return Self::Headers;
        }
        if error.is_incomplete_message() {
            return Self::Broken("the connection closed before it was whole".to_owned());
        }
        match error.source() {
            Some(cause) => Self::Broken(format!("{error}: {cause}")),
            None => Self::Broken(error.to_string()),
        }
    }
}

/// A duration in a person's words, to the millisecond.
pub(super) fn span(duration: Duration) -> Span {
    Span(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

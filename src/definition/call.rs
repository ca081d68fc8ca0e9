use std::ops::RangeInclusive;

use super::{Assignment, Retry, Then};
use crate::expression::{Expression, Template};
use crate::message::Span;

/// A request over HTTP, the answers that say it is done, and how often it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRequest {
    /// The method.
    pub method: Method,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port, as written: never a template, so that the allow-list means something.
    pub authority: String,
    /// What stands behind the authority, query included; each expression's value is
    /// percent-encoded.
    pub path: Template,
    /// More headers.
    pub headers: Vec<(String, Template)>,
    /// The body, sent as JSON; none means no body.
    pub body: Option<Template>,
    /// The answers that say it is done: `2xx` if the author says nothing.
    pub done: Vec<CallDone>,
    /// How long one attempt may take.
    pub within: Span,
    /// How often and how soon it is made again.
    pub retry: Retry,
}

/// The method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// How it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How a call goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// How it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// An answer that says that a call is done.
#[derive(Debug, Clone, PartialEq)]
pub struct CallDone {
    /// Its status codes: `2xx` is 200 to 299.
    pub status: Vec<RangeInclusive<u16>>,
    /// Which of them: CEL over `event` (`status`, `headers`, `body`) and `data`.
    pub condition: Option<Expression>,
    /// What it writes into the data, in place of the step's own `set`.
    pub set: Option<Vec<Assignment>>,
}

/// An answer that says no.
#[derive(Debug, Clone, PartialEq)]
pub struct CallFailed {
    /// Its status codes.
    pub status: Vec<RangeInclusive<u16>>,
    /// Which of them: CEL over `event` and `data`.
    pub condition: Option<Expression>,
    /// Why, in the service's words: CEL over `event`.
    pub reason: Option<Expression>,
    /// What it writes into the data; only with `then: go-on`.
    pub set: Vec<Assignment>,
    /// What it means for the saga.
    pub then: Then,
}

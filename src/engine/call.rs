use serde_json::Value;

use crate::definition::Method;
use crate::message::{CommandId, Span};

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which attempt of what.
    pub id: CommandId,
    /// The same over all attempts.
    pub idempotency_key: String,
    /// The idempotency key of the action that this undoes.
    pub undoes: Option<String>,
    /// The method.
    pub method: Method,
    /// Where to, filled and percent-encoded.
    pub url: String,
    /// The author's headers.
    pub headers: Vec<(String, String)>,
    /// The body, sent as JSON.
    pub body: Option<Value>,
    /// How long it may take.
    pub within: Span,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// The id of the call, as text.
    pub command: String,
    /// What came of it.
    pub outcome: CallOutcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// The service answered.
    Answered {
        /// The status code.
        status: u16,
        /// The headers, their names in lower case.
        headers: Vec<(String, String)>,
        /// The body: JSON, else text, else null.
        body: Value,
    },
    /// There was no answer; it may have happened.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

use bytes::Bytes;
use serde_json::Value;

use super::{Address, Offset, Timestamp, Topic, TopicId};

/// Names of the headers that Segue reads and writes.
pub mod header {
    /// A message's id (CloudEvents, binary mode).
    pub const ID: &str = "ce_id";
    /// A message's type.
    pub const TYPE: &str = "ce_type";
    /// Who sent it.
    pub const SOURCE: &str = "ce_source";
    /// The CloudEvents version, `1.0`.
    pub const SPEC_VERSION: &str = "ce_specversion";
    /// When it was made, RFC 3339.
    pub const TIME: &str = "ce_time";
    /// The media type of the body.
    pub const CONTENT_TYPE: &str = "content-type";
    /// The command that a message is, or that a reply answers.
    pub const COMMAND: &str = "segue-command";
    /// The idempotency key of the action that a compensation undoes.
    pub const UNDOES: &str = "segue-undoes";
    /// The same over all attempts of one action.
    pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
    /// The instance that a message belongs to.
    pub const CORRELATION: &str = "ce_correlationid";
    /// The message that caused this one.
    pub const CAUSATION: &str = "ce_causationid";
    /// W3C trace context.
    pub const TRACE_PARENT: &str = "traceparent";
}

/// A message's headers, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(pub Vec<(String, Bytes)>);

impl Headers {
    /// The last header of that name, if it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(n, _)| n == name)?;
        std::str::from_utf8(value).ok()
    }

    /// How many bytes their names and values are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Adds a header.
    pub fn push(&mut self, name: &str, value: impl Into<Bytes>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

/// Where an event was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The topic.
    pub topic: Topic,
    /// The partition of it.
    pub partition: i32,
    /// The place in that partition.
    pub offset: Offset,
}

/// Which of the topics of one name a record was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incarnation {
    /// The topic's id.
    pub id: TopicId,
    /// Whether a person has accepted it in the place of an earlier one, whose offsets mean nothing
    /// here.
    pub accepted: bool,
}

/// A domain fact read from Kafka, understood as far as the engine needs.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Event {
    /// Topic and type.
    pub address: Address,
    /// The event's own id: `ce_id`, else made from its origin.
    pub id: String,
    /// The record's key, if it is text.
    pub key: Option<String>,
    /// The body as JSON; numbers keep their text.
    pub body: Value,
    /// The command that it says it answers: `segue-command`, else `causationid`.
    pub command: Option<String>,
    /// W3C trace context of whoever sent it.
    pub trace_parent: Option<String>,
    /// When the record was stamped.
    pub timestamp: Timestamp,
}

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

    /// Of a dead letter: why it was put aside, in words. Every one has it.
    pub const REASON: &str = "segue-reason";
    /// Of a dead letter: where it was read, as `topic[partition]@offset`.
    pub const ORIGIN: &str = "segue-origin";
    /// Of a dead letter: the instance that it was for.
    pub const INSTANCE: &str = "segue-instance";
    /// Of a dead letter: what was too large was left out, so it is not the record that came.
    pub const CUT: &str = "segue-cut";

    /// Of what tells that something was done with a dead letter: its `partition/offset`.
    pub const DISPOSES: &str = "segue-disposes";
    /// What was done with it.
    pub const DISPOSED: &str = "segue-disposed";
    /// Who has done it.
    pub const DISPOSED_BY: &str = "segue-disposed-by";
    /// Why.
    pub const DISPOSED_WHY: &str = "segue-disposed-why";
    /// The act's own id.
    pub const DISPOSED_ID: &str = "segue-disposed-id";

    /// Of a record that was replayed: the dead letter, as `topic[partition]@offset`.
    pub const REPLAY_OF: &str = "segue-replay-of";
    /// Where the dead letter had been read, as `topic[partition]@offset`.
    pub const REPLAY_ORIGIN: &str = "segue-replay-origin";
    /// Who has replayed it.
    pub const REPLAY_BY: &str = "segue-replay-by";
    /// Why.
    pub const REPLAY_WHY: &str = "segue-replay-why";
    /// What was changed in it: `body`, `key`, `header ce_type`; nothing if it is as it came.
    pub const REPLAY_EDITED: &str = "segue-replay-edited";
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

    /// The last header of that name that says something: one that is null, empty, blank or not
    /// UTF-8 is as good as none.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        for (own, value) in self.0.iter().rev() {
            match std::str::from_utf8(value) {
                Ok(text) if own == name && !text.trim().is_empty() => return Some(text),
                Ok(_) | Err(_) => {}
            }
        }
        None
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

/// Who sent an event, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum EventSource {
    /// It names none.
    #[default]
    Unnamed,
    /// What it names: `ce_source`, or the hash of a long one.
    Named(String),
    /// It was stored by a build that did not read sources.
    Unread,
}

impl EventSource {
    /// What the event names.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Unnamed | Self::Unread => None,
        }
    }
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
    /// Who sent it.
    pub source: EventSource,
    /// The event's own id, unique among those of its address and source: `ce_id`, else made from
    /// its origin.
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

impl Event {
    /// Within which its id is unique: a hash of its address and source, never 0. None if it was
    /// stored before sources were read.
    #[must_use]
    pub fn namespace(&self) -> Option<u64> {
        if self.source == EventSource::Unread {
            return None;
        }
        let mut hasher = blake3::Hasher::new_derive_key("segue 2026 event namespace");
        let Address { topic, event_type } = &self.address;
        for part in [topic.as_str(), event_type.as_str(), self.source.name().unwrap_or_default()] {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Some(u64::from_be_bytes(short).max(1))
    }

    /// Whether both are the same event, come twice: equal in address, source and id. Where one was
    /// stored before sources were read, address and id decide.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let read = self.source != EventSource::Unread && other.source != EventSource::Unread;
        self.id == other.id
            && self.address == other.address
            && (!read || self.source == other.source)
    }
}

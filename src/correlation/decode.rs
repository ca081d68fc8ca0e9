use std::fmt;

use serde_json::Value;

use super::RecordKey;
use crate::message::{
    Address, CommandId, Event, EventSource, EventType, Headers, NotJson, Origin, Timestamp, header,
    read_body,
};

/// The longest type of an event that is taken, in bytes.
const TYPE_BYTES_MAX: usize = 1024;
/// The longest id or source that is remembered as it came, in bytes; of a longer one its hash is.
const ID_BYTES_MAX: usize = 200;
/// The longest W3C trace context that is taken over, in bytes; its first version has 55.
const TRACE_BYTES_MAX: usize = 128;
const STRUCTURED: &str = "application/cloudevents";
const TYPE_PLAIN: &str = "type";
const ID_PLAIN: &str = "id";
const SOURCE_PLAIN: &str = "source";

/// Why a record of a user's topic is not an event; the sender must mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no body; of what kind it would be, if it says so.
    #[error("it has no body (a Kafka tombstone), so it says nothing")]
    Tombstone(Option<Address>),
    /// It is too large.
    #[error("it has {bytes} bytes; at most {max} are taken (`limits.event-bytes-max`)")]
    Large {
        /// Its key, headers and body.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// The body is not JSON.
    #[error(transparent)]
    Body(NotJson),
    /// Nothing says what kind of event it is.
    #[error("nothing says its type{0}; send it in the header `ce_type` (CloudEvents) or `type`")]
    Untyped(Lack),
    /// It names a command that is not one of ours.
    #[error(
        "its header `segue-command` is `{0}`, which is no command id; echo the one of the command"
    )]
    Command(String),
}

/// What was found where a type should stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// No such header at all.
    Missing,
    /// A header without a value, or with a blank one.
    Blank(&'static str),
    /// A header that is not UTF-8.
    NotText(&'static str),
    /// A header that is longer than any type.
    Long(&'static str),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => Ok(()),
            Self::Blank(name) => write!(f, ": `{name}` is empty"),
            Self::NotText(name) => write!(f, ": `{name}` is not text in UTF-8"),
            Self::Long(name) => write!(f, ": `{name}` is longer than {TYPE_BYTES_MAX} bytes"),
        }
    }
}

/// What an event says about itself before its body is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// Topic and type.
    pub address: Address,
    /// Who sent it: `ce_source`.
    pub source: EventSource,
    /// The event's own id: `ce_id`, else made from its origin.
    pub id: String,
    /// The record's key.
    pub key: RecordKey,
    /// The command that it answers.
    pub command: Option<CommandId>,
    /// W3C trace context.
    pub trace_parent: Option<String>,
    /// Where the event's own data stands, for a structured cloud event: its `data` member.
    pub data: Option<Value>,
}

/// Reads what an event says about itself: CloudEvents in binary or structured mode, or plain JSON
/// whose type, source and id stand in the headers `type`, `source` and `id`. Key, headers and body
/// together may have so many bytes.
///
/// # Errors
/// When the record is no event.
pub fn heading(
    origin: &Origin,
    key: Option<&[u8]>,
    headers: &Headers,
    body: Option<&[u8]>,
    max: usize,
) -> Result<Heading, Error> {
    let address =
        |kind: &str| Address { topic: origin.topic.clone(), event_type: EventType::new(kind) };
    let Some(body) = body else {
        return Err(Error::Tombstone(kind(headers, None).ok().map(address)));
    };
    let bytes = key.map_or(0, <[u8]>::len) + headers.bytes() + body.len();
    if bytes > max {
        return Err(Error::Large { bytes, max });
    }
    let structured = headers.text(header::CONTENT_TYPE).is_some_and(|t| t.starts_with(STRUCTURED));
    let envelope = if structured { Some(read_body(body).map_err(Error::Body)?) } else { None };
    let inside = |name: &str| {
        let text = envelope.as_ref().and_then(|e| e.get(name)?.as_str());
        text.filter(|text| !text.trim().is_empty())
    };
    let said = |name: &str, binary: &str, plain: &str| {
        inside(name).or_else(|| headers.said(binary)).or_else(|| headers.said(plain))
    };
    let kind = kind(headers, inside("type")).map_err(Error::Untyped)?;
    let source = said("source", header::SOURCE, SOURCE_PLAIN);
    let id = said("id", header::ID, ID_PLAIN);
    let command = command(headers, inside("causationid"))?;
    let trace_parent = inside("traceparent").or(headers.said(header::TRACE_PARENT));
    let trace_parent = trace_parent.filter(|context| context.len() <= TRACE_BYTES_MAX);
    Ok(Heading {
        address: address(kind),
        source: source.map_or(EventSource::Unnamed, |name| EventSource::Named(remembered(name))),
        id: id.map_or_else(|| made_id(origin), remembered),
        key: RecordKey::of(key),
        command,
        trace_parent: trace_parent.map(str::to_owned),
        data: envelope.as_ref().map(|e| e.get("data").cloned().unwrap_or(Value::Null)),
    })
}

/// Reads a whole event.
///
/// # Errors
/// When the record is no event.
pub fn decode(heading: &Heading, body: &[u8], timestamp: Timestamp) -> Result<Event, Error> {
    let body = match &heading.data {
        Some(data) => data.clone(),
        None => read_body(body).map_err(Error::Body)?,
    };
    Ok(Event {
        address: heading.address.clone(),
        source: heading.source.clone(),
        id: heading.id.clone(),
        key: heading.key.text().map(str::to_owned),
        body,
        command: heading.command.as_ref().map(ToString::to_string),
        trace_parent: heading.trace_parent.clone(),
        timestamp,
    })
}

/// The type: what the envelope says, else the last `ce_type` that can be one, else the last `type`.
fn kind<'a>(headers: &'a Headers, inside: Option<&'a str>) -> Result<&'a str, Lack> {
    let mut found = Lack::Missing;
    if let Some(text) = inside {
        if text.len() <= TYPE_BYTES_MAX {
            return Ok(text);
        }
        found = Lack::Long("type");
    }
    for name in [header::TYPE, TYPE_PLAIN] {
        for (_, raw) in headers.0.iter().rev().filter(|(own, _)| own == name) {
            let lack = match std::str::from_utf8(raw) {
                Err(_) => Lack::NotText(name),
                Ok(text) if text.trim().is_empty() => Lack::Blank(name),
                Ok(text) if text.len() > TYPE_BYTES_MAX => Lack::Long(name),
                Ok(text) => return Ok(text),
            };
            if found == Lack::Missing {
                found = lack;
            }
        }
    }
    Err(found)
}

/// `segue-command` must be ours; a `causationid` may be anybody's and counts only if it is ours.
fn command(headers: &Headers, inside: Option<&str>) -> Result<Option<CommandId>, Error> {
    if let Some(text) = headers.said(header::COMMAND) {
        let shown = || text.chars().take(120).collect();
        return text.parse().map(Some).map_err(|_| Error::Command(shown()));
    }
    let caused = inside.or(headers.said(header::CAUSATION));
    Ok(caused.and_then(|text| text.parse().ok()))
}

fn made_id(origin: &Origin) -> String {
    let Origin { topic, partition, offset } = origin;
    format!("{topic}/{partition}/{offset}")
}

/// An id or source, or the hash of a long one: ids are kept with every step that they answer.
fn remembered(id: &str) -> String {
    if id.len() <= ID_BYTES_MAX {
        return id.to_owned();
    }
    format!("blake3:{}", blake3::hash(id.as_bytes()).to_hex())
}

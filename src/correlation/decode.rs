use serde_json::Value;

use crate::message::{
    Address, CommandId, Event, EventType, Headers, Origin, Timestamp, header, read_json,
};

/// The longest type or id of an event that is taken, in bytes.
const TEXT_BYTES_MAX: usize = 1024;
/// The longest id that is remembered as it came, in bytes; of a longer one its hash is.
const ID_BYTES_MAX: usize = 200;
/// The longest W3C trace context that is taken over, in bytes; its first version has 55.
const TRACE_BYTES_MAX: usize = 128;
const STRUCTURED: &str = "application/cloudevents";
const TYPE_PLAIN: &str = "type";
const ID_PLAIN: &str = "id";

/// Why a record of a user's topic is not an event; the sender must mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no body.
    #[error("it has no body (a Kafka tombstone), so it says nothing")]
    Tombstone,
    /// It is too large.
    #[error("it has {bytes} bytes; at most {max} are taken (`limits.event-bytes-max`)")]
    Large {
        /// Its key, headers and body.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// The body is not JSON.
    #[error("its body is not JSON: {0}")]
    Json(String),
    /// Nothing says what kind of event it is.
    #[error("nothing says its type; send it in the header `ce_type` (CloudEvents) or `type`")]
    Untyped,
    /// A header is too long or not text.
    #[error("its {0} is empty, not UTF-8, or longer than {TEXT_BYTES_MAX} bytes")]
    Text(&'static str),
    /// It names a command that is not one of ours.
    #[error(
        "its header `segue-command` is `{0}`, which is no command id; echo the one of the command"
    )]
    Command(String),
}

/// What an event says about itself before its body is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// Topic and type.
    pub address: Address,
    /// The event's own id: `ce_id`, else made from its origin.
    pub id: String,
    /// The record's key, if it is text.
    pub key: Option<String>,
    /// The command that it answers.
    pub command: Option<CommandId>,
    /// W3C trace context.
    pub trace_parent: Option<String>,
    /// Where the event's own data stands, for a structured cloud event: its `data` member.
    pub data: Option<Value>,
}

/// Reads what an event says about itself: CloudEvents in binary or structured mode, or plain JSON
/// whose type and id stand in the headers `type` and `id`. Key, headers and body together may have
/// so many bytes.
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
    let body = body.ok_or(Error::Tombstone)?;
    let bytes = key.map_or(0, <[u8]>::len) + headers.bytes() + body.len();
    if bytes > max {
        return Err(Error::Large { bytes, max });
    }
    let structured = headers.text(header::CONTENT_TYPE).is_some_and(|t| t.starts_with(STRUCTURED));
    let envelope = if structured { Some(json(body)?) } else { None };
    let inside = |name: &str| envelope.as_ref().and_then(|e| e.get(name)?.as_str());
    let kind = match inside("type") {
        Some(kind) => kind,
        None => text(headers, header::TYPE, "type")?
            .or(text(headers, TYPE_PLAIN, "type")?)
            .ok_or(Error::Untyped)?,
    };
    let id = match inside("id") {
        Some(id) => Some(id),
        None => text(headers, header::ID, "id")?.or(text(headers, ID_PLAIN, "id")?),
    };
    let command = command(headers, inside("causationid"))?;
    let trace_parent = inside("traceparent").or(headers.text(header::TRACE_PARENT));
    let trace_parent = trace_parent.filter(|context| context.len() <= TRACE_BYTES_MAX);
    Ok(Heading {
        address: Address { topic: origin.topic.clone(), event_type: EventType::new(kind) },
        id: id.map_or_else(|| made_id(origin), remembered),
        key: key.and_then(|k| std::str::from_utf8(k).ok()).map(str::to_owned),
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
        None => json(body)?,
    };
    Ok(Event {
        address: heading.address.clone(),
        id: heading.id.clone(),
        key: heading.key.clone(),
        body,
        command: heading.command.as_ref().map(ToString::to_string),
        trace_parent: heading.trace_parent.clone(),
        timestamp,
    })
}

fn json(body: &[u8]) -> Result<Value, Error> {
    read_json(body).map_err(|e| Error::Json(e.to_string()))
}

fn text<'h>(
    headers: &'h Headers,
    name: &str,
    what: &'static str,
) -> Result<Option<&'h str>, Error> {
    let Some((_, raw)) = headers.0.iter().rev().find(|(n, _)| n == name) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(raw).map_err(|_| Error::Text(what))?;
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(Error::Text(what));
    }
    Ok(Some(text))
}

/// `segue-command` must be ours; a `causationid` may be anybody's and counts only if it is ours.
fn command(headers: &Headers, inside: Option<&str>) -> Result<Option<CommandId>, Error> {
    if let Some(text) = headers.text(header::COMMAND) {
        let shown = || text.chars().take(120).collect();
        return text.parse().map(Some).map_err(|_| Error::Command(shown()));
    }
    let caused = inside.or(headers.text(header::CAUSATION));
    Ok(caused.and_then(|text| text.parse().ok()))
}

fn made_id(origin: &Origin) -> String {
    let Origin { topic, partition, offset } = origin;
    format!("{topic}/{partition}/{offset}")
}

/// An id, or its hash: what tells events apart is kept with every step that they answer.
fn remembered(id: &str) -> String {
    if id.len() <= ID_BYTES_MAX {
        return id.to_owned();
    }
    format!("blake3:{}", blake3::hash(id.as_bytes()).to_hex())
}

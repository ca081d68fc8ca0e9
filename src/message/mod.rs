//! Describes what travels: addresses, identities, times, events and outgoing messages.

mod address;
mod body;
mod bulk;
mod command_id;
mod coordinate;
mod disposal;
mod engine_topics;
mod event;
mod identity;
mod input_id;
mod json;
mod life;
mod outgoing;
mod shard;
mod start_from;
mod subject;
mod time;
mod topic_id;
mod trace;

pub use address::{Address, EventType, Topic};
pub use body::{NotJson, Shown, read_body};
pub use bulk::{Bulk, BulkEnd, BulkEnded, BulkRecord};
pub use command_id::{CommandId, Part, PartKind};
pub use coordinate::Coordinate;
pub use disposal::{Disposal, Disposed};
pub use engine_topics::EngineTopics;
pub use event::{Event, EventSource, Headers, Incarnation, Origin, header};
pub use identity::{Hash, InstanceId, Key, SagaName, StepName, Version};
pub use input_id::InputId;
pub use json::read_json;
pub use life::LifeId;
pub use outgoing::{Outgoing, RawRecord};
pub use shard::{Offset, Shard, shard_of};
pub use start_from::StartFrom;
pub use subject::Subject;
pub use time::{Span, Timestamp};
pub use topic_id::TopicId;
pub use trace::{TraceContext, Traced};

/// What is wrong with a piece of text that should name something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An address is not `topic/event-type`.
    #[error("`{0}` is not an address; write topic/event-type, such as shop.orders/OrderPlaced")]
    Address(String),
    /// A topic holds characters that Kafka refuses.
    #[error("`{0}` is not a topic; use letters, digits, `.`, `_` and `-`, at most 249 of them")]
    Topic(String),
    /// A topic's id is not 16 bytes in base64.
    #[error("`{0}` is not a topic's id")]
    TopicId(String),
    /// A name is not kebab-case.
    #[error("`{0}` is not a name; use lower-case letters, digits and `-`, starting with a letter")]
    Name(String),
    /// A text names no step of an instance.
    #[error(
        "`{text}` names no step: sign {sign} is wrong; write such as reserve, or reserve[2] inside \
         an `each`"
    )]
    Coordinate {
        /// The text.
        text: String,
        /// From which sign on it is wrong, counted from 1.
        sign: usize,
    },
    /// A key is empty or too long.
    #[error("the key is {0} bytes long; a key has 1 to {max} bytes", max = Key::BYTES_MAX)]
    Key(usize),
    /// A command id does not have this engine's form.
    #[error("`{0}` is not a command id of this engine")]
    CommandId(String),
    /// A duration does not parse.
    #[error("`{0}` is not a duration; write such as 200ms, 10s, 1h30m, 7d or 2w")]
    Span(String),
}

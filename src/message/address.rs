use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Error;

/// A Kafka topic's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// The most characters that Kafka allows in a topic's name.
    pub const CHARS_MAX: usize = 249;

    /// Takes a topic's name.
    ///
    /// # Errors
    /// When Kafka would refuse it.
    pub fn new(name: &str) -> Result<Self, Error> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let named = !name.is_empty() && name != "." && name != "..";
        if named && name.len() <= Self::CHARS_MAX && name.chars().all(legal) {
            Ok(Self(name.into()))
        } else {
            Err(Error::Topic(name.to_owned()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The type of an event or a command, as its `ce_type` header says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Arc<str>);

impl EventType {
    /// Takes a type's name; any text that is not empty may stand there.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a kind of message travels: `topic/event-type`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The topic.
    pub topic: Topic,
    /// The type of message on it.
    pub event_type: EventType,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (topic, event_type) =
            text.split_once('/').ok_or_else(|| Error::Address(text.to_owned()))?;
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if event_type.is_empty() || !event_type.chars().all(plain) {
            return Err(Error::Address(text.to_owned()));
        }
        Ok(Self { topic: Topic::new(topic)?, event_type: EventType::new(event_type) })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.event_type)
    }
}

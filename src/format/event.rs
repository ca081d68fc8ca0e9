use bytes::Bytes;
use serde_json::Value;

use super::{Error, wire};
use crate::message::{
    Address, Event, EventType, Incarnation, Offset, Origin, Timestamp, Topic, TopicId, read_json,
};

impl wire::Event {
    /// Takes an event and where it was read; `body` is its body's bytes as they came.
    #[must_use]
    pub fn new(event: &Event, origin: &Origin, body: Bytes) -> Self {
        Self {
            topic: event.address.topic.to_string(),
            partition: origin.partition,
            offset: origin.offset.0,
            event_type: event.address.event_type.to_string(),
            id: event.id.clone(),
            key: event.key.clone(),
            body: body.into(),
            command: event.command.clone(),
            trace_parent: event.trace_parent.clone(),
            timestamp_ms: event.timestamp.0,
            topic_id: Vec::new(),
            accepted: false,
        }
    }

    /// Where it was read.
    ///
    /// # Errors
    /// When the topic cannot be one.
    pub fn origin(&self) -> Result<Origin, Error> {
        let topic = Topic::new(&self.topic).map_err(|_| Error::Field("topic"))?;
        Ok(Origin { topic, partition: self.partition, offset: Offset(self.offset) })
    }

    /// From which of the topics of that name it was read, where that is known.
    #[must_use]
    pub fn incarnation(&self) -> Option<Incarnation> {
        let id = TopicId::of_bytes(&self.topic_id)?;
        Some(Incarnation { id, accepted: self.accepted })
    }

    /// The event itself.
    ///
    /// # Errors
    /// When the topic cannot be one, or the body is not JSON.
    pub fn read(&self) -> Result<Event, Error> {
        let topic = Topic::new(&self.topic).map_err(|_| Error::Field("topic"))?;
        let body: Value = read_json(&self.body).map_err(|e| Error::Message(e.to_string()))?;
        Ok(Event {
            address: Address { topic, event_type: EventType::new(&self.event_type) },
            id: self.id.clone(),
            key: self.key.clone(),
            body,
            command: self.command.clone(),
            trace_parent: self.trace_parent.clone(),
            timestamp: Timestamp(self.timestamp_ms),
        })
    }

    /// An event that is kept inside an instance; its origin no longer matters.
    #[must_use]
    pub fn kept(event: &Event) -> Self {
        let origin = Origin { topic: event.address.topic.clone(), partition: 0, offset: Offset(0) };
        Self::new(event, &origin, event.body.to_string().into())
    }
}

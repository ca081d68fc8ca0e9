use bytes::Bytes;
use serde_json::Value;

use super::{Error, wire};
use crate::message::{
    Address, Event, EventSource, EventType, Incarnation, Offset, Origin, Timestamp, Topic, TopicId,
    read_body,
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
            source: Self::stored(&event.source),
            binary_key: None,
            topic_id: Vec::new(),
            accepted: false,
        }
    }

    /// A source as it is stored: empty text says that the event names none.
    #[must_use]
    pub fn stored(source: &EventSource) -> Option<String> {
        match source {
            EventSource::Unnamed => Some(String::new()),
            EventSource::Named(name) => Some(name.clone()),
            EventSource::Unread => None,
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
        let body: Value = read_body(&self.body).map_err(Error::Body)?;
        Ok(Event {
            address: Address { topic, event_type: EventType::new(&self.event_type) },
            source: source_in(self.source.as_deref()),
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

fn source_in(stored: Option<&str>) -> EventSource {
    match stored {
        None => EventSource::Unread,
        Some("") => EventSource::Unnamed,
        Some(name) => EventSource::Named(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(source: EventSource) -> Event {
        Event {
            address: "stock.events/Counted".parse().expect("an address"),
            source,
            id: "1".to_owned(),
            key: Some("k".to_owned()),
            body: Value::Null,
            command: None,
            trace_parent: None,
            timestamp: Timestamp(7),
        }
    }

    #[test]
    fn an_event_reads_back_with_its_source() {
        for source in
            [EventSource::Unnamed, EventSource::Named("/north".to_owned()), EventSource::Unread]
        {
            let event = event(source);
            assert_eq!(wire::Event::kept(&event).read(), Ok(event));
        }
    }

    #[test]
    fn an_event_that_an_older_build_stored_has_an_unread_source() {
        let stored =
            wire::Event { source: None, ..wire::Event::kept(&event(EventSource::Unnamed)) };
        assert_eq!(stored.read(), Ok(event(EventSource::Unread)));
    }

    #[test]
    fn a_stored_body_is_read_as_the_gateway_reads_it() {
        let body = "\u{feff}{\"n\":1}".as_bytes().to_vec();
        let marked = wire::Event { body, ..wire::Event::kept(&event(EventSource::Unnamed)) };
        let body = marked.read().map(|event| event.body.to_string());
        assert_eq!(body.as_deref(), Ok("{\"n\":1}"));
        let framed = wire::Event { body: vec![0, 0, 0, 0, 42, 2], ..marked };
        let refused = framed.read().map_err(|e| e.to_string()).expect_err("it is not JSON");
        assert!(refused.contains("schema id 42"), "{refused}");
    }
}

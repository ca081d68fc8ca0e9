use bytes::Bytes;

use serde_json::json;

use crate::engine::{Message, Question};
use crate::message::{Headers, InstanceId, Outgoing, Timestamp, Topic, TraceContext, header};

/// What made the engine send a message.
#[derive(Debug, Clone)]
pub(super) struct Cause<'a> {
    pub app: &'a str,
    pub id: &'a InstanceId,
    /// The event's id; none for a timer.
    pub event: Option<&'a str>,
    pub trace: TraceContext,
    pub at: Timestamp,
}

/// Whether a message asks a participant for something, or tells a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Command,
    Fact,
}

/// Writes a message as CloudEvents' Kafka binding in binary mode.
pub(super) fn outgoing(message: &Message, purpose: Purpose, cause: &Cause<'_>) -> Outgoing {
    let mut headers = Headers(Vec::with_capacity(12 + message.headers.len()));
    // A fact's id is derived from where it stands, as a command's is.
    let id: Bytes = message.id.to_string().into();
    headers.push(header::SPEC_VERSION, Bytes::from_static(b"1.0"));
    headers.push(header::ID, id.clone());
    headers.push(header::TYPE, message.to.event_type.to_string());
    headers.push(header::SOURCE, format!("segue/{}", cause.app));
    headers.push(header::TIME, cause.at.to_string());
    headers.push(header::CONTENT_TYPE, Bytes::from_static(b"application/json"));
    headers.push(header::CORRELATION, cause.id.to_string());
    if let Some(event) = cause.event {
        headers.push(header::CAUSATION, event.to_owned());
    }
    if purpose == Purpose::Command {
        headers.push(header::COMMAND, id);
        headers.push(header::IDEMPOTENCY_KEY, message.id.idempotency_key());
    }
    if let Some(undoes) = &message.undoes {
        headers.push(header::UNDOES, undoes.clone());
    }
    headers.push(header::TRACE_PARENT, cause.trace.traceparent(&message.id));
    for (name, value) in &message.headers {
        headers.push(name, value.clone());
    }
    let body = serde_json::to_vec(&message.body).expect("JSON values always serialise");
    Outgoing {
        topic: message.to.topic.clone(),
        key: message.key.clone(),
        headers,
        body: body.into(),
    }
}

/// Writes a question as `<app>.questions` tells it.
pub(super) fn asked(question: &Question, topic: &Topic, cause: &Cause<'_>) -> Outgoing {
    let mut headers = Headers(Vec::with_capacity(8));
    headers.push(header::SPEC_VERSION, Bytes::from_static(b"1.0"));
    headers.push(header::ID, question.id.clone());
    headers.push(header::TYPE, Bytes::from_static(b"Question"));
    headers.push(header::SOURCE, format!("segue/{}", cause.app));
    headers.push(header::TIME, cause.at.to_string());
    headers.push(header::CONTENT_TYPE, Bytes::from_static(b"application/json"));
    headers.push(header::CORRELATION, cause.id.to_string());
    let body = json!({
        "id": question.id,
        "saga": question.instance.saga.as_str(),
        "key": question.instance.key.as_str(),
        "step": question.step.to_string(),
        "who": question.who,
        "question": question.question,
        "choices": question.choices,
        "until": question.until.map(|until| until.to_string()),
    });
    let key = question.instance.to_string();
    Outgoing { topic: topic.clone(), key, headers, body: body.to_string().into() }
}

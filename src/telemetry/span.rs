use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::engine::Note;
use crate::message::{Address, CommandId, InstanceId, LifeId, Timestamp, TraceContext};

/// A transition of an instance as it is told to a trace: names and ids, never a payload.
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionSpan {
    /// Whose.
    pub instance: InstanceId,
    /// Which life of it.
    pub life: LifeId,
    /// The `traceparent` of whoever started it.
    pub trace_parent: Option<String>,
    /// Which transition of that life, counted from 1.
    pub transition: u64,
    /// What happened; only kinds and steps are told, not the words.
    pub notes: Vec<Note>,
    /// What it sent.
    pub sent: Vec<SentMessage>,
    /// The time of its input.
    pub started: Timestamp,
    /// When it was committed.
    pub ended: Timestamp,
    /// The instance's status after it.
    pub status: &'static str,
    /// What went wrong, in the engine's words.
    pub error: Option<String>,
}

/// A command or fact that a transition sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// Its id.
    pub id: CommandId,
    /// Where to.
    pub to: Address,
}

impl TransitionSpan {
    /// How many spans it makes.
    pub(super) fn spans(&self) -> usize {
        1 + self.sent.len()
    }

    /// The spans to export: its own, then one for each message; none if nobody wants to see them.
    pub(super) fn into_data(self, scope: &InstrumentationScope) -> Vec<SpanData> {
        let parent = self.trace_parent.as_deref().filter(|text| !text.is_empty());
        let context = TraceContext::of(&self.instance, self.life, parent);
        if !context.sampled {
            return Vec::new();
        }
        let own = context.transition(self.transition);
        // The first transition is the anchor of all that follow.
        let above = match self.transition {
            0 | 1 => context.parent,
            _ => Some(context.transition(1)),
        };
        let is_remote = self.transition <= 1 && context.parent.is_some();
        let (start, end) = (moment(self.started), moment(self.ended.max(self.started)));
        let blank = |span, above, kind| SpanData {
            span_kind: kind,
            start_time: start,
            end_time: end,
            ..blank(&context, span, above, scope)
        };
        let mut spans = vec![blank(own, above, SpanKind::Internal)];
        let transition = &mut spans[0];
        transition.parent_span_is_remote = is_remote;
        transition.name = self.notes.first().map_or(Cow::Borrowed("transition"), name);
        transition.attributes = vec![
            KeyValue::new("segue.saga", self.instance.saga.as_str().to_owned()),
            KeyValue::new("segue.instance", self.instance.to_string()),
            KeyValue::new("segue.life", i64::from(self.life.number)),
            KeyValue::new("segue.transition", self.transition.cast_signed()),
            KeyValue::new("segue.status", self.status),
        ];
        transition.events.events = self.notes.iter().map(|note| event(note, end)).collect();
        if let Some(error) = self.error {
            transition.status = Status::error(error);
        }
        for message in self.sent {
            let mut span = blank(context.sending(&message.id), Some(own), SpanKind::Producer);
            span.name = Cow::Owned(format!("send {}", message.to.event_type));
            span.attributes = vec![
                KeyValue::new("messaging.system", "kafka"),
                KeyValue::new("messaging.operation.type", "send"),
                KeyValue::new("messaging.destination.name", message.to.topic.to_string()),
                KeyValue::new("messaging.message.id", message.id.to_string()),
            ];
            spans.push(span);
        }
        spans
    }
}

/// A span of which only the place in its trace is known.
pub(super) fn blank(
    context: &TraceContext,
    span: [u8; 8],
    above: Option<[u8; 8]>,
    scope: &InstrumentationScope,
) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes(context.trace),
            SpanId::from_bytes(span),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: above.map_or(SpanId::INVALID, SpanId::from_bytes),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: Cow::Borrowed(""),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: scope.clone(),
    }
}

/// Step and kind of the first thing that happened: few names, so that they can be counted.
fn name(note: &Note) -> Cow<'static, str> {
    match &note.step {
        Some(step) => Cow::Owned(format!("{step} {}", note.kind().text())),
        None => Cow::Borrowed(note.kind().text()),
    }
}

fn event(note: &Note, at: SystemTime) -> Event {
    let step = note.step.as_ref().map(|step| KeyValue::new("segue.step", step.to_string()));
    Event::new(note.kind().text(), at, step.into_iter().collect(), 0)
}

pub(super) fn moment(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}

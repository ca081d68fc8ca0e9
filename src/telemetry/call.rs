use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use super::span::{blank, moment};
use crate::message::{CommandId, Timestamp, Traced};

/// One attempt of a call as it is told to a trace: names and ids, never a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSpan {
    /// Where it stands in its instance's trace.
    pub traced: Traced,
    /// Which attempt of what.
    pub id: CommandId,
    /// The method.
    pub method: &'static str,
    /// The host, with its port if the definition names one.
    pub host: String,
    /// When it was handed over.
    pub started: Timestamp,
    /// When its answer was there, or it had failed.
    pub ended: Timestamp,
    /// The status of its answer.
    pub status: Option<u16>,
    /// Why it has no answer, in words.
    pub error: Option<String>,
}

impl CallSpan {
    /// The span to export: below the transition that asked for it; none if nobody wants to see it.
    pub(super) fn into_data(self, scope: &InstrumentationScope) -> Vec<SpanData> {
        let context = &self.traced.context;
        if !context.sampled {
            return Vec::new();
        }
        let above = Some(context.transition(self.traced.transition));
        let mut span = blank(context, context.sending(&self.id), above, scope);
        span.span_kind = SpanKind::Client;
        span.start_time = moment(self.started);
        span.end_time = moment(self.ended.max(self.started));
        span.name = format!("{} {}", self.method, self.host).into();
        span.attributes = vec![
            KeyValue::new("http.request.method", self.method),
            KeyValue::new("server.address", self.host),
            KeyValue::new("segue.saga", self.id.instance.saga.to_string()),
            KeyValue::new("segue.instance", self.id.instance.to_string()),
            KeyValue::new("segue.step", self.id.subject.to_string()),
            KeyValue::new("segue.attempt", i64::from(self.id.attempt)),
            KeyValue::new("segue.command", self.id.to_string()),
        ];
        if let Some(status) = self.status {
            span.attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
        }
        // A status such as 409 may be the answer "no", which is nothing wrong.
        span.status = match (self.error, self.status) {
            (Some(error), _) => Status::error(error),
            (None, Some(500..)) => Status::error(""),
            (None, _) => Status::Unset,
        };
        vec![span]
    }
}

use serde_json::{Map, Value};

use crate::message::Coordinate;

/// Why the way back was taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The step where it began; none for the whole saga.
    pub step: Option<Coordinate>,
    /// What kind of thing it was.
    pub kind: FailureKind,
    /// Why, in words.
    pub reason: String,
}

/// What kind of thing made the saga go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A participant said no.
    Rejected,
    /// The attempts were spent.
    Exhausted,
    /// A time was up.
    Deadline,
    /// Somebody asked for it.
    Cancelled,
    /// The definition said so: `fail`.
    Failed,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Rejected, Self::Exhausted, Self::Deadline, Self::Cancelled, Self::Failed];

    /// The word that `failure.kind` holds.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Exhausted => "exhausted",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

impl Failure {
    /// What it reads as in expressions.
    pub(in crate::engine) fn value(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("step".to_owned(), Value::String(Coordinate::text(self.step.as_ref())));
        fields.insert("kind".to_owned(), Value::String(self.kind.text().to_owned()));
        fields.insert("reason".to_owned(), Value::String(self.reason.clone()));
        Value::Object(fields)
    }
}

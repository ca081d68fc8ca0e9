use serde_json::{Map, Value};

use crate::message::Event;

/// What an instance is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A fact or a reply.
    Event(Event),
    /// One of its timers was due; see [`super::next_due`].
    Wake,
    /// What a person did about it.
    Act(Act),
}

/// What a person did about a stuck instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// The act's own id: the same act is obeyed once.
    pub id: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The step that it is about; empty means the stuck one.
    pub step: String,
    /// What.
    pub verb: Verb,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Send it again, with a new budget.
    Retry,
    /// Go on as if the step were not there; an undoing counts as done.
    Skip,
    /// It happened; the fields are merged into the data.
    ResolveDone(Map<String, Value>),
    /// It did not happen.
    ResolveNotDone,
    /// Take the way back (before the pivot).
    GoBack,
}

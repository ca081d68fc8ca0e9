use serde_json::{Map, Value};

use super::Letter;
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
    /// What another instance or a lock says.
    Letter(Letter),
    /// What came of a call.
    Called(Called),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// The id of the call, as text.
    pub command: String,
    /// What came of it.
    pub outcome: CallOutcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// The service answered.
    Answered {
        /// The status code.
        status: u16,
        /// The headers, their names in lower case.
        headers: Vec<(String, String)>,
        /// The body: JSON, else text, else null.
        body: Value,
    },
    /// There was no answer.
    Failed {
        /// Why, in words.
        reason: String,
        /// Whether surely nothing was sent; else it may have happened.
        unsent: bool,
    },
}

/// What a person did about an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// The act's own id: the same act is obeyed once.
    pub id: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The step that it is about, by name or coordinate (`reserve[2]`); empty means the one that
    /// waits for a person.
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
    /// The answer to an `ask`.
    Answer {
        /// Which of the choices.
        choice: String,
        /// What they want to add, for people.
        note: String,
        /// What they want to add, for the saga: `answer.data`.
        data: Map<String, Value>,
    },
}

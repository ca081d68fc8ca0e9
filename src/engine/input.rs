use serde_json::{Map, Value};

use super::Letter;
use crate::message::{Coordinate, Event, Timestamp};

/// What an instance is told.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Input {
    /// A fact or a reply.
    Event(Event),
    /// Some of its timers are due; see [`super::next_due`].
    Wake(Wake),
    /// What a person did about it.
    Act(Act),
    /// What another instance or a lock says.
    Letter(Letter),
    /// What came of a call.
    Called(Called),
}

/// Which timers strike, and which attempts had no fair chance.
///
/// A timer that is due at T is decided only when everything that users' topics held at T was
/// folded before: whoever wakes an instance says up to when that is so. The moment corresponds to
/// the low watermark of event time in stream processors (Akidau et al., "The Dataflow Model").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wake {
    /// Timers up to this moment strike, later ones do not, even if they are due by now.
    pub until: Timestamp,
    /// Until then the engine could not hear or send: an attempt whose time ran out before gets its
    /// `within` again, once. Without it, or with an early moment, no attempt does.
    pub away_until: Timestamp,
}

impl Wake {
    /// All timers that are due strike, and the engine was never away.
    pub const DUE: Self = Self { until: Timestamp(i64::MAX), away_until: Timestamp(i64::MIN) };
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Called {
    /// The id of the call, as text.
    pub command: String,
    /// What came of it.
    pub outcome: CallOutcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Hash)]
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
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Act {
    /// The act's own id: the same act is obeyed once.
    pub id: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The step that it is about, where only one branch of it waits for a person its name alone;
    /// none means whichever step waits for a person.
    pub step: Option<Coordinate>,
    /// What.
    pub verb: Verb,
    /// When it was signed, where acts are: one that is written again later, by somebody who could
    /// not have signed it, must do nothing.
    pub signed: Option<Timestamp>,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Verb {
    /// Send it again, with a new budget.
    Retry,
    /// Go on as if the step were not there; an undoing counts as done.
    Skip,
    /// It happened; the fields are merged into the data.
    ResolveDone(Map<String, Value>),
    /// It did not happen.
    ResolveNotDone,
    /// Take the way back (before the pivot), because of what is stuck.
    GoBack,
    /// Take the way back, stuck or not, as an event that cancels asks for it.
    Cancel,
    /// Let the saga stand still.
    Pause,
    /// Let it go on.
    Resume,
    /// Set these fields of the data.
    SetData(Map<String, Value>),
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

impl Verb {
    /// The word by which people ask for it.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::ResolveDone(_) => "resolve-done",
            Self::ResolveNotDone => "resolve-not-done",
            Self::GoBack => "go-back",
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::SetData(_) => "set-data",
            Self::Answer { .. } => "answer",
        }
    }

    /// Whether it is about the whole saga, never about one of its steps.
    #[must_use]
    pub fn is_about_the_saga(&self) -> bool {
        match self {
            Self::Cancel | Self::Pause | Self::Resume | Self::SetData(_) => true,
            Self::Retry
            | Self::Skip
            | Self::ResolveDone(_)
            | Self::ResolveNotDone
            | Self::GoBack
            | Self::Answer { .. } => false,
        }
    }
}

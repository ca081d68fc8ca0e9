use serde_json::Value;

use super::{Frame, Lock};
use crate::definition::StepId;
use crate::message::{Event, Hash, InputId, InstanceId, Life, Offset, Timestamp};

/// Everything that is remembered of one saga and key.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub struct Instance {
    /// Oldest first; the last may live, the others have ended and wait for late answers.
    pub generations: Vec<Generation>,
    /// Starts that wait for the end of the living generation.
    pub queued: Vec<Event>,
    /// The last inbox record that was applied; the loop's business, the engine passes it on.
    pub inbox: Offset,
    /// Events that came before what waits for them.
    pub early: Vec<Early>,
    /// Who holds a lock and who waits for it; only of the built-in saga `segue-lock`.
    pub lock: Option<Lock>,
}

/// An event that came before what waits for it.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Early {
    /// The event.
    pub event: Event,
    /// How long it is kept; none means as long as a wait may come for it.
    pub until: Option<Timestamp>,
}

/// One life of an instance, from its start to its end and as long as it is remembered.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Generation {
    /// Which life of the instance it is.
    pub life: Life,
    /// The definition that it runs on, to its end.
    pub definition: Hash,
    /// Forward, or on the way back.
    pub direction: Direction,
    /// What the saga remembers: a JSON object.
    pub data: Value,
    /// When it started.
    pub started: Timestamp,
    /// When the whole-saga deadline strikes.
    pub deadline: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When it is forgotten.
    pub forget: Option<Timestamp>,
    /// The main line.
    pub frame: Frame,
    /// Why it went back.
    pub failure: Option<Failure>,
    /// What a person must see to; empty unless it is stuck.
    pub stuck: Vec<Stuck>,
    /// How many steps have completed or been given up.
    pub completions: u32,
    /// The event or letter that started it.
    pub started_by: InputId,
    /// W3C trace context of whoever started it; empty if there was none.
    pub trace_parent: String,
    /// A cancel or deadline that waits for the outcome of a pivot that was sent.
    pub pending: Option<Box<Failure>>,
    /// How many transitions it has made.
    pub transitions: u64,
    /// Whether a pivot has succeeded: there is only forward.
    pub pivoted: bool,
    /// The cancels and acts that were obeyed, the newest last: each is obeyed once.
    pub seen: Vec<InputId>,
    /// Whose child it is.
    pub parent: Option<Box<Parent>>,
}

/// Whose child an instance is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parent {
    /// The parent.
    pub instance: InstanceId,
    /// Its life.
    pub life: Life,
    /// The coordinate of its step.
    pub step: String,
    /// How often that step has asked.
    pub round: u32,
    /// Whether it has asked the child to take itself back.
    pub taken_back: bool,
    /// Whether it will not take the child back any more.
    pub gone: bool,
}

/// Which way an instance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Step by step towards `completed`.
    #[default]
    Forward,
    /// Undoing, towards `compensated`.
    Back,
}

/// What an instance is, for people and for the table of legal moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// On its way forward.
    Running,
    /// On its way back.
    Compensating,
    /// Ended; all steps done.
    Completed,
    /// Ended; all that may have happened undone.
    Compensated,
    /// A person must act.
    Stuck,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Stuck => "stuck",
        }
    }
}

/// Why the way back was taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The step where it began; empty for the whole saga.
    pub step: String,
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

/// What a person must see to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stuck {
    /// The step.
    pub step: StepId,
    /// Which branch of every fan-out around it, from the outside in.
    pub branch: Vec<u32>,
    /// Whether its undoing is what does not get on.
    pub undoing: bool,
    /// Since when.
    pub since: Timestamp,
    /// What is owed, in words.
    pub reason: String,
}

impl Instance {
    /// The generation that lives, if one does.
    #[must_use]
    pub fn living(&self) -> Option<&Generation> {
        self.generations.last().filter(|g| g.ended.is_none())
    }

    /// The newest generation.
    #[must_use]
    pub fn newest(&self) -> Option<&Generation> {
        self.generations.last()
    }
}

impl Generation {
    /// Whether something must still be undone, or a person must act.
    #[must_use]
    pub fn owes(&self) -> bool {
        !self.stuck.is_empty() || self.frame.owes()
    }

    /// What it is now.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.stuck.is_empty(), self.ended, self.direction) {
            (false, _, _) => Status::Stuck,
            (true, None, Direction::Forward) => Status::Running,
            (true, None, Direction::Back) => Status::Compensating,
            (true, Some(_), Direction::Forward) => Status::Completed,
            (true, Some(_), Direction::Back) => Status::Compensated,
        }
    }
}

use serde_json::Value;

use super::{Direction, Failure, Frame, Paused, Status};
use crate::definition::StepId;
use crate::message::{Coordinate, Hash, InputId, InstanceId, LifeId, Timestamp};

/// One life of an instance, from its start to its end and as long as it is remembered.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Life {
    /// Which life of the instance it is.
    pub id: LifeId,
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
    /// When the last of those was forgotten that there is no room for; none if all are known.
    pub seen_since: Option<Timestamp>,
    /// Whose child it is.
    pub parent: Option<Box<Parent>>,
    /// Set while a person lets it stand still.
    pub paused: Option<Box<Paused>>,
}

/// Whose child an instance is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parent {
    /// The parent.
    pub instance: InstanceId,
    /// Its life.
    pub life: LifeId,
    /// Its step.
    pub step: Coordinate,
    /// How often that step has asked.
    pub round: u32,
    /// Whether it has asked the child to take itself back.
    pub taken_back: bool,
    /// Whether it will not take the child back any more.
    pub gone: bool,
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

impl Life {
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

use serde_json::{Map, Value};

use super::{Direction, Failure, Frame, Hold, Inside, Locked, Progress, Reminder, Request, Stage};
use crate::definition::StepId;
use crate::message::{InputId, Part, Timestamp};

/// A step that was entered.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct StepState {
    /// Which.
    pub step: StepId,
    /// How it stands.
    pub phase: Phase,
    /// Its place in the order of completions; 0 while it runs.
    pub completed: u32,
    /// When its own time is up.
    pub until: Option<Timestamp>,
    /// Its undoing, and a second one for a success that came after the first had ended.
    pub undos: Vec<Request>,
    /// What it keeps of its own.
    pub inside: Inside,
    /// What the answer has set that came after it was given up; its undoings alone read it.
    pub late: Option<Box<Map<String, Value>>>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It was entered and has no outcome yet.
    Running,
    /// It happened.
    Succeeded,
    /// It did not happen.
    Rejected,
    /// It was given up: it may have happened.
    Unknown,
    /// It is left out: its `when` was false, a person said so, its time was up where that is no
    /// failure, or its list turned back before it had sent anything.
    Skipped,
}

impl StepState {
    /// A step that is entered.
    #[must_use]
    pub fn new(step: StepId, phase: Phase) -> Self {
        let inside = Inside::Nothing;
        Self { step, phase, completed: 0, until: None, undos: Vec::new(), inside, late: None }
    }

    /// What was sent for it, or the fact that ended it.
    #[must_use]
    pub fn action(&self) -> Option<&Request> {
        self.inside.requests().0
    }

    pub(in crate::engine) fn action_mut(&mut self) -> Option<&mut Request> {
        self.inside.requests_mut().0
    }

    /// The question whether it happened.
    #[must_use]
    pub fn probe(&self) -> Option<&Request> {
        self.inside.requests().1
    }

    pub(in crate::engine) fn probe_mut(&mut self) -> Option<&mut Request> {
        self.inside.requests_mut().1
    }

    /// One of its requests, if it was made.
    #[must_use]
    pub fn request(&self, part: Part) -> Option<&Request> {
        match part {
            Part::Action => self.action(),
            Part::Probe => self.probe(),
            Part::Undo(run) => self.undos.get((run as usize).checked_sub(1)?),
        }
    }

    /// The same, to be changed.
    pub fn request_mut(&mut self, part: Part) -> Option<&mut Request> {
        match part {
            Part::Action => self.action_mut(),
            Part::Probe => self.probe_mut(),
            Part::Undo(run) => self.undos.get_mut((run as usize).checked_sub(1)?),
        }
    }

    /// Its requests.
    pub fn requests(&self) -> impl Iterator<Item = (Part, &Request)> {
        let (action, probe) = self.inside.requests();
        let action = action.into_iter().map(|request| (Part::Action, request));
        let probe = probe.into_iter().map(|request| (Part::Probe, request));
        let undos = self.undos.iter().zip(1..).map(|(undo, run)| (Part::Undo(run), undo));
        action.chain(probe).chain(undos)
    }

    /// The same, to be changed.
    pub fn requests_mut(&mut self) -> impl Iterator<Item = &mut Request> {
        let (action, probe) = self.inside.requests_mut();
        action.into_iter().chain(probe).chain(&mut self.undos)
    }

    /// The lists of steps in it: its branches, or what stands under its lock.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        self.inside.frames()
    }

    /// The same, to be changed.
    pub fn frames_mut(&mut self) -> &mut [Frame] {
        self.inside.frames_mut()
    }

    /// The keys that it takes or holds, if it is a lock.
    #[must_use]
    pub fn locked(&self) -> Option<&Locked> {
        match &self.inside {
            Inside::Locked(locked) => Some(locked),
            Inside::Nothing
            | Inside::Reminder(_)
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Child(_)
            | Inside::Branched(_) => None,
        }
    }

    /// How its keys stand, if it is a lock.
    #[must_use]
    pub fn hold(&self) -> Option<Hold> {
        self.locked().map(|locked| locked.hold)
    }

    /// Its next reminder.
    #[must_use]
    pub fn reminder(&self) -> Option<Reminder> {
        match &self.inside {
            Inside::Reminder(reminder) => Some(*reminder),
            Inside::Nothing
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Child(_)
            | Inside::Branched(_)
            | Inside::Locked(_) => None,
        }
    }

    /// Why it is rejected once all that is in it is undone.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.inside.failure()
    }

    /// Its own rejection does not count any more.
    pub(in crate::engine) fn forget_failure(&mut self) {
        match &mut self.inside {
            Inside::Child(child) => child.failure = None,
            Inside::Branched(branched) => branched.failure = None,
            Inside::Nothing
            | Inside::Reminder(_)
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Locked(_) => {}
        }
    }

    /// Whether one of its undoings is not over, what is in it is being undone, or it is being
    /// found out whether there is something to undo.
    #[must_use]
    pub fn is_being_undone(&self) -> bool {
        self.undos.iter().any(Request::lacks_answer)
            || self.frames().iter().any(|f| f.direction == Direction::Back && !f.over)
            || (self.phase == Phase::Unknown && self.probe().is_some_and(Request::is_under_way))
            || (!self.undos.is_empty() && self.holds_for_undoing())
    }

    /// A step that is over has no timers of its own.
    pub(in crate::engine) fn rest(&mut self) {
        self.until = None;
        if self.reminder().is_some() {
            self.inside = Inside::Nothing;
        }
    }

    /// Its action has its answer: the id of the event or act that gave it is kept. What was asked
    /// about it is not asked any more.
    pub(in crate::engine) fn answered(&mut self, by: InputId) {
        if let Some(action) = self.action_mut() {
            action.progress = Progress::Answered;
            action.answer = by;
        }
        if let Some(probe) = self.probe_mut().filter(|probe| probe.lacks_answer()) {
            probe.progress = Progress::Answered;
        }
    }

    /// Whether something inside it is being undone.
    #[must_use]
    pub fn owes_inside(&self) -> bool {
        self.frames().iter().any(Frame::owes)
    }

    /// Whether it has, or takes, a lock for what is undone in it.
    fn holds_for_undoing(&self) -> bool {
        self.hold().is_some_and(|hold| hold.stage != Stage::Freed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_small_for_many_are_in_memory_and_each_is_copied_with_its_instance() {
        assert!(size_of::<StepState>() <= 160, "{} bytes", size_of::<StepState>());
    }
}

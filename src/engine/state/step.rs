use super::{Direction, Failure, Frame, Progress, Request};
use crate::definition::StepId;
use crate::message::{InputId, Part, Timestamp};

/// A step that was entered.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct StepState {
    /// Which.
    pub step: StepId,
    /// How it stands.
    pub phase: Phase,
    /// Its request, once it was sent.
    pub action: Option<Request>,
    /// Its undoing, and one more for each late success.
    pub undos: Vec<Request>,
    /// Its place in the order of completions; 0 while it runs.
    pub completed: u32,
    /// The branches of a composite step.
    pub frames: Vec<Frame>,
    /// The question whether it happened.
    pub probe: Option<Box<Request>>,
    /// When its own time is up.
    pub until: Option<Timestamp>,
    /// The next reminder.
    pub remind: Option<Reminder>,
    /// A lock's keys in their order, or a child's key.
    pub keys: Vec<String>,
    /// How a lock stands.
    pub hold: Option<Hold>,
    /// Why it is rejected once all that is in it is undone.
    pub failure: Option<Box<Failure>>,
}

/// The next reminder of a step that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reminder {
    /// When it is told.
    pub at: Timestamp,
    /// How many were told before.
    pub told: u32,
}

/// How a lock step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hold {
    /// What it is at.
    pub stage: Stage,
    /// How many of its keys are held, in their order.
    pub got: u32,
    /// The greatest token of its keys.
    pub fence: u64,
    /// How often it has taken them.
    pub round: u32,
    /// Whether it takes or keeps them only for what is undone late.
    pub late: bool,
}

/// What a lock step is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It asks for its keys, one after the other.
    Taking,
    /// It holds all of them.
    Held,
    /// It has let them go.
    Freed,
}

impl StepState {
    /// A step that is entered.
    #[must_use]
    pub fn new(step: StepId, phase: Phase) -> Self {
        Self {
            step,
            phase,
            action: None,
            undos: Vec::new(),
            completed: 0,
            frames: Vec::new(),
            probe: None,
            until: None,
            remind: None,
            keys: Vec::new(),
            hold: None,
            failure: None,
        }
    }
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
    /// Its `when` was false, or a person skipped it.
    Skipped,
}

impl StepState {
    /// One of its requests, if it was made.
    #[must_use]
    pub fn request(&self, part: Part) -> Option<&Request> {
        match part {
            Part::Action => self.action.as_ref(),
            Part::Probe => self.probe.as_deref(),
            Part::Undo(run) => self.undos.get((run as usize).checked_sub(1)?),
        }
    }

    /// The same, to be changed.
    pub fn request_mut(&mut self, part: Part) -> Option<&mut Request> {
        match part {
            Part::Action => self.action.as_mut(),
            Part::Probe => self.probe.as_deref_mut(),
            Part::Undo(run) => self.undos.get_mut((run as usize).checked_sub(1)?),
        }
    }

    /// Its requests.
    pub fn requests(&self) -> impl Iterator<Item = (Part, &Request)> {
        let action = self.action.iter().map(|request| (Part::Action, request));
        let probe = self.probe.as_deref().into_iter().map(|request| (Part::Probe, request));
        let undos = self.undos.iter().zip(1..).map(|(undo, run)| (Part::Undo(run), undo));
        action.chain(probe).chain(undos)
    }

    /// Whether one of its undoings is not over, what is in it is being undone, or it is being
    /// found out whether there is something to undo.
    #[must_use]
    pub fn is_being_undone(&self) -> bool {
        self.undos.iter().any(Request::lacks_answer)
            || self.frames.iter().any(|f| f.direction == Direction::Back && !f.over)
            || (self.phase == Phase::Unknown && self.probe.as_deref().is_some_and(Request::is_sent))
            || (!self.undos.is_empty() && self.holds_for_undoing())
    }

    /// A step that is over has no timers of its own.
    pub(in crate::engine) fn rest(&mut self) {
        self.until = None;
        self.remind = None;
    }

    /// Its action has its answer: the id of the event or act that gave it is kept. What was asked
    /// about it is not asked any more.
    pub(in crate::engine) fn answered(&mut self, by: InputId) {
        if let Some(action) = &mut self.action {
            action.progress = Progress::Answered;
            action.answer = by;
        }
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.lacks_answer()) {
            probe.progress = Progress::Answered;
        }
    }

    /// Whether something inside it is being undone.
    #[must_use]
    pub fn owes_inside(&self) -> bool {
        self.frames.iter().any(Frame::owes)
    }

    /// Whether it has, or takes, a lock for what is undone in it.
    fn holds_for_undoing(&self) -> bool {
        self.hold.is_some_and(|hold| hold.stage != Stage::Freed)
    }
}

use serde_json::{Map, Value};

use super::{Direction, Failure};
use crate::definition::{BlockId, StepId};
use crate::message::{InputId, Timestamp};

/// A list of steps under way: the main line, or one branch of a composite step.
///
/// Many instances are in memory at once, so what few of them have is boxed.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub struct Frame {
    /// Which list of the definition.
    pub block: BlockId,
    /// The next step's place in that list.
    pub position: u32,
    /// The steps that were entered, in their order.
    pub steps: Vec<StepState>,
    /// Which way a branch goes; the main line goes the generation's way.
    pub direction: Direction,
    /// Whether a branch is over: done on its way forward, undone on its way back.
    pub over: bool,
    /// A branch's place among those of its step.
    pub index: u32,
    /// The element of the list that a fan-out's branch is for.
    pub item: Option<Box<Value>>,
    /// A branch's own fields: what a fan-out's branch reads as `branch`; what a branch of a race
    /// has set, which is in the data once it has won.
    pub fields: Map<String, Value>,
    /// Why a branch went back on its own.
    pub failure: Option<Box<Failure>>,
}

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

/// A request and its attempts.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Request {
    /// All that were ever sent; the next one's number is one more.
    pub attempts: u32,
    /// Those of the present budget.
    pub spent: u32,
    /// When the present budget began.
    pub since: Timestamp,
    /// What is awaited.
    pub progress: Progress,
    /// The event, act, letter or call that answered; none while nothing did.
    pub answer: InputId,
    /// So many attempts, from the first one on, surely never left: of calls only.
    pub unsent: u32,
    /// Whether the present attempt got its time a second time, for the engine was away when it
    /// ran out.
    pub extended: bool,
}

/// What a request awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// A reply, until then.
    Waiting(Timestamp),
    /// The next attempt, then.
    Pausing(Timestamp),
    /// Nothing: a reply came, or none is needed.
    Answered,
    /// Nothing, but a late reply still counts.
    GivenUp,
    /// A person.
    Parked,
    /// An answer that may take as long as it likes: another instance's.
    Open,
}

impl Frame {
    /// Whether something in it is being undone.
    pub(super) fn owes(&self) -> bool {
        self.steps.iter().any(|s| s.is_being_undone() || s.frames.iter().any(Self::owes))
    }
}

impl StepState {
    /// Whether one of its undoings is not over, what is in it is being undone, or it is being
    /// found out whether there is something to undo.
    #[must_use]
    pub fn is_being_undone(&self) -> bool {
        self.undos.iter().any(Request::lacks_answer)
            || self.frames.iter().any(|f| f.direction == Direction::Back && !f.over)
            || (self.phase == Phase::Unknown && self.probe.as_deref().is_some_and(Request::is_sent))
            || (!self.undos.is_empty() && self.holds_for_undoing())
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

impl Request {
    /// Whether it waits for a reply, or for the time to send it again.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self.progress, Progress::Waiting(_) | Progress::Pausing(_))
    }

    /// Whether it is an undoing that waits for the lock around its step.
    #[must_use]
    pub fn awaits_lock(&self) -> bool {
        self.progress == Progress::Open && self.attempts == 0
    }

    /// Whether none of its attempts has left: then it surely did not happen.
    #[must_use]
    pub fn never_left(&self) -> bool {
        self.attempts > 0 && self.unsent == self.attempts
    }

    /// Whether a reply would still be taken.
    #[must_use]
    pub fn lacks_answer(&self) -> bool {
        self.progress != Progress::Answered
    }
}

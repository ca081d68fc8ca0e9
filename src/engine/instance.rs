use serde_json::{Map, Value};

use super::Lock;
use crate::definition::{BlockId, StepId};
use crate::message::{Event, Hash, InstanceId, Offset, Timestamp};

/// Everything that is remembered of one saga and key.
#[derive(Debug, Clone, PartialEq, Default)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct Early {
    /// The event.
    pub event: Event,
    /// How long it is kept; none means as long as a wait may come for it.
    pub until: Option<Timestamp>,
}

/// One life of an instance, from its start to its end and as long as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u32,
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
    /// The id of the event that started it.
    pub started_by: String,
    /// W3C trace context of whoever started it; empty if there was none.
    pub trace_parent: String,
    /// A cancel or deadline that waits for the outcome of a pivot that was sent.
    pub pending: Option<Failure>,
    /// How many transitions it has made.
    pub transitions: u64,
    /// Whether a pivot has succeeded: there is only forward.
    pub pivoted: bool,
    /// Ids of the cancels and acts that were obeyed, the newest last: each is obeyed once.
    pub seen: Vec<String>,
    /// Whose child it is.
    pub parent: Option<Parent>,
}

/// Whose child an instance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The parent.
    pub instance: InstanceId,
    /// Its life.
    pub generation: u32,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// A list of steps under way: the main line, or one branch of a composite step.
#[derive(Debug, Clone, PartialEq, Default)]
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
    pub item: Option<Value>,
    /// A branch's own fields: what a fan-out's branch reads as `branch`; what a branch of a race
    /// has set, which is in the data once it has won.
    pub fields: Map<String, Value>,
    /// Why a branch went back on its own.
    pub failure: Option<Failure>,
}

/// A step that was entered.
#[derive(Debug, Clone, PartialEq)]
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
    pub probe: Option<Request>,
    /// When its own time is up.
    pub until: Option<Timestamp>,
    /// The next reminder.
    pub remind: Option<Reminder>,
    /// A lock's keys in their order, or a child's key.
    pub keys: Vec<String>,
    /// How a lock stands.
    pub hold: Option<Hold>,
    /// Why it is rejected once all that is in it is undone.
    pub failure: Option<Failure>,
}

/// The next reminder of a step that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// When it is told.
    pub at: Timestamp,
    /// How many were told before.
    pub told: u32,
}

/// How a lock step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// What it is at.
    pub stage: Stage,
    /// How many of its keys are held, in their order.
    pub got: u32,
    /// The greatest token of its keys.
    pub fence: u64,
    /// How often it has taken them.
    pub round: u32,
}

/// What a lock step is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// All that were ever sent; the next one's number is one more.
    pub attempts: u32,
    /// Those of the present budget.
    pub spent: u32,
    /// When the present budget began.
    pub since: Timestamp,
    /// What is awaited.
    pub progress: Progress,
    /// The id of the event that answered; empty while none did.
    pub answer: String,
}

/// What a request awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Why the way back was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step where it began; empty for the whole saga.
    pub step: String,
    /// What kind of thing it was.
    pub kind: FailureKind,
    /// Why, in words.
    pub reason: String,
}

/// What kind of thing made the saga go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Frame {
    /// Whether something in it is being undone.
    fn owes(&self) -> bool {
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
            || (self.phase == Phase::Unknown && self.probe.as_ref().is_some_and(Request::is_sent))
            || (!self.undos.is_empty() && self.holds_for_undoing())
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

    /// Whether a reply would still be taken.
    #[must_use]
    pub fn lacks_answer(&self) -> bool {
        self.progress != Progress::Answered
    }
}

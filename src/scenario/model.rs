use std::ops::Range;

use serde_json::Value;

use crate::engine::{CallOutcome, Say, Status, Verb};
use crate::message::{Address, Span};

/// A test of a definition as data: what happens, and all that the engine must do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it shows, for people.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// What starts the instance.
    pub(crate) given: Given,
    /// What happens then.
    pub(crate) run: Vec<Step>,
}

/// What starts the instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub line: u32,
    pub by: Starter,
    /// The record's key; a child's own.
    pub key: Option<String>,
    pub body: Value,
}

/// Who starts the instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Starter {
    /// An event.
    Event(Identity),
    /// Another saga, whose child it is.
    Parent,
}

/// Who an event is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    pub on: Address,
    /// Without it the event names no source.
    pub source: Option<String>,
    pub id: String,
}

/// One step, its line in the file, from 1, and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub line: u32,
    pub span: Range<usize>,
    pub does: Does,
}

/// What a step does or checks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Does {
    /// These messages and no others, in this order.
    Expect(Vec<Expected>),
    /// An event is read.
    Event(Told),
    /// A call comes back.
    Called(Returned),
    /// A child says something.
    Child(ChildSays),
    /// The parent says something.
    Parent(ToChild),
    /// Somebody else takes a lock.
    Held(String),
    /// They let it go.
    Freed(String),
    /// The input before it was declined.
    Rejected(Declined),
    /// Time passes.
    Pass(Span),
    /// Time passes while the engine stands still.
    Down(Span),
    /// A person acts or answers.
    Act(Acted),
    /// How the instance stands.
    End(Stand),
    /// What the saga remembers.
    Data(Value),
}

/// How the instance stands, as far as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stand {
    pub how: How,
    /// Where it went back, or is stuck.
    pub at: Option<String>,
    /// What kind of thing made it go back.
    pub because: Option<&'static str>,
    /// Whether it is stuck on the undoing of a step.
    pub undoing: Option<bool>,
}

/// How an instance can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// So.
    Is(Status),
    /// It has ended, one way or the other.
    Ended,
    /// It is not remembered any more.
    Forgotten,
}

impl How {
    pub const ALL: [(&'static str, Self); 7] = [
        ("running", Self::Is(Status::Running)),
        ("compensating", Self::Is(Status::Compensating)),
        ("stuck", Self::Is(Status::Stuck)),
        ("completed", Self::Is(Status::Completed)),
        ("compensated", Self::Is(Status::Compensated)),
        ("ended", Self::Ended),
        ("forgotten", Self::Forgotten),
    ];

    /// The word for it.
    pub fn text(self) -> &'static str {
        word(&Self::ALL, self)
    }
}

/// An event as a scenario tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub on: Address,
    pub key: Option<String>,
    pub source: Option<String>,
    pub id: Option<String>,
    pub body: Value,
    pub answers: Answers,
}

/// Which command an event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answers {
    /// The latest one that takes such an answer, of those without an answer if there are any;
    /// none if there is none.
    Latest,
    /// None: it finds its instance by its key.
    ByKey,
    /// This one: `step/attempt`, `life/step/attempt`, or a whole id.
    Command(String),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Returned {
    /// Which; none means the latest without an answer.
    pub command: Option<String>,
    pub outcome: CallOutcome,
}

/// What a child says to its parent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChildSays {
    /// The coordinate of the parent's step.
    pub step: String,
    pub says: ToParent,
    pub data: Value,
    pub reason: String,
}

/// What a child can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToParent {
    Completed,
    Compensated,
    Taken,
    TakenBack,
    Kept,
}

impl ToParent {
    pub const ALL: [(&'static str, Self); 5] = [
        ("completed", Self::Completed),
        ("compensated", Self::Compensated),
        ("taken", Self::Taken),
        ("taken-back", Self::TakenBack),
        ("kept", Self::Kept),
    ];

    /// What a letter tells a parent; none if it tells no parent anything.
    pub fn of(say: &Say) -> Option<Self> {
        match say {
            Say::Ended { completed: true, .. } => Some(Self::Completed),
            Say::Ended { completed: false, .. } => Some(Self::Compensated),
            Say::Taken => Some(Self::Taken),
            Say::TakenBack => Some(Self::TakenBack),
            Say::Kept => Some(Self::Kept),
            Say::Start { .. }
            | Say::TakeBack { .. }
            | Say::ParentGone
            | Say::Acquire { .. }
            | Say::Release { .. }
            | Say::Withdraw
            | Say::Granted { .. }
            | Say::Full => None,
        }
    }

    /// The word for it.
    pub fn text(self) -> &'static str {
        word(&Self::ALL, self)
    }
}

/// What a parent can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToChild {
    Start,
    TakeBack,
    LetGo,
}

impl ToChild {
    pub const ALL: [(&'static str, Self); 3] =
        [("start", Self::Start), ("take-back", Self::TakeBack), ("let-go", Self::LetGo)];
    /// What a scenario shows of a parent.
    pub const SEEN: [(&'static str, Self); 2] =
        [("start", Self::Start), ("take-back", Self::TakeBack)];
    /// What a scenario can tell a child that runs.
    pub const TOLD: [(&'static str, Self); 2] =
        [("take-back", Self::TakeBack), ("let-go", Self::LetGo)];

    /// What a letter tells a child; none if it tells no child anything.
    pub fn of(say: &Say) -> Option<Self> {
        match say {
            Say::Start { .. } => Some(Self::Start),
            Say::TakeBack { .. } => Some(Self::TakeBack),
            Say::ParentGone => Some(Self::LetGo),
            Say::Ended { .. }
            | Say::Taken
            | Say::TakenBack
            | Say::Kept
            | Say::Acquire { .. }
            | Say::Release { .. }
            | Say::Withdraw
            | Say::Granted { .. }
            | Say::Full => None,
        }
    }

    /// The word for it.
    pub fn text(self) -> &'static str {
        word(&Self::ALL, self)
    }
}

/// The word for one of some choices.
fn word<T: Copy + PartialEq>(all: &[(&'static str, T)], one: T) -> &'static str {
    all.iter().find(|(_, own)| *own == one).map_or("", |(word, _)| word)
}

/// A message that must be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expected {
    pub what: What,
    pub with: Option<Value>,
    pub key: Option<String>,
    pub headers: Vec<(String, Value)>,
    pub attempt: Option<u32>,
    pub times: Times,
}

/// What kind of message, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Command(Address),
    Fact(Address),
    /// `POST https://fraud.internal/v1/scores`.
    Call(String),
    Question {
        who: String,
        text: Option<String>,
        choices: Option<Vec<String>>,
    },
    Child {
        saga: String,
        says: ToChild,
    },
    Parent(ToParent),
    /// What people are told that is no message, or a part of it.
    Complaint(String),
}

/// How often a message must be sent, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Exactly(u32),
    /// At least once.
    Any,
}

/// How an input can be declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declined {
    Duplicate,
    Ignored,
    Unmatched,
    Refused,
}

impl Declined {
    pub const ALL: [(&'static str, Self); 4] = [
        ("duplicate", Self::Duplicate),
        ("ignored", Self::Ignored),
        ("unmatched", Self::Unmatched),
        ("refused", Self::Refused),
    ];

    /// The word for it.
    pub fn text(self) -> &'static str {
        word(&Self::ALL, self)
    }
}

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Acted {
    pub verb: Verb,
    pub step: String,
    pub by: String,
    pub why: String,
}

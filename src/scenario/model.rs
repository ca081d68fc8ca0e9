use serde_json::Value;

use crate::engine::{Status, Verb};
use crate::message::{Address, Span};

/// A test of a definition as data: what happens, and all that the engine must do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it shows, for people.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// The event that starts the instance.
    pub(super) given: Told,
    /// What happens then.
    pub(super) run: Vec<Step>,
}

/// One step and its line in the file, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub line: u32,
    pub does: Does,
}

/// What a step does or checks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Does {
    /// These messages and no others, in this order.
    Expect(Vec<Expected>),
    /// An event is read.
    Event(Told),
    /// The input before it was declined.
    Rejected(Declined),
    /// Time passes.
    Pass(Span),
    /// A person acts.
    Act(Acted),
    /// How the instance stands; none means that it is forgotten.
    End(Option<Status>),
    /// What the saga remembers.
    Data(Value),
}

/// An event as a scenario tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub line: u32,
    pub on: Address,
    pub key: Option<String>,
    pub id: Option<String>,
    pub body: Value,
    pub answers: Answers,
}

/// Which command an event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answers {
    /// The latest one that takes such an answer, none if there is none.
    Latest,
    /// None: it finds its instance by its key.
    ByKey,
    /// This one: `step/attempt`, `generation/step/attempt`, or a whole id.
    Command(String),
}

/// A message that must be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    pub is_command: bool,
    pub to: Address,
    pub with: Option<Value>,
    pub key: Option<String>,
    pub headers: Vec<(String, Value)>,
    pub attempt: Option<u32>,
    pub times: Times,
}

/// How often a message must be sent, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Exactly(u32),
    /// At least once.
    Any,
}

/// How an input can be declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declined {
    Duplicate,
    Ignored,
    Unmatched,
    Refused,
}

impl Declined {
    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Unmatched => "unmatched",
            Self::Refused => "refused",
        }
    }
}

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Acted {
    pub verb: Verb,
    pub step: String,
    pub by: String,
    pub why: String,
}

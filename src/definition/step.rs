use super::action::{CallStep, CommandStep, EmitStep};
use super::block::{BlockId, StepId};
use super::composite::{ChooseStep, EachStep, LockStep, ParallelStep};
use super::fact::Assignment;
use super::waiting::{AskStep, SagaStep, Sleep, WaitStep};
use crate::expression::{Expression, Template};
use crate::message::StepName;

/// A unit of the saga.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its place.
    pub id: StepId,
    /// The list of steps that it stands in.
    pub block: BlockId,
    /// Its name; made from its kind and place for a `set` or `fail` without one.
    pub name: StepName,
    /// What it does, for people.
    pub title: Option<String>,
    /// Skip it if this is false: CEL over `data`.
    pub when: Option<Expression>,
    /// What its success writes into the data.
    pub set: Vec<Assignment>,
    /// After it there is only forward.
    pub pivot: bool,
    /// Whether a pivot may have succeeded before it comes (the pivot itself does not count).
    pub after_pivot: bool,
    /// What it does.
    pub kind: StepKind,
    /// The line of the file where it starts, from 1.
    pub line: u32,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // A definition has few steps, and they are never moved.
pub enum StepKind {
    /// A request to a participant.
    Command(CommandStep),
    /// A fact told to the world.
    Emit(EmitStep),
    /// Data only.
    Set,
    /// The way back from here, with a reason.
    Fail(Template),
    /// Waits for a fact.
    Wait(WaitStep),
    /// Waits for a time.
    Sleep(Sleep),
    /// Asks a person.
    Ask(AskStep),
    /// A request over HTTP, done by the engine.
    Call(CallStep),
    /// Another saga, as a child.
    Saga(SagaStep),
    /// Named branches beside each other.
    Parallel(ParallelStep),
    /// One branch for each element of a list.
    Each(EachStep),
    /// One of several branches.
    Choose(ChooseStep),
    /// Steps that nobody else does at the same time with the same keys.
    Lock(LockStep),
}

impl StepKind {
    /// The word that a file begins it with; `sleep` for `until` too.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Emit(_) => "emit",
            Self::Set => "set",
            Self::Fail(_) => "fail",
            Self::Wait(_) => "wait",
            Self::Sleep(_) => "sleep",
            Self::Ask(_) => "ask",
            Self::Call(_) => "call",
            Self::Saga(_) => "saga",
            Self::Parallel(_) => "parallel",
            Self::Each(_) => "each",
            Self::Choose(_) => "choose",
            Self::Lock(_) => "lock",
        }
    }
}

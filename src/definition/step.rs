use super::call::{CallRequest, CallStep};
use super::composite::{ChooseStep, EachStep, LockStep, ParallelStep};
use super::waiting::{AskStep, SagaStep, Sleep, WaitStep};
use super::{Assignment, Fact};
use crate::expression::{Expression, Template};
use crate::message::{Address, Span, StepName};

/// A step's place in its definition's file, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// A list of steps in its definition, counted from 0: the main line is 0, then the blocks of
/// composite steps in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockId(pub u32);

impl BlockId {
    /// The main line.
    pub const MAIN: Self = Self(0);
}

/// A list of steps that follow one another: the main line, or one branch of a composite step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The steps, in their order.
    pub steps: Vec<StepId>,
    /// The composite step that it belongs to; none for the main line.
    pub owner: Option<StepId>,
    /// A named branch's name; empty for all others.
    pub name: String,
}

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

/// A request over Kafka and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandStep {
    /// The request itself.
    pub request: Request,
    /// The business "no".
    pub failed: Vec<Failed>,
    /// What to do when the attempts are spent and it may have happened.
    pub unknown: Unknown,
    /// The question whether it happened; always there with [`Unknown::Probe`].
    pub probe: Option<Probe>,
    /// How it is undone.
    pub compensate: Compensation,
}

/// A command, the replies that say it is done, and how often it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The command.
    pub command: Address,
    /// The record's key; without it the instance's key.
    pub key: Option<Expression>,
    /// The body; none means `{}`.
    pub with: Option<Template>,
    /// More headers.
    pub headers: Vec<(String, Template)>,
    /// The replies that say it is done.
    pub done: Vec<Done>,
    /// How long one attempt may take.
    pub within: Span,
    /// How often and how soon it is sent again.
    pub retry: Retry,
}

/// The question whether an action happened. That it is `done` says yes; what its reply sets
/// replaces the step's own `set`.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The question itself; it is repeated like any request.
    pub request: Request,
    /// The replies that say that it did not happen; never with a `set`.
    pub absent: Vec<Done>,
}

/// A reply that says that a request is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The event.
    pub on: Address,
    /// Which of them: CEL over `event` and `data`.
    pub condition: Option<Expression>,
    /// What it writes into the data, in place of the step's own `set`.
    pub set: Option<Vec<Assignment>>,
}

/// A reply that says no.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// The event.
    pub on: Address,
    /// Which of them: CEL over `event` and `data`.
    pub condition: Option<Expression>,
    /// Why, in the participant's words: CEL over `event`.
    pub reason: Option<Expression>,
    /// What it writes into the data; only with `then: go-on`.
    pub set: Vec<Assignment>,
    /// What it means for the saga.
    pub then: Then,
}

/// What a business "no" means for the saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The way back.
    GoBack,
    /// The saga deals with it.
    GoOn,
    /// A person must act.
    Park,
}

/// What to do about an action that may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Go back; undo it as if it had happened.
    Compensate,
    /// Ask the participant whether it happened.
    Probe,
    /// Keep sending for 24 hours, then park.
    Retry,
    /// Park.
    Park,
}

/// How often a request is sent, and the pauses between: `first`, then `factor` times longer each
/// time, `most` at the most; jittered, the same for the same instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// When to stop.
    pub budget: Budget,
    /// The first pause.
    pub first: Span,
    /// How much longer each pause is than the one before it, at least 1.
    pub factor: f64,
    /// The longest pause.
    pub most: Span,
}

/// When a request is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// After so many attempts, at least 1.
    Attempts(u32),
    /// After so long, counted from the first.
    For(Span),
}

/// How a step is undone.
#[derive(Debug, Clone, PartialEq)]
pub enum Compensation {
    /// Nothing was said: right only from the pivot on.
    Unsaid,
    /// `none`: there is nothing to undo.
    Nothing,
    /// By a request; `set` is what its success writes into the data.
    Command {
        /// The request.
        request: Request,
        /// What its success writes into the data.
        set: Vec<Assignment>,
    },
    /// By the correcting fact.
    Emit(Fact),
    /// By a call; `set` is what its success writes into the data.
    Call {
        /// The call.
        request: CallRequest,
        /// What its success writes into the data.
        set: Vec<Assignment>,
    },
    /// The child takes itself back.
    Child,
}

/// A fact as a step, and what corrects it.
#[derive(Debug, Clone, PartialEq)]
pub struct EmitStep {
    /// The fact.
    pub fact: Fact,
    /// How it is taken back.
    pub compensate: Compensation,
}

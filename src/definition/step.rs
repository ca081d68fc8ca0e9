use super::{Assignment, Fact};
use crate::expression::{Expression, Template};
use crate::message::{Address, Span, StepName};

/// A step's place in its definition's file, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// A unit of the saga.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its place.
    pub id: StepId,
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
    /// Whether it stands behind the pivot of its line (the pivot itself does not).
    pub after_pivot: bool,
    /// What it does.
    pub kind: StepKind,
    /// The line of the file where it starts, from 1.
    pub line: u32,
}

impl Step {
    /// Where its messages go, those that undo it too.
    pub fn sends(&self) -> impl Iterator<Item = &Address> {
        let (own, undo) = match &self.kind {
            StepKind::Command(command) => (Some(&command.request.command), &command.compensate),
            StepKind::Emit(emit) => (Some(&emit.fact.to), &emit.compensate),
            StepKind::Set | StepKind::Fail(_) => (None, &Compensation::Nothing),
        };
        let undo = match undo {
            Compensation::Command { request, .. } => Some(&request.command),
            Compensation::Emit(fact) => Some(&fact.to),
            Compensation::Unsaid | Compensation::Nothing => None,
        };
        own.into_iter().chain(undo)
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// A request to a participant.
    Command(CommandStep),
    /// A fact told to the world.
    Emit(EmitStep),
    /// Data only.
    Set,
    /// The way back from here, with a reason.
    Fail(Template),
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
}

/// A fact as a step, and what corrects it.
#[derive(Debug, Clone, PartialEq)]
pub struct EmitStep {
    /// The fact.
    pub fact: Fact,
    /// How it is taken back.
    pub compensate: Compensation,
}

use super::fact::Assignment;
use super::verdict::Then;
use crate::expression::{Expression, Template};
use crate::message::{Address, Span};

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

use super::{Compensation, Done, Fact, Failed, Verdict};
use crate::expression::{Expression, Template};
use crate::message::{SagaName, Span};

/// Waits for a fact; one that came before the step was kept for it.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitStep {
    /// The facts that it waits for.
    pub on: Vec<Done>,
    /// The facts that say no.
    pub failed: Vec<Failed>,
    /// How long it waits.
    pub within: Option<Span>,
    /// What it means that the time is up.
    pub late: Late,
    /// What is told while it waits.
    pub remind: Option<Remind>,
}

/// What it means that a `wait` or `ask` has waited long enough.
#[derive(Debug, Clone, PartialEq)]
pub enum Late {
    /// It is rejected, kind deadline.
    Fail(Verdict),
    /// The saga goes on behind it.
    GoOn,
}

/// A fact that is told again and again while a step waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Remind {
    /// How long after the step began.
    pub after: Span,
    /// How long between two; none tells it once.
    pub every: Option<Span>,
    /// The fact.
    pub fact: Fact,
}

/// Waits for a time.
#[derive(Debug, Clone, PartialEq)]
pub enum Sleep {
    /// So long.
    For(Span),
    /// Until a moment: CEL over `data`, a timestamp or RFC 3339 text.
    Until(Expression),
}

/// Asks a person.
#[derive(Debug, Clone, PartialEq)]
pub struct AskStep {
    /// Who: a role or queue.
    pub who: String,
    /// What they are asked.
    pub question: Template,
    /// What they can answer, in the author's order.
    pub choices: Vec<Choice>,
    /// How long they have.
    pub within: Option<Span>,
    /// What it means that the time is up.
    pub late: Late,
    /// What is told while they think.
    pub remind: Option<Remind>,
}

/// One answer that a person can give.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its name, `answer.choice`.
    pub name: String,
    /// What it means: none that the step is done, else that it is rejected.
    pub failed: Option<Verdict>,
}

/// Another saga, as a child: it ends, then this step does.
#[derive(Debug, Clone, PartialEq)]
pub struct SagaStep {
    /// Which.
    pub saga: SagaName,
    /// The child's key; none means the instance's key, `/`, and the step's coordinate.
    pub key: Option<Expression>,
    /// The body of its start; none means `{}`.
    pub with: Option<Template>,
    /// How long it may take.
    pub within: Option<Span>,
    /// What it means that the child was compensated, or that the time is up.
    pub failed: Verdict,
    /// How it is undone.
    pub compensate: Compensation,
}

use crate::definition::{
    AskStep, CallStep, ChooseStep, CommandStep, EachStep, EmitStep, LockStep, ParallelStep, Remind,
    Retry, SagaStep, Sleep, Step, StepKind, Unknown, Verdict, WaitStep,
};
use crate::expression::Template;
use crate::message::Span;

/// What sort of step it is: each kind of step belongs to one.
#[derive(Debug, Clone, Copy)]
pub enum Nature<'d> {
    /// It is over in the transition that enters it.
    Instant(Instant<'d>),
    /// It is tried until somebody answers, or its attempts are spent.
    Attempted(Attempted<'d>),
    /// It waits for what others do, or for a time.
    Waiting(Waiting<'d>),
    /// It has steps in it.
    Composite(Composite<'d>),
}

/// A step that is over in the transition that enters it.
#[derive(Debug, Clone, Copy)]
pub enum Instant<'d> {
    /// A fact told to the world.
    Emit(&'d EmitStep),
    /// Data only.
    Set,
    /// The way back, with a reason.
    Fail(&'d Template),
}

/// A step that is tried until somebody answers.
#[derive(Debug, Clone, Copy)]
pub enum Attempted<'d> {
    /// A request over Kafka.
    Command(&'d CommandStep),
    /// A request over HTTP.
    Call(&'d CallStep),
}

/// A step that waits for what others do, or for a time.
#[derive(Debug, Clone, Copy)]
pub enum Waiting<'d> {
    /// For a fact.
    Fact(&'d WaitStep),
    /// For a time.
    Time(&'d Sleep),
    /// For a person's answer.
    Person(&'d AskStep),
    /// For the end of a child.
    Child(&'d SagaStep),
}

/// A step with steps in it.
#[derive(Debug, Clone, Copy)]
pub enum Composite<'d> {
    /// Named branches beside each other.
    Parallel(&'d ParallelStep),
    /// One branch for each element of a list.
    Each(&'d EachStep),
    /// One of several branches.
    Choose(&'d ChooseStep),
    /// Steps under a lock.
    Lock(&'d LockStep),
}

impl<'d> Instant<'d> {
    /// The fact that it tells, if it tells one.
    #[must_use]
    pub fn emitted(self) -> Option<&'d EmitStep> {
        match self {
            Self::Emit(emit) => Some(emit),
            Self::Set | Self::Fail(_) => None,
        }
    }

    /// The reason with which it turns the saga back, if it does.
    #[must_use]
    pub fn reason(self) -> Option<&'d Template> {
        match self {
            Self::Fail(reason) => Some(reason),
            Self::Emit(_) | Self::Set => None,
        }
    }
}

impl Step {
    /// What sort of step it is.
    #[must_use]
    pub fn nature(&self) -> Nature<'_> {
        match &self.kind {
            StepKind::Emit(emit) => Nature::Instant(Instant::Emit(emit)),
            StepKind::Set => Nature::Instant(Instant::Set),
            StepKind::Fail(reason) => Nature::Instant(Instant::Fail(reason)),
            StepKind::Command(command) => Nature::Attempted(Attempted::Command(command)),
            StepKind::Call(call) => Nature::Attempted(Attempted::Call(call)),
            StepKind::Wait(wait) => Nature::Waiting(Waiting::Fact(wait)),
            StepKind::Sleep(sleep) => Nature::Waiting(Waiting::Time(sleep)),
            StepKind::Ask(ask) => Nature::Waiting(Waiting::Person(ask)),
            StepKind::Saga(child) => Nature::Waiting(Waiting::Child(child)),
            StepKind::Parallel(parallel) => Nature::Composite(Composite::Parallel(parallel)),
            StepKind::Each(each) => Nature::Composite(Composite::Each(each)),
            StepKind::Choose(choose) => Nature::Composite(Composite::Choose(choose)),
            StepKind::Lock(lock) => Nature::Composite(Composite::Lock(lock)),
        }
    }

    /// The step as one with steps in it; none if it has none.
    #[must_use]
    pub fn composite(&self) -> Option<Composite<'_>> {
        match self.nature() {
            Nature::Composite(composite) => Some(composite),
            Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) => None,
        }
    }

    /// The step as one that is tried until somebody answers; none if it is not.
    #[must_use]
    pub fn attempted(&self) -> Option<Attempted<'_>> {
        match self.nature() {
            Nature::Attempted(attempted) => Some(attempted),
            Nature::Instant(_) | Nature::Waiting(_) | Nature::Composite(_) => None,
        }
    }

    /// The step as one that waits for what others do, or for a time; none if it does not.
    #[must_use]
    pub fn waiting(&self) -> Option<Waiting<'_>> {
        match self.nature() {
            Nature::Waiting(waiting) => Some(waiting),
            Nature::Instant(_) | Nature::Attempted(_) | Nature::Composite(_) => None,
        }
    }

    /// The limit of a step that has one: how long it waits, or how long all in it may take. The
    /// limit of an attempt is the request's.
    #[must_use]
    pub fn within(&self) -> Option<Span> {
        match self.nature() {
            Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(Waiting::Time(_)) => None,
            Nature::Waiting(Waiting::Fact(wait)) => wait.within,
            Nature::Waiting(Waiting::Person(ask)) => ask.within,
            Nature::Waiting(Waiting::Child(child)) => child.within,
            Nature::Composite(composite) => composite.within(),
        }
    }

    /// What is told again and again while it waits.
    #[must_use]
    pub fn remind(&self) -> Option<&Remind> {
        match self.waiting()? {
            Waiting::Fact(wait) => wait.remind.as_ref(),
            Waiting::Person(ask) => ask.remind.as_ref(),
            Waiting::Time(_) | Waiting::Child(_) => None,
        }
    }

    /// What its rejection means where no event says so: its child, its branches or its time do.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match self.nature() {
            Nature::Waiting(Waiting::Child(child)) => Some(&child.failed),
            Nature::Composite(composite) => Some(composite.failed()),
            Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) => None,
        }
    }

    /// Whether a deadline or a cancel can come while the step itself runs, whatever is in it.
    #[must_use]
    pub fn takes_time(&self) -> bool {
        match self.nature() {
            Nature::Attempted(_) | Nature::Waiting(_) => true,
            Nature::Composite(composite) => matches!(composite, Composite::Lock(_)),
            Nature::Instant(_) => false,
        }
    }
}

impl<'d> Attempted<'d> {
    /// How long one attempt may take.
    #[must_use]
    pub fn within(self) -> Span {
        match self {
            Self::Command(command) => command.request.within,
            Self::Call(call) => call.request.within,
        }
    }

    /// How often and how soon it is tried again.
    #[must_use]
    pub fn retry(self) -> &'d Retry {
        match self {
            Self::Command(command) => &command.request.retry,
            Self::Call(call) => &call.request.retry,
        }
    }

    /// What to do when the attempts are spent and it may have happened.
    #[must_use]
    pub fn unknown(self) -> Unknown {
        match self {
            Self::Command(command) => command.unknown,
            Self::Call(call) => call.unknown,
        }
    }
}

impl<'d> Composite<'d> {
    /// What its own rejection means.
    #[must_use]
    pub fn failed(self) -> &'d Verdict {
        match self {
            Self::Parallel(parallel) => &parallel.failed,
            Self::Each(each) => &each.failed,
            Self::Choose(choose) => &choose.failed,
            Self::Lock(lock) => &lock.failed,
        }
    }

    /// How long all of it may take; of a lock, how long it may take to get the keys.
    #[must_use]
    pub fn within(self) -> Option<Span> {
        match self {
            Self::Parallel(parallel) => parallel.within,
            Self::Each(each) => each.within,
            Self::Choose(choose) => choose.within,
            Self::Lock(lock) => lock.within,
        }
    }

    /// How long the steps in it may take: a lock's limit is over when it has its keys.
    #[must_use]
    pub fn limit_inside(self) -> Option<Span> {
        match self {
            Self::Parallel(_) | Self::Each(_) | Self::Choose(_) => self.within(),
            Self::Lock(_) => None,
        }
    }
}

use super::slot::Slot;
use crate::definition::{self, CallRequest, Compensation, Retry, Step, StepKind, Unknown};
use crate::message::Span;

/// What is sent: over Kafka, or over HTTP.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Asked<'d> {
    Command(&'d definition::Request),
    Call(&'d CallRequest),
}

impl<'d> Asked<'d> {
    /// What a slot of a step sends; nothing for steps that wait for something else.
    pub fn of(step: &'d Step, slot: Slot) -> Option<Self> {
        match slot {
            Slot::Action => Self::action(step),
            Slot::Probe => match &step.kind {
                StepKind::Command(c) => c.probe.as_ref().map(|p| Self::Command(&p.request)),
                StepKind::Emit(_)
                | StepKind::Set
                | StepKind::Fail(_)
                | StepKind::Wait(_)
                | StepKind::Sleep(_)
                | StepKind::Ask(_)
                | StepKind::Call(_)
                | StepKind::Saga(_)
                | StepKind::Parallel(_)
                | StepKind::Each(_)
                | StepKind::Choose(_)
                | StepKind::Lock(_) => None,
            },
            Slot::Undo(_) => match step.compensation() {
                Compensation::Command { request, .. } => Some(Self::Command(request)),
                Compensation::Call { request, .. } => Some(Self::Call(request)),
                Compensation::Unsaid
                | Compensation::Nothing
                | Compensation::Emit(_)
                | Compensation::Child => None,
            },
        }
    }

    fn action(step: &'d Step) -> Option<Self> {
        match &step.kind {
            StepKind::Command(command) => Some(Self::Command(&command.request)),
            StepKind::Call(call) => Some(Self::Call(&call.request)),
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_) => None,
        }
    }

    pub fn retry(self) -> &'d Retry {
        match self {
            Self::Command(request) => &request.retry,
            Self::Call(request) => &request.retry,
        }
    }

    pub fn within(self) -> Span {
        match self {
            Self::Command(request) => request.within,
            Self::Call(request) => request.within,
        }
    }
}

/// What a step does when its attempts are spent and it may have happened.
pub(in crate::engine) fn unknown(step: &Step) -> Option<Unknown> {
    match &step.kind {
        StepKind::Command(command) => Some(command.unknown),
        StepKind::Call(call) => Some(call.unknown),
        StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => None,
    }
}

use crate::definition::{self, Attempted, CallRequest, Retry, Step, Unknown};
use crate::message::{Part, Span};

/// What is sent: over Kafka, or over HTTP.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Asked<'d> {
    Command(&'d definition::Request),
    Call(&'d CallRequest),
}

impl<'d> Asked<'d> {
    /// What a step sends as this part; nothing for steps that wait for something else.
    pub fn of(step: &'d Step, part: Part) -> Option<Self> {
        step.request(part).map(Self::Command).or_else(|| step.call(part).map(Self::Call))
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
    step.attempted().map(Attempted::unknown)
}

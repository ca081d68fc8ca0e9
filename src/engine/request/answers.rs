//! What answers a request, and what a step waits for.

use super::slot::Slot;
use crate::definition::{Compensation, Done, Failed, Step, StepKind, WaitStep};
use crate::expression::Expression;
use crate::message::Event;

/// What the answer says: which entry of `done`, `failed` or `absent` it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Answer {
    Done(usize),
    Failed(usize),
    Absent,
}

/// What may answer a request.
#[derive(Default, Clone, Copy)]
pub(in crate::engine) struct Answers<'d> {
    pub done: &'d [Done],
    pub failed: &'d [Failed],
    pub absent: &'d [Done],
}

impl<'d> Answers<'d> {
    /// What a wait takes.
    pub fn to_wait(wait: &'d WaitStep) -> Self {
        Self { done: &wait.on, failed: &wait.failed, ..Self::default() }
    }

    /// Whether an event is of the kind of one of them.
    pub fn mention(self, event: &Event) -> bool {
        self.done.iter().chain(self.absent).any(|done| done.on == event.address)
            || self.failed.iter().any(|failed| failed.on == event.address)
    }

    /// Which of them an event is.
    pub fn find<E>(
        self,
        event: &Event,
        holds: impl Fn(Option<&Expression>) -> Result<bool, E>,
    ) -> Result<Option<Answer>, E> {
        for (place, done) in self.done.iter().enumerate() {
            if done.on == event.address && holds(done.condition.as_ref())? {
                return Ok(Some(Answer::Done(place)));
            }
        }
        for (place, failed) in self.failed.iter().enumerate() {
            if failed.on == event.address && holds(failed.condition.as_ref())? {
                return Ok(Some(Answer::Failed(place)));
            }
        }
        for absent in self.absent {
            if absent.on == event.address && holds(absent.condition.as_ref())? {
                return Ok(Some(Answer::Absent));
            }
        }
        Ok(None)
    }
}

/// The answers to a request of a step.
pub(in crate::engine) fn answers(step: &Step, slot: Slot) -> Answers<'_> {
    match (slot, &step.kind) {
        (Slot::Action, StepKind::Command(command)) => {
            Answers { done: &command.request.done, failed: &command.failed, ..Answers::default() }
        }
        (Slot::Action, StepKind::Wait(wait)) => Answers::to_wait(wait),
        (Slot::Probe, StepKind::Command(command)) => match &command.probe {
            Some(probe) => {
                Answers { done: &probe.request.done, absent: &probe.absent, ..Answers::default() }
            }
            None => Answers::default(),
        },
        (
            Slot::Action | Slot::Probe,
            StepKind::Wait(_)
            | StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_),
        ) => Answers::default(),
        (Slot::Undo(_), _) => match step.compensation() {
            Compensation::Command { request, .. } => {
                Answers { done: &request.done, ..Answers::default() }
            }
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Call { .. }
            | Compensation::Child => Answers::default(),
        },
    }
}

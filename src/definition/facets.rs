//! What the language says of a step, said once: whoever needs to know asks here.

use super::{ChooseStep, EachStep, LockStep, ParallelStep, Step, StepKind, Verdict};

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
}

impl Step {
    /// The step as one with steps in it; none if it has none.
    #[must_use]
    pub fn composite(&self) -> Option<Composite<'_>> {
        match &self.kind {
            StepKind::Parallel(parallel) => Some(Composite::Parallel(parallel)),
            StepKind::Each(each) => Some(Composite::Each(each)),
            StepKind::Choose(choose) => Some(Composite::Choose(choose)),
            StepKind::Lock(lock) => Some(Composite::Lock(lock)),
            StepKind::Command(_)
            | StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_) => None,
        }
    }
}

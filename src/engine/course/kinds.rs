use crate::definition::{Step, StepKind};
use crate::engine::kind::handler::Handler;
use crate::engine::kind::set::SetStep;

/// Which code runs for a step: the one place where its kind decides that.
pub(in crate::engine) fn of(step: &Step) -> &dyn Handler {
    match &step.kind {
        StepKind::Command(command) => command,
        StepKind::Emit(emit) => emit,
        StepKind::Set => &SetStep,
        StepKind::Fail(reason) => reason,
        StepKind::Wait(wait) => wait,
        StepKind::Sleep(sleep) => sleep,
        StepKind::Ask(ask) => ask,
        StepKind::Call(call) => call,
        StepKind::Saga(child) => child,
        StepKind::Parallel(parallel) => parallel,
        StepKind::Each(each) => each,
        StepKind::Choose(choose) => choose,
        StepKind::Lock(lock) => lock,
    }
}

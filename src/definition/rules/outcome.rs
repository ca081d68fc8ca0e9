use std::collections::BTreeSet;

use crate::definition::{
    Assignment, Compensation, Done, Failed, Late, Step, StepKind, Then, Verdict,
};

/// The fields that one way on from a step fills.
pub(super) type Fields = BTreeSet<String>;

fn fields(set: &[Assignment]) -> Fields {
    set.iter().map(|a| a.field.clone()).collect()
}

fn dones(done: &[Done], step: &Step) -> impl Iterator<Item = Fields> {
    done.iter().map(|d| fields(d.set.as_ref().unwrap_or(&step.set)))
}

fn faileds(failed: &[Failed]) -> impl Iterator<Item = Fields> {
    failed.iter().filter(|f| f.then == Then::GoOn).map(|f| fields(&f.set))
}

/// What a rejection fills behind which the saga goes on.
pub(super) fn passed(verdict: &Verdict) -> Option<Fields> {
    (verdict.then == Then::GoOn).then(|| fields(&verdict.set))
}

fn late(late: &Late) -> Option<Fields> {
    match late {
        Late::GoOn => Some(Fields::new()),
        Late::Fail(verdict) => passed(verdict),
    }
}

/// Every way on from a step that has no steps in it, with what it fills.
pub(super) fn ways(step: &Step) -> Vec<Fields> {
    match &step.kind {
        StepKind::Command(command) => {
            let probed = command.probe.iter().flat_map(|p| dones(&p.request.done, step));
            let done = dones(&command.request.done, step);
            done.chain(probed).chain(faileds(&command.failed)).collect()
        }
        StepKind::Call(call) => {
            let done = call.request.done.iter();
            let done = done.map(|d| fields(d.set.as_ref().unwrap_or(&step.set)));
            let failed = call.failed.iter().filter(|f| f.then == Then::GoOn);
            done.chain(failed.map(|f| fields(&f.set))).collect()
        }
        StepKind::Wait(wait) => {
            let timed = wait.within.and_then(|_| late(&wait.late));
            dones(&wait.on, step).chain(faileds(&wait.failed)).chain(timed).collect()
        }
        StepKind::Ask(ask) => {
            let timed = ask.within.and_then(|_| late(&ask.late));
            let choice = |failed: &Option<Verdict>| match failed {
                None => Some(fields(&step.set)),
                Some(verdict) => passed(verdict),
            };
            ask.choices.iter().filter_map(|c| choice(&c.failed)).chain(timed).collect()
        }
        StepKind::Saga(child) => {
            std::iter::once(fields(&step.set)).chain(passed(&child.failed)).collect()
        }
        StepKind::Fail(_) => Vec::new(),
        StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Sleep(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => vec![fields(&step.set)],
    }
}

/// All that a step itself may fill on the way forward.
pub(super) fn fills(step: &Step) -> Fields {
    let mut all: Fields = ways(step).into_iter().flatten().collect();
    match &step.kind {
        StepKind::Each(each) => {
            all.extend(fields(&each.collect));
            all.extend(passed(&each.failed).into_iter().flatten());
        }
        StepKind::Parallel(parallel) => all.extend(passed(&parallel.failed).into_iter().flatten()),
        StepKind::Choose(choose) => all.extend(passed(&choose.failed).into_iter().flatten()),
        StepKind::Lock(lock) => all.extend(passed(&lock.failed).into_iter().flatten()),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_) => {}
    }
    all
}

/// All that undoing a step may fill.
pub(super) fn undo_fills(step: &Step) -> Fields {
    match step.compensation() {
        Compensation::Command { request, set } => {
            let own = request.done.iter().map(|d| fields(d.set.as_ref().unwrap_or(set)));
            own.flatten().collect()
        }
        Compensation::Call { request, set } => {
            let own = request.done.iter().map(|d| fields(d.set.as_ref().unwrap_or(set)));
            own.flatten().collect()
        }
        Compensation::Unsaid
        | Compensation::Nothing
        | Compensation::Emit(_)
        | Compensation::Child => Fields::new(),
    }
}

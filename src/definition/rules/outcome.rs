use std::collections::BTreeSet;

use crate::definition::{Assignment, Outcome, Step, Then, Verdict};

/// The fields that one way on from a step fills.
pub(super) type Fields = BTreeSet<String>;

fn fields(set: &[Assignment]) -> Fields {
    set.iter().map(|a| a.field.clone()).collect()
}

/// What a rejection fills behind which the saga goes on.
pub(super) fn passed(verdict: &Verdict) -> Option<Fields> {
    (verdict.then == Then::GoOn).then(|| fields(&verdict.set))
}

/// Every way on from a step, whatever is in it, with what it fills.
pub(super) fn ways(step: &Step) -> Vec<Fields> {
    let outcomes = step.outcomes();
    let ways = outcomes.iter().filter(|outcome| outcome.goes_on());
    ways.map(|outcome| Outcome::fields(outcome).map(str::to_owned).collect()).collect()
}

/// All that a step itself may fill on the way forward.
pub(super) fn fills(step: &Step) -> Fields {
    ways(step).into_iter().flatten().collect()
}

/// All that undoing a step may fill.
pub(super) fn undo_fills(step: &Step) -> Fields {
    step.undo_sets().into_iter().flat_map(fields).collect()
}

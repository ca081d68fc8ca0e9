use std::collections::BTreeMap;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{Composite, Limits, Step, StepId, Waiting};

/// Finds fan-outs whose branches wait for more events than an instance keeps, if all of them come
/// before their steps are ready.
pub(super) fn check(whole: &mut Whole<'_>) {
    let most = u64::try_from(Limits::default().early_max).unwrap_or(u64::MAX);
    for (each, events) in awaited(whole) {
        if events <= most {
            continue;
        }
        let message = format!(
            "up to {events} events may come before the steps that wait for them are ready, and an \
             instance keeps {most}"
        );
        let help = "lower `at-most`, give each element a child saga, or raise `limits.early-max` \
                    and `limits.early-bytes-max` of the engine";
        whole.warn(Code::ManyEarly, whole.keys(each).value("at-most"), message, help);
    }
}

/// For how many events the branches of each outermost fan-out wait at most.
fn awaited(whole: &Whole<'_>) -> BTreeMap<StepId, u64> {
    let mut found = BTreeMap::new();
    for step in whole.steps() {
        if !matches!(step.waiting(), Some(Waiting::Fact(_))) {
            continue;
        }
        let at_most = |outer: &&Step| match outer.composite() {
            Some(Composite::Each(each)) => Some((outer.id, u64::from(each.at_most))),
            Some(Composite::Parallel(_) | Composite::Choose(_) | Composite::Lock(_)) | None => None,
        };
        let around = whole.around(step.id);
        let fan_outs: Vec<(StepId, u64)> = around.iter().filter_map(at_most).collect();
        if let Some((outermost, _)) = fan_outs.last() {
            let events = fan_outs.iter().fold(1_u64, |all, (_, most)| all.saturating_mul(*most));
            let sum: &mut u64 = found.entry(*outermost).or_default();
            *sum = sum.saturating_add(events);
        }
    }
    found
}

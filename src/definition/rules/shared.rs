use std::collections::BTreeSet;

use super::whole::{Relation, Whole};
use crate::definition::diagnostic::Code;
use crate::definition::parse::{Place, Position};
use crate::definition::{Join, Step, StepId};

/// Finds fields that branches beside each other, or an undoing and a later step, get in each
/// other's way over.
pub(super) fn check(whole: &mut Whole<'_>) {
    let steps: Vec<&Step> = whole.steps().collect();
    let mut told = BTreeSet::new();
    for (place, first) in steps.iter().enumerate() {
        for second in &steps[place + 1..] {
            if whole.relation(first.id, second.id) == Relation::Beside(Join::All) {
                sets_beside(whole, first, second, &mut told);
            }
        }
    }
    reads_beside(whole, &steps);
    undo_reads(whole, &steps);
}

/// Where a step sets a field.
fn set_span(whole: &Whole<'_>, step: StepId, field: &str) -> std::ops::Range<usize> {
    let keys = whole.keys(step);
    let ways = ["set", "done.set", "wait.set", "failed.set", "collect", "compensate.set"];
    let found = ways.iter().map(|way| format!("{way}.{field}")).find(|path| keys.has(path));
    keys.key(&found.unwrap_or_else(|| "set".to_owned()))
}

fn sets_beside(
    whole: &mut Whole<'_>,
    first: &Step,
    second: &Step,
    told: &mut BTreeSet<(StepId, String)>,
) {
    if whole.each(first.id) != whole.each(second.id) {
        return;
    }
    let all = |step: &Step| whole.fills(step.id) | whole.undo_fills(step.id);
    for field in &(&all(first) & &all(second)) {
        if !told.insert((second.id, field.clone())) {
            continue;
        }
        let span = set_span(whole, second.id, field);
        let message = format!(
            "`{field}` is set by `{}` on line {} too, in a branch beside this one",
            first.name, first.line
        );
        let help = "give each branch a field of its own, and put them together behind the join";
        whole.error(Code::SetsBeside, span, message, help);
    }
}

fn reads_beside(whole: &mut Whole<'_>, steps: &[&Step]) {
    let mut told = BTreeSet::new();
    for read in &whole.places.reads {
        let (Some(reader), Some((scope, field))) = (read.step, read.field()) else { continue };
        if !told.insert(read.span.start) {
            continue;
        }
        let setter = steps.iter().find(|step| {
            let (first, second) = (step.id.min(reader), step.id.max(reader));
            whole.each(step.id) == scope
                && whole.fills(step.id).contains(field)
                && whole.relation(first, second) == Relation::Beside(Join::All)
        });
        if let Some(setter) = setter {
            let message = format!(
                "`{field}` is set by `{}` on line {}, in a branch beside this one",
                setter.name, setter.line
            );
            let help = "read it behind the join, or put both steps into one branch";
            whole.error(Code::ReadsBeside, read.span.clone(), message, help);
        }
    }
}

/// A field that the undoing of an earlier step reads may not be set again.
fn undo_reads(whole: &mut Whole<'_>, steps: &[&Step]) {
    let mut told = BTreeSet::new();
    for read in &whole.places.reads {
        let back = matches!(read.place, Place::Back | Place::Undone | Place::UndoneHttp);
        let (true, Some(undone), Some((scope, field))) = (back, read.step, read.field()) else {
            continue;
        };
        for step in steps.iter().filter(|step| step.id > undone) {
            let after = whole.places.stands[step.id.0 as usize] == Position::After;
            let sets =
                whole.fills(step.id).contains(field) || whole.undo_fills(step.id).contains(field);
            if after
                || !sets
                || whole.each(step.id) != scope
                || whole.relation(undone, step.id) != Relation::Before
                || !told.insert((step.id, field.to_owned()))
            {
                continue;
            }
            let earlier = whole.definition.step(undone);
            let message = format!(
                "the undoing of `{}` on line {} reads `{field}` as it is before this",
                earlier.name, earlier.line
            );
            let help = "set a field of another name here";
            let span = set_span(whole, step.id, field);
            whole.error(Code::UndoReads, span, message, help);
        }
    }
}

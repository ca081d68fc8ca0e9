use super::whole::Whole;
use crate::definition::Step;
use crate::definition::diagnostic::Code;
use crate::expression::Name;

/// Finds fields that the branches of a fan-out fill, each for itself, where the data has one of the
/// same name: their author may have meant that one.
pub(super) fn check(whole: &mut Whole<'_>) {
    for step in whole.steps() {
        let Some(each) = whole.each(step.id) else { continue };
        for field in &whole.fills(step.id).clone() {
            let is_read = whole.places.reads.iter().any(|read| {
                read.name == Name::Branch
                    && read.each == Some(each)
                    && read.fields.first() == Some(field)
            });
            if is_read || !is_data(whole, field) {
                continue;
            }
            let message = format!(
                "this fills `branch.{field}`, which nothing reads; `data.{field}` stays as it is"
            );
            let help = format!(
                "collect it, such as `collect: {{ all: branch.{field} }}`, and compute with \
                 `data.all` behind the `each`"
            );
            let span = whole.keys(step.id).value(&format!("set.{field}"));
            whole.warn(Code::NoEffect, span, message, help);
        }
    }
}

/// Finds fan-outs behind the pivot whose list the starts bound, and a step fills anew.
pub(super) fn check_bounds(whole: &mut Whole<'_>) {
    for (step, field) in &whole.places.bounded {
        let fills = |other: &&Step| {
            whole.each(other.id).is_none()
                && (whole.fills(other.id).contains(field)
                    || whole.undo_fills(other.id).contains(field))
        };
        let is_behind = whole.places.stands[step.0 as usize].is_behind();
        let is_said = whole.keys(*step).has("failed");
        let Some(other) = whole.steps().find(fills).filter(|_| is_behind && !is_said) else {
            continue;
        };
        let message =
            "behind the pivot a rejection must say what it means: a list that is too long";
        let help = format!(
            "`{}` on line {} sets `data.{field}` anew; add `failed: {{ then: park }}` or \
             `failed: {{ then: go-on }}` to this `each`",
            other.name, other.line
        );
        whole.error(Code::NoThen, whole.keys(*step).key("each"), message, help);
    }
}

/// Whether the data has a field of this name.
fn is_data(whole: &Whole<'_>, field: &str) -> bool {
    let of_start = whole.definition.data.iter().any(|assignment| assignment.field == field);
    of_start
        || whole
            .steps()
            .any(|step| whole.each(step.id).is_none() && whole.fills(step.id).contains(field))
}

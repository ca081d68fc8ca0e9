use super::whole::{Relation, Whole};
use crate::definition::diagnostic::Code;
use crate::definition::parse::Position;
use crate::definition::{Compensation, Step, StepKind};

/// Finds steps that are not undone although they should be.
pub(super) fn check(whole: &mut Whole<'_>) {
    for step in whole.steps() {
        undone_elsewhere(whole, step);
        done_again(whole, step);
        uncorrected(whole, step);
    }
}

/// The same command is undone elsewhere, and here there is nothing to undo.
fn undone_elsewhere(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Command(command) = &step.kind else { return };
    if command.compensate != Compensation::Nothing {
        return;
    }
    let other = whole.steps().find(|other| match &other.kind {
        StepKind::Command(c) => {
            c.request.command == command.request.command
                && !matches!(c.compensate, Compensation::Nothing | Compensation::Unsaid)
        }
        _ => false,
    });
    let Some(other) = other else { return };
    let message = format!(
        "`{}` is undone in `{}` on line {}, but not here",
        command.request.command, other.name, other.line
    );
    let help = "undo it here as well, or say there `none` too";
    let span = whole.keys(step.id).key("compensate");
    whole.warn(Code::UndoneElsewhere, span, message, help);
}

/// What should undo an action, or ask whether it happened, does it again.
fn done_again(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Command(command) = &step.kind else { return };
    let own = &command.request.command;
    // The same command with another body may well be the reverse, such as a booking.
    let undo = match &command.compensate {
        Compensation::Command { request, .. } if request.with == command.request.with => {
            Some((&request.command, "compensate.command"))
        }
        _ => None,
    };
    let probe = command.probe.as_ref().map(|p| (&p.request.command, "probe.command"));
    for (_, path) in undo.into_iter().chain(probe).filter(|(sent, _)| *sent == own) {
        let span = whole.keys(step.id).value(path);
        let message = format!("`{own}` is what the step itself sends");
        let help = if path.starts_with("probe") {
            "name the command that asks whether it happened"
        } else {
            "name the command that undoes it"
        };
        whole.error(Code::DoneAgain, span, message, help);
    }
}

/// A fact is told that may turn out wrong, and nothing corrects it.
fn uncorrected(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Emit(emit) = &step.kind else { return };
    let stand = whole.places.stands[step.id.0 as usize];
    if emit.compensate != Compensation::Nothing || stand != Position::Before {
        return;
    }
    let failing = whole.steps().find(|other| follows(whole, step, other) && can_fail(whole, other));
    let Some(failing) = failing else { return };
    let message = format!(
        "this is told before `{}` on line {}, which can still fail, and nothing corrects it",
        failing.name, failing.line
    );
    let help = "add `compensate: { emit: … }` with the correcting fact, or tell it later";
    let span = whole.keys(step.id).key("compensate");
    whole.warn(Code::FactUncorrected, span, message, help);
}

/// Whether a step may run when another is over.
fn follows(whole: &Whole<'_>, first: &Step, second: &Step) -> bool {
    if first.id == second.id {
        return false;
    }
    let (a, b) = (first.id.min(second.id), first.id.max(second.id));
    match whole.relation(a, b) {
        Relation::Before => first.id < second.id,
        Relation::Beside(_) => true,
        Relation::Apart | Relation::Within => false,
    }
}

/// Whether the way back may be taken from a step.
pub(super) fn can_fail(whole: &Whole<'_>, step: &Step) -> bool {
    let stand = whole.places.stands[step.id.0 as usize];
    let waits = !matches!(step.kind, StepKind::Set | StepKind::Emit(_) | StepKind::Sleep(_))
        || whole.definition.within.is_some()
        || !whole.definition.cancel.is_empty();
    let passes = matches!(step.kind, StepKind::Set | StepKind::Emit(_));
    let holds = matches!(
        step.kind,
        StepKind::Parallel(_) | StepKind::Choose(_) | StepKind::Each(_) | StepKind::Lock(_)
    );
    stand != Position::After && waits && !passes && !holds
}

/// Whether a step may be over when another that can fail runs.
pub(super) fn may_be_undone_by(whole: &Whole<'_>, first: &Step, second: &Step) -> bool {
    follows(whole, first, second) && can_fail(whole, second)
}

use super::whole::{Relation, Whole};
use crate::definition::diagnostic::Code;
use crate::definition::parse::Position;
use crate::definition::{Attempted, CallRequest, Compensation, Request, Step, StepKind};
use crate::expression::{Name, Template};
use crate::message::Address;

/// Finds steps that are not undone although they should be.
pub(super) fn check(whole: &mut Whole<'_>) {
    for step in whole.steps() {
        done_again(whole, step);
        called_again(whole, step);
        undone_by_another(whole, step);
        refused(whole, step);
    }
}

/// What should undo an action, or ask whether it happened, does it again.
fn done_again(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Command(command) = &step.kind else { return };
    let (own, probe) = (&command.request, command.probe.as_ref().map(|p| &p.request));
    let mut again = |path: &str, sent: &Address, help: &str| {
        let message = if *sent == own.command {
            format!("`{sent}` is what the step itself sends")
        } else {
            format!("`{sent}` is what the step's probe sends: it asks and undoes nothing")
        };
        let span = whole.keys(step.id).value(path);
        whole.error(Code::DoneAgain, span, message, help);
    };
    if let Some(probe) = probe.filter(|probe| probe.command == own.command) {
        let help = "name the command that asks whether it happened";
        again("probe.command", &probe.command, help);
    }
    let Compensation::Command { request: undo, .. } = &command.compensate else { return };
    let repeats = undo.command == own.command && says_no_more(undo, own);
    if repeats || probe.is_some_and(|probe| probe.command == undo.command) {
        again("compensate.command", &undo.command, "name the command that undoes it");
    }
}

/// The undoing sends what another step knows to be refused sometimes, and does not say so.
fn refused(whole: &mut Whole<'_>, step: &Step) {
    let Compensation::Command { request: undo, .. } = step.compensation() else { return };
    let knows = |other: &&Step| match other.attempted() {
        Some(Attempted::Command(other)) => {
            let says_no = other.failed.iter().map(|failed| &failed.on);
            let unsaid = |on: &&Address| !undo.done.iter().any(|done| done.on == **on);
            other.request.command == undo.command && says_no.into_iter().any(|on| unsaid(&on))
        }
        Some(Attempted::Call(_)) | None => false,
    };
    let Some(other) = whole.steps().find(knows) else { return };
    let message = format!(
        "`{}` can be refused, says `{}` on line {}, and this undoing does not say what that means",
        undo.command, other.name, other.line
    );
    let help = "name that event under `done` here as well, if there is nothing to undo then";
    let span = whole.keys(step.id).value("compensate.command");
    whole.warn(Code::UndoRefused, span, message, help);
}

/// What should undo a call makes it again.
fn called_again(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Call(call) = &step.kind else { return };
    let Compensation::Call { request: undo, .. } = &call.compensate else { return };
    let own = &call.request;
    let place = |request: &CallRequest| (request.method, request.authority.clone());
    let same = place(undo) == place(own) && undo.path == own.path;
    if !same || !(undo.body.is_none() || undo.body == own.body) {
        return;
    }
    let message = "this is the call that the step itself makes";
    let span = whole.keys(step.id).value("compensate.call");
    whole.error(Code::DoneAgain, span, message, "call what undoes it, such as `DELETE …`");
}

/// The undoing goes elsewhere than the action, and is what undoes another step, or is the pivot.
fn undone_by_another(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Command(own) = &step.kind else { return };
    let Compensation::Command { request: undo, .. } = &own.compensate else { return };
    let undo = &undo.command;
    let is_it = |other: &&Step| {
        let StepKind::Command(command) = &other.kind else { return false };
        let undoes = matches!(&command.compensate,
            Compensation::Command { request, .. } if request.command == *undo);
        let at_home = command.request.command.topic == undo.topic;
        let is_pivot = other.pivot && command.request.command == *undo;
        other.id != step.id && ((undoes && at_home) || is_pivot)
    };
    if own.request.command.topic == undo.topic {
        return;
    }
    let Some(other) = whole.steps().find(is_it) else { return };
    let does = if other.pivot { "is what" } else { "undoes what" };
    let message = format!("`{undo}` {does} `{}` on line {} does", other.name, other.line);
    let help = format!("name the command that undoes `{}`", own.request.command);
    let span = whole.keys(step.id).value("compensate.command");
    whole.warn(Code::UndoneByAnother, span, message, help);
}

/// Whether a body holds nothing that another does not; with other values, the same command may
/// well be the reverse, such as a booking. A lock's fence says who may ask, not for what.
fn says_no_more(undo: &Request, own: &Request) -> bool {
    match (&undo.with, &own.with) {
        (None, _) => true,
        (Some(Template::Object(undo)), own) => {
            let own = match own {
                Some(Template::Object(own)) => &own[..],
                Some(_) | None => &[],
            };
            undo.iter().all(|field| own.contains(field) || is_fence(&field.1))
        }
        (undo, own) => undo == own,
    }
}

fn is_fence(template: &Template) -> bool {
    let Template::Whole(expression) = template else { return false };
    expression.path().is_some_and(|path| path.name == Name::Fence)
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
    let definition = whole.definition;
    let stopped = definition.within.is_some() || !definition.cancel.is_empty();
    let stand = whole.places.stands[step.id.0 as usize];
    stand != Position::After && (step.goes_back() || (stopped && step.takes_time()))
}

/// Whether a step may be over when another that can fail runs.
pub(super) fn may_be_undone_by(whole: &Whole<'_>, first: &Step, second: &Step) -> bool {
    follows(whole, first, second) && can_fail(whole, second)
}

//! What people do about a stuck instance.

use super::request::{self, Slot};
use super::{back, forward, wake};
use crate::definition::{Compensation, Definition, Request as Asked, StepId, StepKind};
use crate::engine::turn::{Turn, within_limit};
use crate::engine::{
    Act, Failure, FailureKind, Generation, NoteKind, Phase, Progress, Rejection, Request, Stuck,
    Verb,
};

/// What an act is about: the step that it names, or whatever is stuck first.
pub(in crate::engine) fn stuck<'g>(
    definition: &Definition,
    generation: &'g Generation,
    act: &Act,
) -> Option<&'g Stuck> {
    let meant =
        |s: &&Stuck| act.step.is_empty() || definition.step(s.step).name.as_str() == act.step;
    generation.stuck.iter().find(meant)
}

/// Obeys a person. A stuck action is always the step at which the way forward stands.
///
/// # Errors
/// When the instance is not stuck there, or the verb makes no sense for it.
pub(in crate::engine) fn take(turn: &mut Turn<'_>, act: &Act) -> Result<(), Rejection> {
    let found = stuck(turn.definition, turn.generation, act).cloned();
    let stuck =
        found.ok_or_else(|| Rejection::Refused(format!("{} is not stuck there", turn.id)))?;
    let id = stuck.step;
    let found = turn.generation.frame.steps.iter().position(|s| s.step == id);
    let place = found.expect("a step is entered before it can be stuck");
    let name = &turn.step(id).name;
    let words = format!("{} by {}: {}", verb(&act.verb), act.by, act.why);
    turn.note(Some(name), NoteKind::Acted, words);
    match (&act.verb, stuck.undoing) {
        (Verb::Retry, false) => {
            retry_action(turn, place);
            Ok(())
        }
        (Verb::Skip, false) => skip(turn, place),
        (Verb::ResolveDone(fields), false) => resolve_done(turn, place, fields, &act.id),
        (Verb::ResolveNotDone, false) => resolve_not_done(turn, place, act),
        (Verb::GoBack, false) => go_back(turn, act),
        (Verb::Retry | Verb::ResolveNotDone, true) => retry_undo(turn, place),
        (Verb::Skip | Verb::ResolveDone(_), true) => {
            settle_undo(turn, place, &act.id);
            Ok(())
        }
        (Verb::Answer { .. }, _) => {
            Err(Rejection::Refused(format!("{name} asks nobody; it is stuck")))
        }
        (Verb::GoBack, true) => Err(Rejection::Refused(format!(
            "the undoing of {name} is stuck; retry it, or resolve it as done"
        ))),
    }
}

fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::Retry => "sent again",
        Verb::Skip => "skipped",
        Verb::ResolveDone(_) => "resolved as done",
        Verb::ResolveNotDone => "resolved as not done",
        Verb::GoBack => "sent back",
        Verb::Answer { .. } => "answered",
    }
}

fn retry_action(turn: &mut Turn<'_>, place: usize) {
    let id = turn.generation.frame.steps[place].step;
    turn.unpark(id, false);
    let action = turn.generation.frame.steps[place].action.clone();
    let (StepKind::Command(command), Some(before)) = (&turn.step(id).kind, action) else {
        // It could not even begin: it is entered anew.
        turn.generation.frame.steps.remove(place);
        forward::advance(turn);
        return;
    };
    match send_anew(turn, id, Slot::Action, &command.request, &before) {
        Ok(sent) => {
            let state = &mut turn.generation.frame.steps[place];
            state.phase = Phase::Running;
            state.action = Some(sent);
        }
        Err(reason) => turn.park(id, false, &reason),
    }
}

/// Sends again, with a new budget.
fn send_anew(
    turn: &mut Turn<'_>,
    id: StepId,
    slot: Slot,
    asked: &Asked,
    before: &Request,
) -> Result<Request, String> {
    let fresh = Request { spent: 0, since: turn.now, ..before.clone() };
    request::send(turn, id, slot, asked, &fresh)
}

/// The undoings of a step that wait for a person.
fn parked(turn: &Turn<'_>, place: usize) -> Vec<usize> {
    let undos = turn.generation.frame.steps[place].undos.iter().enumerate();
    undos.filter(|(_, r)| r.progress == Progress::Parked).map(|(run, _)| run).collect()
}

fn retry_undo(turn: &mut Turn<'_>, place: usize) -> Result<(), Rejection> {
    let id = turn.generation.frame.steps[place].step;
    let step = turn.step(id);
    let runs = parked(turn, place);
    turn.unpark(id, true);
    match back::compensation(step) {
        Compensation::Unsaid | Compensation::Nothing => Err(Rejection::Refused(format!(
            "the definition does not say how to undo {}; undo it by hand and resolve it as done",
            step.name
        ))),
        Compensation::Call { .. } | Compensation::Child => unreachable!("not run yet"),
        Compensation::Emit(_) => {
            // The correcting fact could not be filled: it was the last one begun.
            turn.generation.frame.steps[place].undos.pop();
            back::undo(turn, place);
            back::go_on(turn);
            Ok(())
        }
        Compensation::Command { request, .. } => {
            for run in runs {
                let before = turn.generation.frame.steps[place].undos[run].clone();
                match send_anew(turn, id, Slot::Undo(run), request, &before) {
                    Ok(sent) => turn.generation.frame.steps[place].undos[run] = sent,
                    Err(reason) => turn.park(id, true, &reason),
                }
            }
            Ok(())
        }
    }
}

fn settle_undo(turn: &mut Turn<'_>, place: usize, act: &str) {
    for run in parked(turn, place) {
        back::undone(turn, place, run, act);
    }
}

fn skip(turn: &mut Turn<'_>, place: usize) -> Result<(), Rejection> {
    let id = turn.generation.frame.steps[place].step;
    let step = turn.step(id);
    if step.pivot {
        return Err(Rejection::Refused(format!(
            "{} is the pivot; resolve it as done or not done",
            step.name
        )));
    }
    turn.unpark(id, false);
    // It may have happened: it stays given up, so the way back still undoes it.
    if turn.generation.frame.steps[place].action.as_ref().is_some_and(Request::lacks_answer) {
        back::give_up(turn, place);
    } else {
        turn.generation.frame.steps[place].phase = Phase::Skipped;
    }
    turn.note(Some(&step.name), NoteKind::Skipped, "by a person");
    forward::resume(turn);
    Ok(())
}

fn resolve_done(
    turn: &mut Turn<'_>,
    place: usize,
    fields: &serde_json::Map<String, serde_json::Value>,
    act: &str,
) -> Result<(), Rejection> {
    let mut data = turn.generation.data.clone();
    if let serde_json::Value::Object(all) = &mut data {
        all.extend(fields.clone());
    }
    within_limit(&data).map_err(Rejection::Refused)?;
    let state = &mut turn.generation.frame.steps[place];
    request::answered(state, act);
    let step = turn.definition.step(state.step);
    turn.note(Some(&step.name), NoteKind::Succeeded, "said by a person");
    forward::succeed(turn, step, Some(data));
    forward::resume(turn);
    Ok(())
}

fn resolve_not_done(turn: &mut Turn<'_>, place: usize, act: &Act) -> Result<(), Rejection> {
    let state = &mut turn.generation.frame.steps[place];
    let name = &turn.definition.step(state.step).name;
    if turn.generation.pivoted {
        return Err(Rejection::Refused(format!(
            "{name} stands behind the pivot; retry it, skip it or resolve it as done"
        )));
    }
    state.phase = Phase::Rejected;
    // A success that still comes is late: the person was wrong.
    if let Some(action) = state.action.as_mut().filter(|a| a.lacks_answer()) {
        action.progress = Progress::GivenUp;
    }
    let failure = Failure {
        step: name.to_string(),
        kind: FailureKind::Rejected,
        reason: format!("not done, says {}: {}", act.by, act.why),
    };
    back::go_back(turn, failure);
    Ok(())
}

fn go_back(turn: &mut Turn<'_>, act: &Act) -> Result<(), Rejection> {
    if turn.generation.pivoted {
        return Err(Rejection::Refused(format!("{} is past its pivot", turn.id)));
    }
    if wake::awaits_pivot(turn) {
        return Err(Rejection::Refused(
            "the pivot may have happened; resolve it as done or not done".to_owned(),
        ));
    }
    let reason = format!("{}: {}", act.by, act.why);
    back::go_back(turn, Failure { step: String::new(), kind: FailureKind::Cancelled, reason });
    Ok(())
}

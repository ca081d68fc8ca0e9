//! What people do about a stuck instance.

use super::request::{self, Slot};
use super::{back, forward};
use crate::definition::{Compensation, StepId, StepKind};
use crate::engine::turn::{Turn, within_limit};
use crate::engine::{
    Act, Direction, Failure, FailureKind, NoteKind, Phase, Progress, Rejection, Stuck, Verb,
};

/// Obeys a person.
///
/// # Errors
/// When the instance is not stuck there, or the verb makes no sense for it.
pub(in crate::engine) fn take(turn: &mut Turn<'_>, act: &Act) -> Result<(), Rejection> {
    let stuck = find(turn, act)?;
    let name = &turn.step(stuck.step).name;
    let words = format!("{} by {}: {}", verb(&act.verb), act.by, act.why);
    turn.note(Some(name), NoteKind::Acted, words);
    match (&act.verb, stuck.undoing) {
        (Verb::Retry, false) => retry_action(turn, stuck.step),
        (Verb::Retry | Verb::ResolveNotDone, true) => retry_undo(turn, stuck.step),
        (Verb::Skip, false) => skip(turn, stuck.step),
        (Verb::Skip | Verb::ResolveDone(_), true) => {
            settle_undo(turn, stuck.step, &act.id);
            Ok(())
        }
        (Verb::ResolveDone(fields), false) => {
            let mut data = turn.generation.data.clone();
            if let serde_json::Value::Object(all) = &mut data {
                all.extend(fields.clone());
            }
            within_limit(&data).map_err(Rejection::Refused)?;
            resolve_done(turn, stuck.step, data, &act.id);
            Ok(())
        }
        (Verb::ResolveNotDone, false) => resolve_not_done(turn, stuck.step, act),
        (Verb::GoBack, _) => go_back(turn, act),
    }
}

fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::Retry => "sent again",
        Verb::Skip => "skipped",
        Verb::ResolveDone(_) => "resolved as done",
        Verb::ResolveNotDone => "resolved as not done",
        Verb::GoBack => "sent back",
    }
}

fn find(turn: &Turn<'_>, act: &Act) -> Result<Stuck, Rejection> {
    let named = |s: &&Stuck| act.step.is_empty() || turn.step(s.step).name.as_str() == act.step;
    turn.generation.stuck.iter().find(named).cloned().ok_or_else(|| {
        Rejection::Refused(if turn.generation.stuck.is_empty() {
            format!("{} is {}, not stuck", turn.id, turn.generation.status().text())
        } else {
            format!("{} is not stuck at `{}`", turn.id, act.step)
        })
    })
}

fn place(turn: &Turn<'_>, step: StepId) -> usize {
    let found = turn.generation.frame.steps.iter().position(|s| s.step == step);
    found.expect("a step is entered before it can be stuck")
}

fn retry_action(turn: &mut Turn<'_>, id: StepId) -> Result<(), Rejection> {
    let place = place(turn, id);
    let step = turn.step(id);
    let action = turn.generation.frame.steps[place].action.clone();
    turn.unpark(id, false);
    let (StepKind::Command(command), Some(before)) = (&step.kind, action) else {
        // It could not even begin: it is entered anew.
        turn.generation.frame.steps.remove(place);
        forward::advance(turn);
        return Ok(());
    };
    if before.is_answered() && turn.generation.frame.steps[place].phase == Phase::Unknown {
        return Err(Rejection::Refused(format!("{} has happened; undo it by hand", step.name)));
    }
    let fresh = crate::engine::Request { spent: 0, since: turn.now, ..before };
    let sent = request::send(turn, id, Slot::Action, &command.request, &fresh);
    let state = &mut turn.generation.frame.steps[place];
    state.phase = Phase::Running;
    match sent {
        Ok(sent) => state.action = Some(sent),
        Err(reason) => turn.park(id, false, &reason),
    }
    Ok(())
}

fn retry_undo(turn: &mut Turn<'_>, id: StepId) -> Result<(), Rejection> {
    let place = place(turn, id);
    let Compensation::Command { request, .. } = back::compensation(turn.step(id)) else {
        // A correcting fact that could not be filled.
        turn.unpark(id, true);
        turn.generation.frame.steps[place].undos.pop();
        back::undo(turn, place);
        back::go_on(turn);
        return Ok(());
    };
    let undos = &turn.generation.frame.steps[place].undos;
    let run = undos.iter().position(|r| r.progress == Progress::Parked);
    let run = run.ok_or_else(|| Rejection::Ignored("its undoing is under way".to_owned()))?;
    let fresh = crate::engine::Request { spent: 0, since: turn.now, ..undos[run].clone() };
    turn.unpark(id, true);
    match request::send(turn, id, Slot::Undo(run), request, &fresh) {
        Ok(sent) => turn.generation.frame.steps[place].undos[run] = sent,
        Err(reason) => turn.park(id, true, &reason),
    }
    Ok(())
}

fn settle_undo(turn: &mut Turn<'_>, id: StepId, act: &str) {
    let place = place(turn, id);
    let undos = &turn.generation.frame.steps[place].undos;
    if let Some(run) = undos.iter().position(|r| r.progress == Progress::Parked) {
        back::undone(turn, place, run, act);
    }
}

fn skip(turn: &mut Turn<'_>, id: StepId) -> Result<(), Rejection> {
    let place = place(turn, id);
    let step = turn.step(id);
    if step.pivot {
        return Err(Rejection::Refused(format!(
            "{} is the pivot; resolve it as done or not done",
            step.name
        )));
    }
    turn.unpark(id, false);
    let state = &mut turn.generation.frame.steps[place];
    if turn.generation.ended.is_some() {
        return Ok(());
    }
    // It may have happened: it stays given up, so the way back still undoes it.
    if state.action.as_ref().is_some_and(|a| a.lacks_answer() && a.attempts > 0) {
        back::give_up(turn, place);
    } else {
        state.phase = Phase::Skipped;
    }
    turn.note(Some(&step.name), NoteKind::Skipped, "by a person");
    forward::resume(turn);
    Ok(())
}

fn resolve_done(turn: &mut Turn<'_>, id: StepId, data: serde_json::Value, act: &str) {
    let place = place(turn, id);
    let step = turn.step(id);
    turn.unpark(id, false);
    if turn.generation.ended.is_some() || turn.generation.direction == Direction::Back {
        return;
    }
    if let Some(action) = &mut turn.generation.frame.steps[place].action {
        action.progress = Progress::Answered;
        act.clone_into(&mut action.answer);
    }
    turn.note(Some(&step.name), NoteKind::Succeeded, "said by a person");
    forward::succeed(turn, step, Some(data));
    forward::resume(turn);
}

fn resolve_not_done(turn: &mut Turn<'_>, id: StepId, act: &Act) -> Result<(), Rejection> {
    let place = place(turn, id);
    let step = turn.step(id);
    if turn.generation.pivoted {
        return Err(Rejection::Refused(format!(
            "{} stands behind the pivot; retry it, skip it or resolve it as done",
            step.name
        )));
    }
    let state = &mut turn.generation.frame.steps[place];
    state.phase = Phase::Rejected;
    // A success that still comes is late: the person was wrong.
    if let Some(action) = &mut state.action
        && action.lacks_answer()
    {
        action.progress = Progress::GivenUp;
    }
    let failure = Failure {
        step: step.name.to_string(),
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
    if turn.generation.ended.is_some() || turn.generation.direction == Direction::Back {
        return Err(Rejection::Refused(format!("{} is on its way back already", turn.id)));
    }
    let reason = format!("{}: {}", act.by, act.why);
    back::go_back(turn, Failure { step: String::new(), kind: FailureKind::Cancelled, reason });
    Ok(())
}

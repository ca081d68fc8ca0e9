//! What people do about what is stuck.

use crate::definition::{Compensation, Definition, Meaning, Step};
use crate::engine::course::follow::follow;
use crate::engine::course::{back, kinds};
use crate::engine::kind::{lock, saga};
use crate::engine::request::asked::Asked;
use crate::engine::request::send;
use crate::engine::state::place::Place;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{
    Act, Direction, Failure, FailureKind, Inside, Life, Phase, Progress, Proof, Rejection, Request,
    Stuck, Verb, What,
};
use crate::message::{InputId, Part};

/// Why a step is skipped.
const BY_A_PERSON: &str = "by a person";

/// What an act is about: the step that it names by coordinate, or by name if only one of that name
/// is stuck; without a name whatever is stuck first.
pub(in crate::engine) fn stuck<'g>(
    definition: &Definition,
    life: &'g Life,
    act: &Act,
) -> Option<&'g Stuck> {
    let stuck = &life.stuck;
    let Some(meant) = &act.step else {
        return stuck.first();
    };
    let named = |s: &&Stuck| definition.step(s.step).name == meant.step;
    let exact = stuck.iter().filter(named).find(|s| s.branch == meant.branch);
    exact.or_else(|| {
        let first = stuck.iter().find(named).filter(|_| meant.branch.is_empty())?;
        stuck.iter().filter(named).all(|s| s.branch == first.branch).then_some(first)
    })
}

/// Obeys a person. A stuck action is always the step at which its list stands.
///
/// # Errors
/// When the instance is not stuck there, or the verb makes no sense for it.
pub(in crate::engine) fn take(turn: &mut LifeTurn<'_>, act: &Act) -> Result<(), Rejection> {
    let found = stuck(turn.definition, turn.life(), act).cloned();
    let stuck =
        found.ok_or_else(|| Rejection::Refused(format!("{} is not stuck there", turn.id)))?;
    let place = Place::of(turn.definition, &turn.life().frame, stuck.step, &stuck.branch)
        .expect("a step is entered before it can be stuck");
    let name = turn.name_at(&place);
    turn.note(Some(&name), acted(act));
    match (&act.verb, stuck.undoing) {
        (Verb::Retry, false) => {
            if turn.at(&place).phase == Phase::Rejected {
                untouched(turn, &place)?;
            }
            retry_action(turn, &place);
            Ok(())
        }
        (Verb::Skip, false) => skip(turn, &place),
        (Verb::ResolveDone(fields), false) => resolve_done(turn, &place, fields, &act.id),
        (Verb::ResolveNotDone, false) => resolve_not_done(turn, &place, act),
        (Verb::GoBack, false) => go_back(turn, act),
        // What is left behind is stuck; the saga itself still goes forward.
        (Verb::GoBack, true) if is_forward(turn.life()) => go_back(turn, act),
        (Verb::Retry | Verb::ResolveNotDone, true) => retry_undo(turn, &place),
        (Verb::Skip | Verb::ResolveDone(_), true) => {
            settle_undo(turn, &place, &act.id);
            Ok(())
        }
        (Verb::Answer { .. } | Verb::Cancel | Verb::Pause | Verb::Resume | Verb::SetData(_), _) => {
            Err(Rejection::Refused(format!("{name} is stuck; `{}` is no help", act.verb.text())))
        }
        (Verb::GoBack, true) => Err(Rejection::Refused(format!(
            "the undoing of {name} is stuck; retry it, or resolve it as done"
        ))),
    }
}

fn is_forward(life: &Life) -> bool {
    life.direction == Direction::Forward && life.ended.is_none()
}

/// That a person acted.
pub(in crate::engine) fn acted(act: &Act) -> What {
    let verb = match &act.verb {
        Verb::Retry => "sent again",
        Verb::Skip => "skipped",
        Verb::ResolveDone(_) => "resolved as done",
        Verb::ResolveNotDone => "resolved as not done",
        Verb::GoBack => "sent back",
        Verb::Cancel => "cancelled",
        Verb::Pause => "paused",
        Verb::Resume => "resumed",
        Verb::SetData(_) => "set the data",
        Verb::Answer { .. } => "answered",
    };
    let Act { id, by, why, .. } = act.clone();
    What::Acted { id, verb: verb.to_owned(), by, why }
}

fn retry_action(turn: &mut Turn<'_>, place: &Place) {
    turn.unpark(place, false);
    let step = turn.step_at(place);
    match &turn.at(place).inside {
        Inside::Requested(requested) => {
            let before = requested.action.clone();
            request_again(turn, place, step, &before);
        }
        Inside::Locked(locked) if locked.frames.is_empty() => lock::again(turn, place),
        Inside::Branched(_) | Inside::Locked(_) => {
            // Its time was up, or what it collects could not be: it has as long again.
            let within = kinds::of(step).limits().and_then(|(_, within)| within);
            let until = within.map(|within| turn.now.after(within));
            let over = turn.at(place).frames().iter().all(|frame| frame.over);
            turn.at_mut(place).until = until.filter(|_| !over);
        }
        Inside::Child(_) => saga::again(turn, place),
        Inside::Nothing | Inside::Reminder(_) | Inside::Fact(_) => {
            // It could not begin, or only waited: it is entered anew.
            turn.frame_mut(&place.line).steps.remove(place.at);
        }
    }
}

/// Sends the request of a step again.
fn request_again(turn: &mut Turn<'_>, place: &Place, step: &Step, before: &Request) {
    let asked = Asked::of(step, Part::Action).expect("it was sent before");
    match send_anew(turn, place, step, Part::Action, asked, before) {
        Ok(sent) => {
            let state = turn.at_mut(place);
            state.phase = Phase::Running;
            *state.request_mut(Part::Action).expect("it was sent before") = sent;
            // It may be asked for again, by new attempts.
            if let Some(probe) = state.request_mut(Part::Probe) {
                probe.progress = Progress::Parked;
            }
        }
        Err(reason) => turn.park(place, false, &reason),
    }
}

/// Sends again, with a new budget.
fn send_anew(
    turn: &mut Turn<'_>,
    place: &Place,
    step: &Step,
    part: Part,
    asked: Asked<'_>,
    before: &Request,
) -> Result<Request, String> {
    let fresh = Request { spent: 0, since: turn.now, ..before.clone() };
    send::send(turn, &place.line, step, part, asked, &fresh)
}

/// The undoings of a step that wait for a person.
fn parked(turn: &Turn<'_>, place: &Place) -> Vec<Part> {
    let undos = turn.at(place).undos.iter().zip(1..);
    let parked = undos.filter(|(undo, _)| undo.progress == Progress::Parked);
    parked.map(|(_, run)| Part::Undo(run)).collect()
}

fn retry_undo(turn: &mut LifeTurn<'_>, place: &Place) -> Result<(), Rejection> {
    if turn.at(place).locked().is_some() {
        lock::undo_again(turn, place);
        return Ok(());
    }
    let step = turn.step_at(place);
    let parts = parked(turn, place);
    turn.unpark(place, true);
    match step.compensation() {
        Compensation::Unsaid | Compensation::Nothing => Err(Rejection::Refused(format!(
            "the definition does not say how to undo {}; undo it by hand and resolve it as done",
            step.name
        ))),
        Compensation::Emit(_) | Compensation::Child => {
            // The correcting fact could not be filled, or the child could not be taken back: it
            // was the last one begun.
            turn.at_mut(place).undos.pop();
            follow(turn, place, Outcome::Undo);
            Ok(())
        }
        Compensation::Command { .. } | Compensation::Call { .. } => {
            for part in parts {
                let before = turn.at(place).request(part).expect("what is parked is there").clone();
                let asked = Asked::of(step, part).expect("it is undone by a request");
                match send_anew(turn, place, step, part, asked, &before) {
                    Ok(sent) => {
                        let request = turn.at_mut(place).request_mut(part);
                        *request.expect("what is parked is there") = sent;
                    }
                    Err(reason) => turn.park(place, true, &reason),
                }
            }
            Ok(())
        }
    }
}

fn settle_undo(turn: &mut LifeTurn<'_>, place: &Place, act: &str) {
    if turn.at(place).locked().is_some() {
        back::undo_without_lock(turn, place);
        return;
    }
    for part in parked(turn, place) {
        follow(turn, place, Outcome::Undone { part, by: InputId::named(act) });
    }
}

fn skip(turn: &mut LifeTurn<'_>, place: &Place) -> Result<(), Rejection> {
    let step = turn.step_at(place);
    if step.pivot {
        return Err(Rejection::Refused(format!(
            "{} is the pivot; resolve it as done or not done",
            step.name
        )));
    }
    closed(turn, place)?;
    turn.unpark(place, false);
    let name = turn.name_at(place);
    // It may have happened: it stays given up, so the way back still undoes it.
    if turn.at(place).action().is_some_and(Request::lacks_answer) {
        back::give_up(turn, place);
        turn.note(Some(&name), What::Skipped { reason: BY_A_PERSON.to_owned() });
    } else {
        follow(turn, place, Outcome::Skipped(BY_A_PERSON));
    }
    Ok(())
}

/// Refuses to begin branches again that were undone.
fn untouched(turn: &Turn<'_>, place: &Place) -> Result<(), Rejection> {
    if turn.at(place).frames().is_empty() {
        return Ok(());
    }
    Err(Rejection::Refused(format!(
        "the steps inside {} were undone; skip it, resolve it as done, or go back",
        turn.name_at(place)
    )))
}

/// Refuses to decide over the head of the steps inside a composite step.
fn closed(turn: &Turn<'_>, place: &Place) -> Result<(), Rejection> {
    let state = turn.at(place);
    if state.frames().is_empty() || state.phase != Phase::Running {
        return Ok(());
    }
    Err(Rejection::Refused(format!(
        "there are steps inside {}; retry it to give them more time, or go back",
        turn.name_at(place)
    )))
}

fn resolve_done(
    turn: &mut LifeTurn<'_>,
    place: &Place,
    fields: &serde_json::Map<String, serde_json::Value>,
    act: &str,
) -> Result<(), Rejection> {
    closed(turn, place)?;
    given(turn, place, fields)?;
    turn.fits(&place.line, fields).map_err(Rejection::Refused)?;
    turn.at_mut(place).answered(InputId::named(act));
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Succeeded(Proof::Person));
    follow(turn, place, Outcome::Succeeded(fields.clone()));
    Ok(())
}

/// Refuses to take a composite step for done without what it would have left behind: nothing else
/// is known to fill it.
fn given(
    turn: &Turn<'_>,
    place: &Place,
    fields: &serde_json::Map<String, serde_json::Value>,
) -> Result<(), Rejection> {
    let step = turn.step_at(place);
    if step.composite().is_none() {
        return Ok(());
    }
    let outcomes = step.outcomes();
    let done = outcomes.iter().filter(|outcome| outcome.meaning == Meaning::Succeeded);
    let set = done.flat_map(crate::definition::Outcome::fields);
    let mut missing = set.filter(|field| !fields.contains_key(*field));
    match missing.next() {
        None => Ok(()),
        Some(field) => Err(Rejection::Refused(format!(
            "{} would have set `{field}`; resolve it as done with its data",
            turn.name_at(place)
        ))),
    }
}

fn resolve_not_done(turn: &mut LifeTurn<'_>, place: &Place, act: &Act) -> Result<(), Rejection> {
    closed(turn, place)?;
    let name = turn.name_at(place);
    if !turn.can_go_back(&place.line) {
        return Err(Rejection::Refused(format!(
            "{name} stands behind the pivot; retry it, skip it or resolve it as done"
        )));
    }
    let state = turn.at_mut(place);
    state.phase = Phase::Rejected;
    state.rest();
    // A success that still comes is late: the person was wrong.
    if let Some(action) = state.action_mut().filter(|a| a.lacks_answer()) {
        action.progress = Progress::GivenUp;
    }
    turn.unpark(place, false);
    let failure = Failure {
        step: Some(name),
        kind: FailureKind::Rejected,
        reason: format!("not done, says {}: {}", act.by, act.why),
    };
    follow(turn, place, Outcome::GoesBack(failure));
    Ok(())
}

fn go_back(turn: &mut LifeTurn<'_>, act: &Act) -> Result<(), Rejection> {
    if turn.life().pivoted {
        return Err(Rejection::Refused(format!("{} is past its pivot", turn.id)));
    }
    if turn.awaits_pivot() {
        return Err(Rejection::Refused(
            "the pivot may have happened; resolve it as done or not done".to_owned(),
        ));
    }
    let reason = format!("{}: {}", act.by, act.why);
    back::go_back(turn, Failure { step: None, kind: FailureKind::Cancelled, reason });
    Ok(())
}

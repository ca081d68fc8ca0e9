//! What comes of requests over HTTP, which are made at the edge after the commit.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::asked::Asked;
use super::attempt;
use super::late;
use super::reply;
use crate::definition::{CallDone, CallFailed, CallRequest, Compensation, StepKind};
use crate::engine::state::place::Place;
use crate::engine::work::outcome::{Outcome, Refusal};
use crate::engine::work::turn::Turn;
use crate::engine::{
    CallOutcome, Called, Failure, FailureKind, Phase, Progress, Proof, Rejection, What,
};
use crate::expression::Name;
use crate::message::{CommandId, InputId, Part};

/// What an answer to a call reads as in expressions.
fn event(status: u16, headers: &[(String, String)], body: &Value) -> Value {
    let headers: Map<String, Value> =
        headers.iter().map(|(n, v)| (n.clone(), Value::String(v.clone()))).collect();
    serde_json::json!({ "status": status, "headers": headers, "body": body })
}

fn is_one_of(status: u16, ranges: &[RangeInclusive<u16>]) -> bool {
    ranges.iter().any(|range| range.contains(&status))
}

/// Takes what came of a call.
///
/// # Errors
/// When nothing waits for it any more, or the answer lacks what the definition reads from it.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    called: &Called,
) -> Result<(Place, Outcome), Rejection> {
    let unknown = || Rejection::Unmatched(format!("call {} was never made", called.command));
    let id: CommandId = called.command.parse().map_err(|_| unknown())?;
    let named = id.subject.step().ok_or_else(unknown)?;
    let place = Place::named(turn.definition, &turn.life().frame, named);
    let place = place.ok_or_else(unknown)?;
    let part = id.part;
    let step = turn.step_at(&place);
    let Some(Asked::Call(asked)) = Asked::of(step, part) else {
        return Err(unknown());
    };
    let mut before = turn.at(&place).request(part).cloned().ok_or_else(unknown)?;
    if !(1..=before.attempts).contains(&id.attempt) {
        return Err(unknown());
    }
    if !before.lacks_answer() {
        return Err(Rejection::Duplicate(format!("call {id} was answered before")));
    }
    let reason = match &called.outcome {
        CallOutcome::Failed { reason, unsent } => {
            // An attempt that may have left makes all that follow uncertain; one whose time was
            // given again was made twice, and the first may have left.
            if *unsent && !before.extended && id.attempt == before.unsent + 1 {
                before.unsent = id.attempt;
            }
            reason.clone()
        }
        CallOutcome::Answered { status, headers, body } => {
            let event = event(*status, headers, body);
            let answer = (*status, &event);
            let came = answered(turn, &place, part, asked, answer, &called.command)?;
            if let Some(outcome) = came {
                return Ok((place, outcome));
            }
            format!("status {status}")
        }
    };
    let is_last = id.attempt == before.attempts;
    match before.progress {
        Progress::Waiting(_) if is_last => {
            if let Some(request) = turn.at_mut(&place).request_mut(part) {
                request.unsent = before.unsent;
            }
            let outcome = attempt::over(turn, &place, part, Asked::Call(asked), &before, &reason);
            Ok((place, outcome))
        }
        // It was given up for unknown, and is known now.
        Progress::GivenUp if part == Part::Action && before.never_left() => {
            let by = InputId::named(&called.command);
            let outcome = reply::has_not_happened(turn, &place, by);
            Ok((place, outcome))
        }
        Progress::Waiting(_)
        | Progress::Pausing(_)
        | Progress::Answered
        | Progress::GivenUp
        | Progress::Parked
        | Progress::Open => Err(Rejection::Ignored(format!("call {id} was given up before"))),
    }
}

/// What follows if an answer says done or no; none if it says neither.
fn answered(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    asked: &CallRequest,
    (status, event): (u16, &Value),
    by: &str,
) -> Result<Option<Outcome>, Rejection> {
    let refused = |reason: String| Rejection::Refused(format!("{by}: {reason}"));
    if let Some(done) = find_done(turn, place, &asked.done, status, event).map_err(refused)? {
        let outcome = match part {
            Part::Action | Part::Probe => happened(turn, place, done, event, by),
            Part::Undo(_) => undone(turn, place, part, done, event, by),
        };
        return outcome.map(Some).map_err(refused);
    }
    let StepKind::Call(call) = &turn.step_at(place).kind else {
        return Ok(None);
    };
    if part != Part::Action {
        return Ok(None);
    }
    for failed in &call.failed {
        if is_one_of(status, &failed.status)
            && reply::is_so(turn, place, failed.condition.as_ref(), event).map_err(refused)?
        {
            let outcome = refused_by(turn, place, failed, (status, event), by);
            return outcome.map(Some).map_err(refused);
        }
    }
    Ok(None)
}

fn find_done<'d>(
    turn: &Turn<'_>,
    place: &Place,
    dones: &'d [CallDone],
    status: u16,
    event: &Value,
) -> Result<Option<&'d CallDone>, String> {
    for done in dones {
        if is_one_of(status, &done.status)
            && reply::is_so(turn, place, done.condition.as_ref(), event)?
        {
            return Ok(Some(done));
        }
    }
    Ok(None)
}

/// The call was done: on time, or late.
fn happened(
    turn: &mut Turn<'_>,
    place: &Place,
    done: &CallDone,
    event: &Value,
    by: &str,
) -> Result<Outcome, String> {
    let step = turn.step_at(place);
    let set = done.set.as_deref().unwrap_or(&step.set);
    if turn.at(place).phase != Phase::Running {
        late::keep(turn, place, set, event);
        return Ok(Outcome::HappenedLate(InputId::named(by)));
    }
    let written = turn.assigned(&place.line, set, Some((Name::Event, event)))?;
    turn.at_mut(place).answered(InputId::named(by));
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Succeeded(Proof::Call));
    Ok(Outcome::Succeeded(written))
}

/// The call said no: on time, or late.
fn refused_by(
    turn: &mut Turn<'_>,
    place: &Place,
    failed: &CallFailed,
    (status, event): (u16, &Value),
    by: &str,
) -> Result<Outcome, String> {
    if turn.at(place).phase != Phase::Running {
        return Ok(reply::has_not_happened(turn, place, InputId::named(by)));
    }
    let more = Some((Name::Event, event));
    let reason = match &failed.reason {
        None => format!("status {status}"),
        Some(reason) => {
            let bound = turn.bound(&place.line).with(more);
            let text = reason.text(&bound.scope());
            turn.limits.cut(&text.map_err(|e| format!("`reason` has no value: {e}"))?)
        }
    };
    let written = turn.assigned(&place.line, &failed.set, more)?;
    let name = turn.name_at(place);
    turn.at_mut(place).answered(InputId::named(by));
    let failure = Failure { step: Some(name), kind: FailureKind::Rejected, reason };
    Ok(Outcome::Rejected(Refusal { written, then: failed.then, failure }))
}

/// The call that undoes a step was done.
fn undone(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    done: &CallDone,
    event: &Value,
    by: &str,
) -> Result<Outcome, String> {
    let own = match turn.step_at(place).compensation() {
        Compensation::Call { set, .. } => set.as_slice(),
        Compensation::Unsaid
        | Compensation::Nothing
        | Compensation::Command { .. }
        | Compensation::Emit(_)
        | Compensation::Child => &[],
    };
    let set = done.set.as_deref().unwrap_or(own);
    let written = turn.assigned_undone(place, set, Some((Name::Event, event)))?;
    turn.write(&place.line, written);
    Ok(Outcome::Undone { part, by: InputId::named(by) })
}

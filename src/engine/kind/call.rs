//! Requests over HTTP, made at the edge after the commit; what comes of them is told.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::definition::{CallDone, CallRequest, CallStep, Compensation, Step, StepKind};
use crate::engine::Request;
use crate::engine::course::back;
use crate::engine::course::forward::{self, No};
use crate::engine::course::late;
use crate::engine::course::timers;
use crate::engine::request::asked::Asked;
use crate::engine::request::reply;
use crate::engine::request::send;
use crate::engine::request::slot::Slot;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;
use crate::engine::{
    CallOutcome, Called, Failure, FailureKind, NoteKind, Phase, Progress, Rejection, StepState,
};
use crate::expression::Name;
use crate::message::{CommandId, InputId};

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    call: &CallStep,
) -> Result<(), String> {
    let unsent = Request::unsent(turn.now);
    let asked = Asked::Call(&call.request);
    let sent = send::send(turn, line, step, Slot::Action, asked, &unsent)?;
    turn.push(line, StepState { action: Some(sent), ..StepState::new(step.id, Phase::Running) });
    Ok(())
}

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
pub(in crate::engine) fn take(turn: &mut Turn<'_>, called: &Called) -> Result<(), Rejection> {
    let unknown = || Rejection::Unmatched(format!("call {} was never made", called.command));
    let id: CommandId = called.command.parse().map_err(|_| unknown())?;
    let place = Place::named(turn.definition, &turn.generation.frame, &id.step);
    let place = place.ok_or_else(unknown)?;
    let slot = Slot::of(id.part);
    let step = turn.step_at(&place);
    let Some(Asked::Call(asked)) = Asked::of(step, slot) else {
        return Err(unknown());
    };
    let mut before = slot.request(turn.at(&place)).cloned().ok_or_else(unknown)?;
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
            if answered(turn, &place, slot, asked, *status, &event, &called.command)? {
                return Ok(());
            }
            format!("status {status}")
        }
    };
    let is_last = id.attempt == before.attempts;
    match before.progress {
        Progress::Waiting(_) if is_last => {
            if let Some(request) = slot.request_mut(turn.at_mut(&place)) {
                request.unsent = before.unsent;
            }
            timers::attempt_over(turn, &place, slot, Asked::Call(asked), &before, &reason);
            Ok(())
        }
        // It was given up for unknown, and is known now.
        Progress::GivenUp if slot == Slot::Action && before.never_left() => {
            late::rejection(turn, &place, InputId::named(&called.command));
            Ok(())
        }
        Progress::Waiting(_)
        | Progress::Pausing(_)
        | Progress::Answered
        | Progress::GivenUp
        | Progress::Parked
        | Progress::Open => Err(Rejection::Ignored(format!("call {id} was given up before"))),
    }
}

/// Whether an answer says done or no; then it is obeyed.
fn answered(
    turn: &mut Turn<'_>,
    place: &Place,
    slot: Slot,
    asked: &CallRequest,
    status: u16,
    event: &Value,
    by: &str,
) -> Result<bool, Rejection> {
    let refused = |reason: String| Rejection::Refused(format!("{by}: {reason}"));
    let more = Some((Name::Event, event));
    if let Some(done) = find_done(turn, place, &asked.done, status, event).map_err(refused)? {
        match slot {
            Slot::Action | Slot::Probe => happened(turn, place, done, event, by),
            Slot::Undo(run) => {
                let own = match turn.step_at(place).compensation() {
                    Compensation::Call { set, .. } => set.as_slice(),
                    Compensation::Unsaid
                    | Compensation::Nothing
                    | Compensation::Command { .. }
                    | Compensation::Emit(_)
                    | Compensation::Child => &[],
                };
                let set = done.set.as_deref().unwrap_or(own);
                turn.assigned(&place.line, set, more).map(|written| {
                    turn.write(&place.line, written);
                    back::undone(turn, place, run, InputId::named(by));
                })
            }
        }
        .map_err(refused)?;
        return Ok(true);
    }
    let StepKind::Call(call) = &turn.step_at(place).kind else {
        return Ok(false);
    };
    if slot != Slot::Action {
        return Ok(false);
    }
    for failed in &call.failed {
        let condition = failed.condition.as_ref();
        if !is_one_of(status, &failed.status)
            || !reply::is_so(turn, place, condition, event).map_err(refused)?
        {
            continue;
        }
        if turn.at(place).phase != Phase::Running {
            late::rejection(turn, place, InputId::named(by));
            return Ok(true);
        }
        let reason = match &failed.reason {
            None => format!("status {status}"),
            Some(reason) => {
                let bound = turn.bound(&place.line).with(more);
                let text = reason.text(&bound.scope());
                turn.limits.cut(&text.map_err(|e| refused(format!("`reason` has no value: {e}")))?)
            }
        };
        let written = turn.assigned(&place.line, &failed.set, more).map_err(refused)?;
        let name = turn.name_at(place);
        turn.at_mut(place).answered(InputId::named(by));
        let failure = Failure { step: name.to_string(), kind: FailureKind::Rejected, reason };
        forward::reject(turn, place, No { written, then: failed.then, failure });
        return Ok(true);
    }
    Ok(false)
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
) -> Result<(), String> {
    if turn.at(place).phase != Phase::Running {
        late::success(turn, place, InputId::named(by));
        return Ok(());
    }
    let step = turn.step_at(place);
    let set = done.set.as_deref().unwrap_or(&step.set);
    let written = turn.assigned(&place.line, set, Some((Name::Event, event)))?;
    turn.at_mut(place).answered(InputId::named(by));
    let name = turn.name_at(place);
    turn.note(Some(&name), NoteKind::Succeeded, "the call was answered");
    forward::succeed(turn, place, written);
    Ok(())
}

//! Answers to requests, and the facts that steps wait for.

use serde_json::{Map, Value};

use super::{late, probe};
use crate::definition::{Answer, Compensation, Done, Failed};
use crate::engine::state::place::Place;
use crate::engine::work::outcome::{Outcome, Refusal};
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, Inside, Phase, Proof, Request, What};
use crate::expression::{Expression, Name};
use crate::message::{Event, InputId, Part};

/// Whether a `where` over an event holds at a place.
pub(in crate::engine) fn is_so(
    turn: &Turn<'_>,
    place: &Place,
    condition: Option<&Expression>,
    event: &Value,
) -> Result<bool, String> {
    let Some(condition) = condition else {
        return Ok(true);
    };
    let bound = turn.bound(&place.line).knowing(turn.at(place).late.as_deref());
    let bound = bound.with(Some((Name::Event, event)));
    condition.holds(&bound.scope()).map_err(|e| format!("`where` has no answer: {e}"))
}

/// Takes an answer to a request or wait.
///
/// # Errors
/// When the event lacks what the definition reads from it; nothing has changed.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    answer: Answer,
    event: &Event,
) -> Result<Outcome, String> {
    let step = turn.step_at(place);
    let answers = step.answers(part);
    match (part, answer) {
        (Part::Undo(_), Answer::Done(which)) => {
            undone(turn, place, part, &answers.done[which], event)
        }
        (Part::Action, Answer::Done(which)) => done(turn, place, &answers.done[which], event),
        (Part::Action, Answer::Failed(which)) => failed(turn, place, &answers.failed[which], event),
        (Part::Probe, Answer::Done(which)) => {
            let set = answers.done[which].set.as_deref().unwrap_or(&step.set);
            let written = match turn.at(place).phase {
                Phase::Running => {
                    turn.assigned(&place.line, set, Some((Name::Event, &event.body)))?
                }
                Phase::Succeeded | Phase::Rejected | Phase::Unknown | Phase::Skipped => {
                    late::keep(turn, place, set, &event.body);
                    Map::new()
                }
            };
            Ok(probe::found(turn, place, written, InputId::of(event)))
        }
        (Part::Probe, Answer::Absent(_)) => Ok(probe::absent(turn, place, InputId::of(event))),
        (Part::Undo(_), Answer::Failed(_) | Answer::Absent(_))
        | (Part::Action, Answer::Absent(_))
        | (Part::Probe, Answer::Failed(_)) => {
            unreachable!("such a request has no such answers, so none is found")
        }
    }
}

fn done(turn: &mut Turn<'_>, place: &Place, done: &Done, event: &Event) -> Result<Outcome, String> {
    let step = turn.step_at(place);
    let set = done.set.as_deref().unwrap_or(&step.set);
    if turn.at(place).phase != Phase::Running {
        late::keep(turn, place, set, &event.body);
        return Ok(Outcome::HappenedLate(InputId::of(event)));
    }
    let written = turn.assigned(&place.line, set, Some((Name::Event, &event.body)))?;
    taken(turn, place, event);
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Succeeded(Proof::Event(event.address.event_type.clone())));
    Ok(Outcome::Succeeded(written))
}

/// The event is remembered, so that a repetition is known.
fn taken(turn: &mut Turn<'_>, place: &Place, event: &Event) {
    let settled = Request::settled(turn.now);
    let state = turn.at_mut(place);
    // A wait has sent nothing; what it keeps is only the event that ended it.
    if state.action().is_none() {
        state.inside = Inside::Fact(settled);
    }
    state.answered(InputId::of(event));
}

fn failed(
    turn: &mut Turn<'_>,
    place: &Place,
    failed: &Failed,
    event: &Event,
) -> Result<Outcome, String> {
    if turn.at(place).phase != Phase::Running {
        return Ok(has_not_happened(turn, place, InputId::of(event)));
    }
    let more = Some((Name::Event, &event.body));
    let reason = match &failed.reason {
        None => event.address.event_type.to_string(),
        Some(reason) => {
            let bound = turn.bound(&place.line).with(more);
            let text = reason.text(&bound.scope());
            turn.limits.cut(&text.map_err(|e| format!("`reason` has no value: {e}"))?)
        }
    };
    let written = turn.assigned(&place.line, &failed.set, more)?;
    taken(turn, place, event);
    let step = Some(turn.name_at(place));
    let failure = Failure { step, kind: FailureKind::Rejected, reason };
    Ok(Outcome::Rejected(Refusal { written, then: failed.then, failure }))
}

fn undone(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    done: &Done,
    event: &Event,
) -> Result<Outcome, String> {
    if let Compensation::Command { set, .. } = turn.step_at(place).compensation() {
        let set = done.set.as_deref().unwrap_or(set);
        let written = turn.assigned_undone(place, set, Some((Name::Event, &event.body)))?;
        turn.write(&place.line, written);
    }
    Ok(Outcome::Undone { part, by: InputId::of(event) })
}

/// A "no" that came after its step was given up: recorded. An undoing that was sent goes on; one
/// that was not is not needed.
pub(in crate::engine) fn has_not_happened(
    turn: &mut Turn<'_>,
    place: &Place,
    by: InputId,
) -> Outcome {
    let state = turn.at_mut(place);
    state.answered(by);
    state.phase = Phase::Rejected;
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Late { has_happened: false, by_probe: false });
    Outcome::Waits
}

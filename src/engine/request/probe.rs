//! Probes: the question whether a step happened, when its attempts are spent or it was given up.

use serde_json::{Map, Value};

use super::asked::Asked;
use super::send;
use crate::definition::{Compensation, Then};
use crate::engine::state::place::Place;
use crate::engine::work::outcome::{Outcome, Refusal};
use crate::engine::work::turn::Turn;
use crate::engine::{
    Failure, FailureKind, Inside, Phase, Progress, Proof, Request, StepState, What,
};
use crate::message::{InputId, Part};

/// Asks whether a step happened.
///
/// # Errors
/// When the question cannot be filled; nothing was sent.
pub(in crate::engine) fn ask(turn: &mut Turn<'_>, place: &Place) -> Result<(), String> {
    let step = turn.step_at(place);
    let asked =
        Asked::of(step, Part::Probe).ok_or_else(|| format!("{} has no probe", step.name))?;
    let before = match turn.at(place).probe().cloned() {
        Some(before) => Request { spent: 0, since: turn.now, ..before },
        None => Request::unsent(turn.now),
    };
    let sent = send::send(turn, &place.line, step, Part::Probe, asked, &before)?;
    let Inside::Requested(requested) = &mut turn.at_mut(place).inside else {
        unreachable!("a step is asked about only when it was sent");
    };
    requested.probe = Some(Box::new(sent));
    if requested.action.lacks_answer() {
        requested.action.progress = Progress::GivenUp;
    }
    Ok(())
}

/// Whether a step that was given up can still be asked for.
pub(in crate::engine) fn is_open(turn: &Turn<'_>, place: &Place) -> bool {
    let state = turn.at(place);
    state.phase == Phase::Unknown
        && state.probe().is_none_or(|probe| probe.progress == Progress::Parked)
        && state.action().is_some_and(Request::lacks_answer)
        && Asked::of(turn.step_at(place), Part::Probe).is_some()
}

/// The probe's answer: it happened. `written` is what the saga remembers of it, if it goes on.
pub(in crate::engine) fn found(
    turn: &mut Turn<'_>,
    place: &Place,
    written: Map<String, Value>,
    by: InputId,
) -> Outcome {
    over(turn.at_mut(place), by);
    let name = turn.name_at(place);
    if turn.at(place).phase == Phase::Running {
        turn.note(Some(&name), What::Succeeded(Proof::Probe));
        return Outcome::Succeeded(written);
    }
    turn.note(Some(&name), What::Late { has_happened: true, by_probe: true });
    Outcome::Waits
}

/// The probe's answer: it did not happen.
pub(in crate::engine) fn absent(turn: &mut Turn<'_>, place: &Place, by: InputId) -> Outcome {
    let running = turn.at(place).phase == Phase::Running;
    if let Some(probe) = turn.at_mut(place).probe_mut() {
        probe.progress = Progress::Answered;
        probe.answer = by;
    }
    let name = turn.name_at(place);
    if running {
        let reason = format!("{name} has not happened, says the probe");
        let failure = Failure { step: Some(name), kind: FailureKind::Exhausted, reason };
        return Outcome::Rejected(Refusal { written: Map::new(), then: Then::GoBack, failure });
    }
    turn.at_mut(place).phase = Phase::Rejected;
    turn.note(Some(&name), What::Late { has_happened: false, by_probe: true });
    Outcome::Waits
}

/// A probe has its answer, and so has what it asks about.
fn over(state: &mut StepState, by: InputId) {
    state.answered(by.clone());
    if let Some(probe) = state.probe_mut() {
        probe.progress = Progress::Answered;
        probe.answer = by;
    }
}

/// The probe's own attempts are spent: it stays unknown whether the step happened.
pub(in crate::engine) fn exhausted(turn: &mut Turn<'_>, place: &Place, reason: &str) -> Outcome {
    let state = turn.at_mut(place);
    if let Some(probe) = state.probe_mut() {
        probe.progress = Progress::GivenUp;
    }
    if state.phase != Phase::Running {
        return Outcome::Waits;
    }
    let name = turn.name_at(place);
    let said = *turn.step_at(place).compensation() != Compensation::Unsaid;
    if said && turn.can_go_back(&place.line) {
        let (kind, reason) = (FailureKind::Exhausted, reason.to_owned());
        return Outcome::GoesBack(Failure { step: Some(name), kind, reason });
    }
    if let Some(action) = turn.at_mut(place).action_mut().filter(|a| a.lacks_answer()) {
        action.progress = Progress::Parked;
    }
    Outcome::Parked(reason.to_owned())
}

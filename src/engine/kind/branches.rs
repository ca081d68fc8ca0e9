//! Composite steps: how their branches begin, and what it means that their time is up.

use crate::definition::{Step, Then, Verdict};
use crate::engine::state::place::{Line, Place, walk};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Branched, Failure, FailureKind, Frame, Inside, Phase, StepState, What};
use crate::message::Span;

/// Enters a composite step with its branches, which begin by themselves.
pub(super) fn open(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    frames: Vec<Frame>,
    within: Option<Span>,
) -> Outcome {
    let until = within.map(|within| turn.now.after(within));
    let inside = Inside::Branched(Branched { frames, failure: None });
    let state = StepState { until, inside, ..StepState::new(step.id, Phase::Running) };
    turn.push(line, state);
    Outcome::Waits
}

/// The time of a whole block is up.
pub(super) fn time_is_up(
    turn: &mut Turn<'_>,
    place: &Place,
    verdict: &Verdict,
    within: Option<Span>,
) -> Outcome {
    let Some(failure) = out_of_time(turn, place, verdict, within) else {
        return Outcome::Waits;
    };
    match verdict.then {
        Then::GoOn => Outcome::LeftBehind(failure),
        Then::GoBack | Then::Park => back_or_parked(turn, place, verdict, failure),
    }
}

/// A step that ran out of time and does not let the saga go on without it.
pub(super) fn back_or_parked(
    turn: &Turn<'_>,
    place: &Place,
    verdict: &Verdict,
    failure: Failure,
) -> Outcome {
    if verdict.then == Then::GoBack && turn.can_go_back(&place.line) {
        Outcome::GoesBack(failure)
    } else {
        Outcome::Parked(failure.reason)
    }
}

/// Why a block, a child or the getting of a lock has run out of time; none if it may go on, for
/// the pivot in it was sent.
pub(super) fn out_of_time(
    turn: &mut Turn<'_>,
    place: &Place,
    verdict: &Verdict,
    within: Option<Span>,
) -> Option<Failure> {
    let name = turn.name_at(place);
    let reason = format!("not done within {}", within.unwrap_or_default());
    turn.note(Some(&name), What::TimedOut { reason: reason.clone() });
    turn.at_mut(place).until = None;
    let failure = Failure { step: Some(name.clone()), kind: FailureKind::Deadline, reason };
    if !holds_pivot(turn, place) {
        return Some(failure);
    }
    let words = "the pivot in it was sent: its outcome counts";
    turn.note(Some(&name), What::Refused { reason: words.to_owned() });
    if verdict.then == Then::GoBack && !turn.life().pivoted {
        turn.await_pivot(failure);
    }
    None
}

/// Whether a pivot inside a step was sent, and is done or awaited.
fn holds_pivot(turn: &Turn<'_>, place: &Place) -> bool {
    let step = turn.step_at(place);
    if step.pivot && turn.at(place).action().is_some() {
        return true;
    }
    let found = walk(&turn.life().frame, |line, _, state| {
        let inside =
            line.owner().is_some() && line.outwards().any(|l| l.owner().as_ref() == Some(place));
        let sent = state.action().is_some()
            && matches!(state.phase, Phase::Running | Phase::Succeeded)
            && turn.step(state.step).pivot;
        (inside && sent).then_some(())
    });
    found.is_some()
}

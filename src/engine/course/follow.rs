//! What follows from the outcome of a step: the one place that reads it.

use super::{back, forward, late, race};
use crate::definition::StepKind;
use crate::engine::state::place::Place;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{Inside, Phase, What};

/// Does what follows from an outcome.
pub(in crate::engine) fn follow(turn: &mut LifeTurn<'_>, place: &Place, outcome: Outcome) {
    match outcome {
        Outcome::Waits => {}
        Outcome::Succeeded(written) => forward::succeed(turn, place, written),
        Outcome::Rejected(refusal) => forward::reject(turn, place, refusal),
        Outcome::Skipped(reason) => skip(turn, place, reason),
        Outcome::Parked(reason) => turn.park(place, false, &reason),
        Outcome::GoesBack(failure) => forward::fall_back(turn, &place.line, failure),
        Outcome::LeftBehind(failure) => {
            let Inside::Branched(branched) = &mut turn.at_mut(place).inside else {
                unreachable!("only a block whose branches run is left behind");
            };
            branched.failure = Some(Box::new(failure));
            turn.unpark(place, false);
            back::turn_branches(turn, place);
        }
        Outcome::Won(winner) => {
            race::win(turn, place, winner);
            let step = turn.step_at(place);
            let outcome = turn.concluded(place, &step.set, None);
            follow(turn, place, outcome);
        }
        Outcome::HappenedLate(by) => late::success(turn, place, by),
        Outcome::Undo => {
            back::undo(turn, place);
            rejected_at_last(turn, place);
        }
        Outcome::UndoInside => back::undo_inside(turn, place),
        Outcome::Undone { part, by } => {
            back::undone(turn, place, part, by);
            rejected_at_last(turn, place);
        }
    }
}

fn skip(turn: &mut Turn<'_>, place: &Place, reason: &str) {
    let state = turn.at_mut(place);
    state.phase = Phase::Skipped;
    state.rest();
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Skipped { reason: reason.to_owned() });
}

/// A child that ran out of time is rejected once it is undone.
fn rejected_at_last(turn: &mut LifeTurn<'_>, place: &Place) {
    let state = turn.at(place);
    if state.phase != Phase::Running || state.is_being_undone() {
        return;
    }
    if let (StepKind::Saga(child), Some(failure)) =
        (&turn.step_at(place).kind, state.failure().cloned())
    {
        let outcome = turn.refused(place, &child.failed, failure, None);
        follow(turn, place, outcome);
    }
}

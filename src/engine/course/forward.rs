//! The way forward: what the outcomes of steps mean.

use serde_json::{Map, Value};

use super::back;
use crate::definition::{Step, Then};
use crate::engine::kind::lock;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Refusal;
use crate::engine::work::turn::LifeTurn;
use crate::engine::{Failure, Phase, What};
use crate::message::Coordinate;

/// A step's success: what it writes, its place in the order, and what a pivot means.
pub(in crate::engine) fn succeed(
    turn: &mut LifeTurn<'_>,
    place: &Place,
    written: Map<String, Value>,
) {
    turn.write(&place.line, written);
    let completed = turn.completion();
    let state = turn.at_mut(place);
    state.phase = Phase::Succeeded;
    state.completed = completed;
    state.rest();
    turn.unpark(place, false);
    let step = turn.step_at(place);
    if step.pivot {
        pass_pivot(turn, step);
    }
}

/// From here there is only forward: a cancel or deadline that waited for it comes too late.
fn pass_pivot(turn: &mut LifeTurn<'_>, step: &Step) {
    turn.life_mut().pivoted = true;
    turn.life_mut().deadline = None;
    if let Some(pending) = turn.life_mut().pending.take() {
        let reason =
            format!("{}: {} has been done, there is no way back", pending.reason, step.name);
        turn.note(Some(&Coordinate::from(step.name.clone())), What::Refused { reason });
    }
    lock::passed_pivot(turn);
}

/// A step did not happen, says whoever must know.
pub(in crate::engine) fn reject(turn: &mut LifeTurn<'_>, place: &Place, refusal: Refusal) {
    let name = turn.name_at(place);
    turn.unpark(place, false);
    let state = turn.at_mut(place);
    state.phase = Phase::Rejected;
    state.forget_failure();
    state.rest();
    turn.note(Some(&name), What::Rejected { reason: refusal.failure.reason.clone() });
    match refusal.then {
        Then::GoOn => turn.write(&place.line, refusal.written),
        Then::GoBack if turn.can_go_back(&place.line) => {
            fall_back(turn, &place.line, refusal.failure);
        }
        Then::GoBack | Then::Park => {
            turn.park(place, false, &format!("rejected: {}", refusal.failure.reason));
        }
    }
}

/// Takes the way back: the innermost branch that may drop out, else the whole saga.
pub(in crate::engine) fn fall_back(turn: &mut LifeTurn<'_>, line: &Line, failure: Failure) {
    match turn.dropping(line) {
        Some(branch) => back::drop_out(turn, &branch, failure),
        None => back::go_back(turn, failure),
    }
}

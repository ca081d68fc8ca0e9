//! Late answers: a success for a step that was given up is undone, also after the end.

use super::back;
use crate::definition::Compensation;
use crate::engine::kind::lock;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;
use crate::engine::{Direction, Phase, Progress, Request, What};
use crate::message::InputId;

/// The most undoings of one step: the one on the way back, and one more for a late success.
const UNDOS_MAX: usize = 2;

/// A success that came after its step was given up.
pub(in crate::engine) fn success(turn: &mut Turn<'_>, place: &Place, by: InputId) {
    turn.at_mut(place).answered(by);
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Late { has_happened: true, by_probe: false });
    match turn.step_at(place).compensation() {
        Compensation::Nothing => {}
        // Behind the pivot nothing is undone; that a pivot has happened after all is for a person.
        Compensation::Unsaid if !turn.step_at(place).pivot => {}
        Compensation::Unsaid
        | Compensation::Command { .. }
        | Compensation::Emit(_)
        | Compensation::Call { .. }
        | Compensation::Child => owe(turn, place),
    }
}

/// Undoes a late success: now, unless its undoing is still to come on the way back, and under the
/// lock around it, if there is one.
fn owe(turn: &mut Turn<'_>, place: &Place) {
    if turn.at(place).phase != Phase::Unknown {
        let completed = turn.completion();
        let state = turn.at_mut(place);
        state.phase = Phase::Unknown;
        state.completed = completed;
    }
    let undos = turn.at(place).undos.len();
    let comes = undos == 0 && will_unwind(turn, &place.line);
    if !comes && undos < UNDOS_MAX {
        reopen(turn, &place.line);
        if lock::reacquire(turn, &place.line) {
            let waiting = Request { progress: Progress::Open, ..Request::unsent(turn.now) };
            turn.at_mut(place).undos.push(waiting);
        } else {
            back::undo(turn, place);
        }
    }
}

/// Whether the way back still comes to what is not undone in a list.
fn will_unwind(turn: &Turn<'_>, line: &Line) -> bool {
    if turn.life().ended.is_some() {
        return false;
    }
    for line in line.outwards() {
        let frame = turn.frame(&line);
        match frame.direction {
            Direction::Back => return !frame.over,
            Direction::Forward => {}
        }
    }
    false
}

/// A branch that was undone is not, as long as something in it is being undone.
fn reopen(turn: &mut Turn<'_>, line: &Line) {
    if turn.life().ended.is_some() {
        return;
    }
    for line in line.outwards().filter(|line| !line.is_main()) {
        let frame = turn.frame_mut(&line);
        if frame.direction == Direction::Back {
            frame.over = false;
        }
    }
}

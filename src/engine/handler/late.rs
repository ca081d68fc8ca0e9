//! Late answers: a success for a step that was given up is undone, also after the end.

use super::{back, request};
use crate::definition::Compensation;
use crate::engine::turn::Turn;
use crate::engine::{Direction, NoteKind, Phase};
use crate::message::Event;

/// The most undoings of one step: the one on the way back, and one more for a late success.
const UNDOS_MAX: usize = 2;

/// A success that came after its step was given up.
pub(in crate::engine) fn success(turn: &mut Turn<'_>, place: usize, event: &Event) {
    let step = turn.step(turn.generation.frame.steps[place].step);
    request::answered(&mut turn.generation.frame.steps[place], &event.id);
    turn.note(Some(&step.name), NoteKind::Late, "it has happened after all");
    match back::compensation(step) {
        Compensation::Nothing => {}
        Compensation::Unsaid
        | Compensation::Command { .. }
        | Compensation::Emit(_)
        | Compensation::Call { .. }
        | Compensation::Child => {
            owe(turn, place);
        }
    }
}

/// Undoes a late success: now, unless its undoing is still to come on the way back.
fn owe(turn: &mut Turn<'_>, place: usize) {
    if turn.generation.frame.steps[place].phase != Phase::Unknown {
        let completed = turn.completion();
        let state = &mut turn.generation.frame.steps[place];
        state.phase = Phase::Unknown;
        state.completed = completed;
    }
    let undos = turn.generation.frame.steps[place].undos.len();
    let generation = &turn.generation;
    let comes = undos == 0 && generation.direction == Direction::Back && generation.ended.is_none();
    if !comes && undos < UNDOS_MAX {
        back::undo(turn, place);
    }
    back::go_on(turn);
}

/// A "no" that came after its step was given up: recorded. An undoing that was sent goes on; one
/// that was not is not needed.
pub(in crate::engine) fn rejection(turn: &mut Turn<'_>, place: usize, event: &Event) {
    let state = &mut turn.generation.frame.steps[place];
    request::answered(state, &event.id);
    state.phase = Phase::Rejected;
    let name = &turn.definition.step(state.step).name;
    turn.note(Some(name), NoteKind::Late, "it has not happened");
}

//! Late answers: a success for a step that was given up is undone, also after the end.

use super::back;
use crate::definition::Compensation;
use crate::engine::turn::Turn;
use crate::engine::{Direction, NoteKind, Phase, Progress, StepState};
use crate::message::Event;

/// The most undoings of one step: the one on the way back, and one more for a late success.
const UNDOS_MAX: usize = 2;

/// A success that came after its step was given up.
pub(in crate::engine) fn success(turn: &mut Turn<'_>, place: usize, event: &Event) {
    let step = turn.step(turn.generation.frame.steps[place].step);
    answered(&mut turn.generation.frame.steps[place], event);
    turn.note(Some(&step.name), NoteKind::Late, "it has happened after all");
    match back::compensation(step) {
        Compensation::Unsaid if step.pivot || step.after_pivot => {
            turn.park(step.id, false, "it has happened after all, and nothing says how to undo it");
        }
        Compensation::Unsaid | Compensation::Nothing => {}
        Compensation::Command { .. } | Compensation::Emit(_) => owe(turn, place),
    }
}

/// Undoes a late success: now, unless its undoing is still to come on the way back.
fn owe(turn: &mut Turn<'_>, place: usize) {
    let completed = turn.completion();
    let state = &mut turn.generation.frame.steps[place];
    if state.phase != Phase::Unknown {
        state.phase = Phase::Unknown;
        state.completed = completed;
    }
    let undos = state.undos.len();
    let generation = &turn.generation;
    let comes = undos == 0 && generation.direction == Direction::Back && generation.ended.is_none();
    if !comes && undos < UNDOS_MAX {
        back::undo(turn, place);
    }
    back::go_on(turn);
}

/// A "no" that came after its step was given up: recorded, and nothing else.
pub(in crate::engine) fn rejection(turn: &mut Turn<'_>, place: usize, event: &Event) {
    let name = &turn.step(turn.generation.frame.steps[place].step).name;
    answered(&mut turn.generation.frame.steps[place], event);
    turn.note(Some(name), NoteKind::Late, "it has not happened");
}

fn answered(state: &mut StepState, event: &Event) {
    if let Some(action) = &mut state.action {
        action.progress = Progress::Answered;
        action.answer.clone_from(&event.id);
    }
}

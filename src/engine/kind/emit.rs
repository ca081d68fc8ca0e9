//! Facts: told, and corrected on the way back.

use crate::definition::{EmitStep, Fact, Step};
use crate::engine::course::forward::succeed;
use crate::engine::request::slot::Slot;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::fill::Addressed;
use crate::engine::work::turn::Turn;
use crate::engine::{Effect, NoteKind, Request};
use crate::message::Part;

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    emit: &EmitStep,
) -> Result<(), String> {
    let name = turn.name(line, step);
    let id = turn.command_id(&name, Part::Action, 1);
    let message = turn.fill(line, id, None, &Addressed::from(&emit.fact))?;
    let written = turn.assigned(line, &step.set, None)?;
    turn.out.effects.push(Effect::Fact(message));
    turn.note(Some(&name), NoteKind::Told, emit.fact.to.to_string());
    let place = turn.push_running(line, step);
    succeed(turn, &place, written);
    Ok(())
}

/// Tells the correcting fact of a step.
pub(in crate::engine) fn correct(
    turn: &mut Turn<'_>,
    place: &Place,
    run: usize,
    fact: &Fact,
) -> Result<Request, String> {
    let name = turn.name_at(place);
    let undoes = turn.command_id(&name, Part::Action, 1).idempotency_key();
    let id = turn.command_id(&name, Slot::Undo(run).part(), 1);
    let message = turn.fill(&place.line, id, Some(undoes), &Addressed::from(fact))?;
    turn.out.effects.push(Effect::Fact(message));
    turn.note(Some(&name), NoteKind::Undone, fact.to.to_string());
    Ok(Request::settled(turn.now))
}

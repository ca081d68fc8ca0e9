//! Enters steps.

use super::follow::follow;
use super::kinds;
use crate::definition::Step;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::{LifeTurn, Turn};

/// Enters the next step of a list. One that cannot begin keeps its place until a person acts.
pub(in crate::engine) fn enter(turn: &mut LifeTurn<'_>, line: &Line) {
    let frame = turn.frame(line);
    let id = turn.definition.block(frame.block).steps[frame.position as usize];
    let step = turn.step(id);
    let entered = match condition(turn, line, step) {
        Ok(true) => kinds::of(step).enter(turn, line, step),
        Ok(false) => {
            turn.push_running(line, step);
            Ok(Outcome::Skipped("its `when` is false"))
        }
        Err(reason) => Err(reason),
    };
    let outcome = entered.unwrap_or_else(|reason| {
        turn.push_running(line, step);
        Outcome::Parked(reason)
    });
    // A `fail` step never stands in its list, but then what follows is about the list alone.
    let at = turn.frame(line).steps.len().saturating_sub(1);
    follow(turn, &Place { line: line.clone(), at }, outcome);
}

fn condition(turn: &Turn<'_>, line: &Line, step: &Step) -> Result<bool, String> {
    match &step.when {
        None => Ok(true),
        Some(when) => {
            when.holds(&turn.bound(line).scope()).map_err(|e| format!("`when` has no answer: {e}"))
        }
    }
}

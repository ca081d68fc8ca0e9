//! Data only.

use crate::definition::Step;
use crate::engine::course::forward::succeed;
use crate::engine::state::place::Line;
use crate::engine::work::turn::Turn;

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
) -> Result<(), String> {
    let written = turn.assigned(line, &step.set, None)?;
    let place = turn.push_running(line, step);
    succeed(turn, &place, written);
    Ok(())
}

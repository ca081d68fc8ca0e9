//! Data only.

use super::forward::{push, succeed};
use crate::definition::Step;
use crate::engine::place::Line;
use crate::engine::turn::Turn;
use crate::engine::{Phase, StepState};

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
) -> Result<(), String> {
    let written = turn.assigned(line, &step.set, None)?;
    let place = push(turn, line, StepState::new(step.id, Phase::Running));
    succeed(turn, &place, written);
    Ok(())
}

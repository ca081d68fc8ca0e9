//! Requests over Kafka.

use super::request::{self, Asked, Slot};
use crate::definition::{CommandStep, Step};
use crate::engine::place::Line;
use crate::engine::work::turn::Turn;
use crate::engine::{Phase, StepState};

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    command: &CommandStep,
) -> Result<(), String> {
    let unsent = request::unsent(turn.now);
    let asked = Asked::Command(&command.request);
    let sent = request::send(turn, line, step, Slot::Action, asked, &unsent)?;
    turn.push(line, StepState { action: Some(sent), ..StepState::new(step.id, Phase::Running) });
    Ok(())
}

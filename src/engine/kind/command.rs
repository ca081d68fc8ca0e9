//! Requests over Kafka.

use crate::definition::{CommandStep, Step};
use crate::engine::Request;
use crate::engine::request::asked::Asked;
use crate::engine::request::send;
use crate::engine::request::slot::Slot;
use crate::engine::state::place::Line;
use crate::engine::work::turn::Turn;
use crate::engine::{Phase, StepState};

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    command: &CommandStep,
) -> Result<(), String> {
    let unsent = Request::unsent(turn.now);
    let asked = Asked::Command(&command.request);
    let sent = send::send(turn, line, step, Slot::Action, asked, &unsent)?;
    turn.push(line, StepState { action: Some(sent), ..StepState::new(step.id, Phase::Running) });
    Ok(())
}

//! Data only.

use super::handler::Handler;
use super::waiting;
use crate::definition::Step;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;

/// A step that only sets fields; all that it says stands in every step.
pub(in crate::engine) struct SetStep;

impl Handler for SetStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let written = turn.assigned(line, &step.set, None)?;
        turn.push_running(line, step);
        Ok(Outcome::Succeeded(written))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::has_no_time(turn.at_mut(place))
    }
}

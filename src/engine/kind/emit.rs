//! Facts that are told.

use super::handler::Handler;
use super::waiting;
use crate::definition::{EmitStep, Step};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::fill::Addressed;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Effect, What};
use crate::message::Part;

impl Handler for EmitStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let name = turn.name(line, step);
        let id = turn.command_id(&name, Part::Action, 1);
        let message = turn.fill(line, id, None, &Addressed::from(&self.fact))?;
        let written = turn.assigned(line, &step.set, None)?;
        turn.send(Effect::Fact(message));
        turn.note(Some(&name), What::Told { fact: self.fact.to.clone() });
        turn.push_running(line, step);
        Ok(Outcome::Succeeded(written))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::has_no_time(turn.at_mut(place))
    }
}

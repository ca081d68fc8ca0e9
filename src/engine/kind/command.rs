//! Requests over Kafka.

use super::handler::Handler;
use super::waiting;
use crate::definition::{CommandStep, Step};
use crate::engine::request::asked::Asked;
use crate::engine::request::send;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;

impl Handler for CommandStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        send::first(turn, line, step, Asked::Command(&self.request))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::has_no_time(turn.at_mut(place))
    }
}

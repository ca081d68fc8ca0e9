//! Requests over HTTP, made at the edge after the commit; what comes of them is told.

use super::handler::Handler;
use super::waiting;
use crate::definition::{CallStep, Step};
use crate::engine::request::asked::Asked;
use crate::engine::request::send;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;

impl Handler for CallStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        send::first(turn, line, step, Asked::Call(&self.request))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::has_no_time(turn.at_mut(place))
    }
}

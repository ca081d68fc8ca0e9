//! The way back, because the definition says so.

use super::handler::Handler;
use super::waiting;
use crate::definition::Step;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind};
use crate::expression::Template;

/// A `fail` step is its reason. It never stands in its list, for the list goes back at once.
impl Handler for Template {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let reason = turn.text(line, self)?;
        if !turn.can_go_back(line) {
            return Err(format!("there is no way back behind the pivot: {reason}"));
        }
        let step = Some(turn.name(line, step));
        Ok(Outcome::GoesBack(Failure { step, kind: FailureKind::Failed, reason }))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::has_no_time(turn.at_mut(place))
    }
}

//! The way back, because the definition says so.

use crate::definition::Step;
use crate::engine::course::forward::fall;
use crate::engine::state::place::Line;
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind};
use crate::expression::Template;

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    reason: &Template,
) -> Result<(), String> {
    let reason = turn.text(line, reason)?;
    if !turn.can_go_back(line) {
        return Err(format!("there is no way back behind the pivot: {reason}"));
    }
    let step = turn.name(line, step).to_string();
    fall(turn, line, Failure { step, kind: FailureKind::Failed, reason });
    Ok(())
}

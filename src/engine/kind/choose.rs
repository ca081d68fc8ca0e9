//! One of several branches.

use crate::definition::{ChooseStep, Step};
use crate::engine::Frame;
use crate::engine::course::forward;
use crate::engine::course::join;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    choose: &ChooseStep,
) -> Result<(), String> {
    let bound = turn.bound(line);
    let scope = bound.scope();
    let mut chosen = None;
    for (index, arm) in choose.arms.iter().enumerate() {
        let holds = match &arm.when {
            None => true,
            Some(when) => when.holds(&scope).map_err(|e| format!("a guard has no answer: {e}"))?,
        };
        if holds {
            chosen = Some((index, arm.block));
            break;
        }
    }
    drop(bound);
    let (index, block) = chosen.ok_or("no guard holds; the choice was said to be total")?;
    join::open(turn, line, step, vec![Frame::branch(block, index)], choose.within);
    Ok(())
}

/// The branch that was taken is done.
pub(in crate::engine) fn join(turn: &mut Turn<'_>, place: &Place, step: &Step) {
    forward::conclude(turn, place, &step.set, None);
}

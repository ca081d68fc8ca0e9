//! One of several branches.

use super::branches;
use super::handler::{Branches, Handler};
use crate::definition::{ChooseStep, Step, Verdict};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Frame, StepState};
use crate::message::Span;

impl Handler for ChooseStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let bound = turn.bound(line);
        let scope = bound.scope();
        let mut chosen = None;
        for (index, arm) in self.arms.iter().enumerate() {
            let holds = match &arm.when {
                None => true,
                Some(when) => {
                    when.holds(&scope).map_err(|e| format!("a guard has no answer: {e}"))?
                }
            };
            if holds {
                chosen = Some((index, arm.block));
                break;
            }
        }
        drop(bound);
        let (index, block) = chosen.ok_or("no guard holds; the choice was said to be total")?;
        Ok(branches::open(turn, line, step, vec![Frame::branch(block, index)], self.within))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        branches::time_is_up(turn, place, &self.failed, self.within)
    }

    fn limits(&self) -> Option<(&Verdict, Option<Span>)> {
        Some((&self.failed, self.within))
    }

    fn branches(&self) -> Option<&dyn Branches> {
        Some(self)
    }
}

impl Branches for ChooseStep {
    fn are_ready(&self, state: &StepState) -> bool {
        state.frames().iter().all(Frame::is_done)
    }

    /// The branch that was taken is done.
    fn join(&self, turn: &mut Turn<'_>, place: &Place, step: &Step) -> Outcome {
        turn.concluded(place, &step.set, None)
    }
}

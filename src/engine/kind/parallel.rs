//! Named branches beside each other: all of them, or the first.

use super::branches;
use super::handler::{Branches, Handler};
use crate::definition::{Join, ParallelStep, Step, Verdict};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, Frame, StepState};
use crate::message::Span;

impl Handler for ParallelStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let blocks = self.branches.iter().enumerate();
        let frames = blocks.map(|(index, block)| Frame::branch(*block, index)).collect();
        Ok(branches::open(turn, line, step, frames, self.within))
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

impl Branches for ParallelStep {
    fn are_ready(&self, state: &StepState) -> bool {
        match self.join {
            Join::All => state.frames().iter().all(Frame::is_done),
            Join::First => {
                state.frames().iter().all(|f| f.over) || state.frames().iter().any(Frame::is_done)
            }
        }
    }

    /// All branches are done, one has won, or all have dropped out.
    fn join(&self, turn: &mut Turn<'_>, place: &Place, step: &Step) -> Outcome {
        let won = turn.at(place).frames().iter().position(Frame::is_done);
        match (self.join, won) {
            (Join::All, _) => turn.concluded(place, &step.set, None),
            (Join::First, Some(winner)) => Outcome::Won(winner),
            (Join::First, None) => {
                let failure = all_rejected(turn, place);
                turn.refused(place, &self.failed, failure, None)
            }
        }
    }
}

fn all_rejected(turn: &Turn<'_>, place: &Place) -> Failure {
    let reason = |frame: &Frame| {
        let name = &turn.definition.block(frame.block).name;
        let why = frame.failure.as_ref().map_or("", |f| f.reason.as_str());
        format!("{name}: {why}")
    };
    let reasons: Vec<String> = turn.at(place).frames().iter().map(reason).collect();
    Failure {
        step: Some(turn.name_at(place)),
        kind: FailureKind::Rejected,
        reason: turn.limits.cut(&reasons.join("; ")),
    }
}

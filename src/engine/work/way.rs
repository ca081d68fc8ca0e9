//! Whether and where there is a way back.

use super::turn::Turn;
use crate::definition::{Composite, Join, OnFailed};
use crate::engine::state::place::{Line, walk};
use crate::engine::{Direction, Phase};

impl Turn<'_> {
    /// Whether what goes wrong in a list can be left behind: by a branch that drops out, or by the
    /// whole saga while it is before its pivot.
    pub fn can_go_back(&self, line: &Line) -> bool {
        !self.life.pivoted || self.dropping(line).is_some()
    }

    /// The innermost branch around a list that drops out alone when something in it goes wrong.
    pub fn dropping(&self, line: &Line) -> Option<Line> {
        if line.is_main() {
            return None;
        }
        line.outwards().find(|line| {
            line.owner().is_some_and(|owner| match self.step_at(&owner).composite() {
                Some(Composite::Parallel(parallel)) => parallel.join == Join::First,
                Some(Composite::Each(each)) => each.on_failed == OnFailed::Drop,
                Some(Composite::Choose(_) | Composite::Lock(_)) | None => false,
            }) && self.frame(line).direction == Direction::Forward
        })
    }

    /// Whether a pivot was sent and has no outcome yet: cancel and deadline wait for it.
    pub fn awaits_pivot(&self) -> bool {
        let found = walk(&self.life.frame, |_, _, state| {
            let sent = state.phase == Phase::Running && state.action().is_some();
            (sent && self.step(state.step).pivot).then_some(())
        });
        found.is_some()
    }
}

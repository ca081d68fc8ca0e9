use crate::definition::{Step, Verdict};
use crate::engine::StepState;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::message::Span;

/// What the steps of one kind do; each kind implements it on its part of the definition.
pub(in crate::engine) trait Handler {
    /// Enters a step, which then stands last in its list.
    ///
    /// # Errors
    /// When it cannot begin, with the reason; nothing has changed then.
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String>;

    /// The step's own time is up.
    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome;

    /// Whether it undoes what it did in its own way, and has begun to; else the definition's
    /// `compensation` says how.
    fn takes_back(&self, _turn: &mut Turn<'_>, _place: &Place) -> bool {
        false
    }

    /// What its own rejection means, and how long it may take, where such a rejection is made by
    /// no single event.
    fn limits(&self) -> Option<(&Verdict, Option<Span>)> {
        None
    }

    /// How its branches run; none if it has none.
    fn branches(&self) -> Option<&dyn Branches> {
        None
    }
}

/// What the composite kinds do with their branches.
pub(in crate::engine) trait Branches {
    /// The most branches that run at once.
    fn at_once(&self) -> usize {
        usize::MAX
    }

    /// Whether the branches of a running step have come as far as it needs.
    fn are_ready(&self, state: &StepState) -> bool;

    /// Draws the sum once they have come so far.
    fn join(&self, turn: &mut Turn<'_>, place: &Place, step: &Step) -> Outcome;

    /// Does what is left to do after the outcome of the join was followed.
    fn joined(&self, _turn: &mut Turn<'_>, _place: &Place) {}
}

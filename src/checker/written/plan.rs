//! A run of the explored instance, as far as a scenario can follow it.

use super::super::edge::Stride;
use super::super::explore::nothing;
use super::super::model::{Ending, Stands, State};
use super::super::moves::Move;
use super::super::world::World;
use crate::engine::Say;
use crate::message::{Coordinate, InstanceId};

/// A run, and what it is for.
#[derive(Clone)]
pub(super) struct Plan {
    pub strides: Vec<Planned>,
    /// The move behind them that the engine does not take.
    pub refused: Option<Planned>,
    pub goal: Goal,
}

/// One move of a run, and where it leads.
#[derive(Clone)]
pub(super) struct Planned {
    pub next: Move,
    pub before: State,
    pub after: State,
    /// The locks that must be somebody else's when it comes, for they are waited for behind it.
    pub held: Vec<InstanceId>,
    /// Why it must have gone back, if it has: of the explored instance that is forgotten.
    pub why: Option<(Option<Coordinate>, &'static str)>,
}

/// What a scenario must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    /// This end.
    End(Ending),
    /// The end of the run, wherever it is.
    Anywhere,
}

impl Plan {
    /// Follows a run through the explored states, as far as the engine takes it.
    pub fn of(world: &World, run: &[Stride], goal: Goal) -> Self {
        let why = match &goal {
            Goal::End(Ending::Compensated { step, kind }) => Some((step.clone(), *kind)),
            Goal::End(Ending::Completed | Ending::Stuck { .. }) | Goal::Anywhere => None,
        };
        let (mut strides, mut refused) = (Vec::new(), None);
        let mut state = nothing();
        for (next, script) in run {
            let (next, before) = (next.clone(), state.clone());
            let outcome = world.once(&before, &next, script.clone()).outcome;
            let is_taken = outcome.is_ok();
            state = outcome.map_or(state, |taken| taken.state);
            let (after, held, why) = (state.clone(), Vec::new(), why.clone());
            let planned = Planned { next, before, after, held, why };
            if is_taken {
                strides.push(planned);
            } else {
                refused = Some(planned);
                break;
            }
        }
        let mut plan = Self { strides, refused, goal };
        plan.hold();
        plan
    }

    /// Notes the locks that are waited for while something else happens.
    fn hold(&mut self) {
        for at in 0..self.strides.len() {
            let waits = |state: &State, id: &InstanceId| {
                state.around.partners.get(id).is_some_and(|p| p.stands == Stands::Waiting)
            };
            let stride = &self.strides[at];
            let granted = match self.strides.get(at + 1).map(|next| &next.next) {
                Some(Move::Letter { from, say: Say::Granted { .. }, .. }) => Some(from),
                Some(_) | None => None,
            };
            let partners = stride.after.around.partners.keys();
            let held = partners
                .filter(|id| waits(&stride.after, id) && !waits(&stride.before, id))
                .filter(|id| granted != Some(*id));
            self.strides[at].held = held.cloned().collect();
        }
    }
}

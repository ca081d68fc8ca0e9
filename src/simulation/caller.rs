use std::time::Duration;

use super::deed::Deed;
use super::fault::{Fault, Moment, PortCall};
use super::state::Caller as Process;
use super::world::World;
use crate::engine::{Call, CallOutcome, Called};
use crate::message::Traced;
use crate::participants::Response;
use crate::runtime::Caller;

/// So many in a thousand calls never leave.
const UNSENT: u32 = 75;
/// So many have no answer.
const UNANSWERED: u32 = 75;
/// How soon it is known that nobody listens.
const REFUSED_AFTER: Duration = Duration::from_millis(1);

/// Makes the calls of one pipeline; what is under way is lost with it, as it is with a process.
#[derive(Debug)]
pub struct SimulatedCaller {
    world: World,
    process: Process,
    under_way: Vec<(Duration, Called)>,
}

impl SimulatedCaller {
    pub(super) fn new(world: World, process: Process) -> Self {
        Self { world, process, under_way: Vec::new() }
    }

    /// What comes of a call, and after what time.
    fn answer(&self, call: &Call) -> (Duration, CallOutcome) {
        let mut guard = self.world.state();
        let state = &mut *guard;
        let lost = |reason: &str, unsent| CallOutcome::Failed { reason: reason.to_owned(), unsent };
        if state.dice.chance(UNSENT) {
            state.tally.count(Fault::CallUnsent);
            return (REFUSED_AFTER, lost("nobody listens", true));
        }
        let now = state.now();
        let decided = state.setup.callees.decide(call, now);
        let key = &call.idempotency_key;
        if state.setup.callees.holds(key) {
            state.act(Deed { key: key.clone(), undoes: call.undoes.clone() });
        }
        let (way, outcome) = match decided {
            Ok(Some(Response { at, status, body })) => {
                let way = Duration::from_millis(at.since(now).0);
                (way, CallOutcome::Answered { status, headers: Vec::new(), body })
            }
            Ok(None) => (Duration::from_millis(call.within.0), lost("no answer", false)),
            Err(reason) => {
                let outcome = lost(&reason, true);
                state.complaints.push(reason);
                (REFUSED_AFTER, outcome)
            }
        };
        if state.dice.chance(UNANSWERED) {
            state.tally.count(Fault::CallUnanswered);
            return (way, lost("the connection was reset", false));
        }
        (way, outcome)
    }
}

impl Caller for SimulatedCaller {
    fn start(&mut self, call: Call, _traced: Traced) {
        if self.world.state().cross(&self.process, PortCall::Request, Moment::Before).is_err() {
            return;
        }
        let (way, outcome) = self.answer(&call);
        let mut state = self.world.state();
        let at = state.elapsed + way;
        state.called_out = state.called_out.max(at);
        let command = call.id.to_string();
        state.made.push(call);
        // Whoever is dead now learns nothing more of it.
        let _ = state.cross(&self.process, PortCall::Request, Moment::After);
        drop(state);
        self.under_way.push((at, Called { command, outcome }));
    }

    fn finished(&mut self) -> Vec<Called> {
        let now = self.world.elapsed();
        let under_way = std::mem::take(&mut self.under_way);
        let (done, rest): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|(at, _)| *at <= now);
        self.under_way = rest;
        done.into_iter().map(|(_, called)| called).collect()
    }

    fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

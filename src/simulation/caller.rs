use std::time::Duration;

use serde_json::json;

use super::fault::{Call as Port, Fault, Moment};
use super::services::Deed;
use super::state::Caller as Process;
use super::world::World;
use crate::engine::{Call, CallOutcome, Called};
use crate::message::Traced;
use crate::runtime::Caller;

/// So many in a thousand calls never leave.
const UNSENT: u32 = 75;
/// So many have no answer.
const UNANSWERED: u32 = 75;
/// So many are answered with no; what undoes something never is.
const DECLINED: u32 = 150;
/// The longest way of an answer.
const WAY_MS_MAX: u64 = 400;

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
        let mut state = self.world.state();
        let way = Duration::from_millis(1 + state.dice.below(WAY_MS_MAX));
        if state.dice.chance(UNSENT) {
            state.tally.count(Fault::CallUnsent);
            let reason = "nobody listens".to_owned();
            return (way, CallOutcome::Failed { reason, unsent: true });
        }
        let key = call.idempotency_key.clone();
        let done = state.decide(&key, if call.undoes.is_some() { 0 } else { DECLINED });
        if done {
            let instance = call.id.instance.to_string();
            state.act(Deed { key, instance, undoes: call.undoes.clone() });
        }
        if state.dice.chance(UNANSWERED) {
            state.tally.count(Fault::CallUnanswered);
            let reason = "the connection was reset".to_owned();
            return (way, CallOutcome::Failed { reason, unsent: false });
        }
        let status = if done { 200 } else { 409 };
        let body = json!({ "key": call.idempotency_key });
        (way, CallOutcome::Answered { status, headers: Vec::new(), body })
    }
}

impl Caller for SimulatedCaller {
    fn start(&mut self, call: Call, _traced: Traced) {
        if self.world.state().cross(&self.process, Port::Request, Moment::Before).is_err() {
            return;
        }
        let (way, outcome) = self.answer(&call);
        let mut state = self.world.state();
        let at = state.elapsed + way;
        state.called_out = state.called_out.max(at);
        let command = call.id.to_string();
        state.made.push(call);
        // Whoever is dead now hears of it nothing more.
        let _ = state.cross(&self.process, Port::Request, Moment::After);
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

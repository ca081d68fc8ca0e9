use std::time::Duration;

use serde_json::json;

use super::state::Caller as Process;
use super::world::World;
use crate::engine::{Call, CallOutcome, Called};
use crate::runtime::Caller;

/// The services behind `call` steps, so many in a thousand calls of which have no answer.
const UNANSWERED: u32 = 150;
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
}

impl Caller for SimulatedCaller {
    fn start(&mut self, call: Call, _trace_parent: String) {
        let mut state = self.world.state();
        if state.live(&self.process).is_err() {
            return;
        }
        let way = Duration::from_millis(1 + state.dice.below(WAY_MS_MAX));
        let outcome = if state.dice.chance(UNANSWERED) {
            CallOutcome::Failed { reason: "the connection was reset".to_owned() }
        } else {
            let body = json!({ "key": call.idempotency_key });
            CallOutcome::Answered { status: 200, headers: Vec::new(), body }
        };
        let at = state.elapsed + way;
        drop(state);
        self.under_way.push((at, Called { command: call.id.to_string(), outcome }));
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

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex, PoisonError};

use super::Callees;
use super::run::now;
use crate::engine::{Call, CallOutcome, Called};
use crate::message::{Timestamp, Traced};
use crate::runtime::Caller;

/// Makes the calls of one pipeline to services of this process: nothing goes over the network.
#[derive(Debug)]
pub struct ScriptedCaller {
    callees: Arc<Mutex<Callees>>,
    order: BinaryHeap<Reverse<(Timestamp, u64)>>,
    outcomes: BTreeMap<u64, Called>,
    made: u64,
}

impl ScriptedCaller {
    /// A caller of services that others may call too.
    #[must_use]
    pub fn new(callees: Arc<Mutex<Callees>>) -> Self {
        Self { callees, order: BinaryHeap::new(), outcomes: BTreeMap::new(), made: 0 }
    }
}

impl Caller for ScriptedCaller {
    fn start(&mut self, call: Call, _traced: Traced) {
        let now = now();
        let decided = {
            let mut callees = self.callees.lock().unwrap_or_else(PoisonError::into_inner);
            callees.decide(&call, now)
        };
        let (at, outcome) = match decided {
            Ok(Some(response)) => {
                let (status, body) = (response.status, response.body);
                (response.at, CallOutcome::Answered { status, headers: Vec::new(), body })
            }
            Ok(None) => {
                let reason = format!("no answer within {}", call.within);
                (now.after(call.within), CallOutcome::Failed { reason, unsent: false })
            }
            Err(reason) => {
                tracing::warn!(%reason, "call.unanswered");
                (now, CallOutcome::Failed { reason, unsent: true })
            }
        };
        self.made += 1;
        self.order.push(Reverse((at, self.made)));
        self.outcomes.insert(self.made, Called { command: call.id.to_string(), outcome });
    }

    fn finished(&mut self) -> Vec<Called> {
        let now = now();
        let mut finished = Vec::new();
        while let Some(Reverse((at, number))) = self.order.peek().copied() {
            if at > now {
                break;
            }
            self.order.pop();
            finished.extend(self.outcomes.remove(&number));
        }
        finished
    }

    fn under_way(&self) -> usize {
        self.outcomes.len()
    }
}

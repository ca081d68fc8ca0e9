use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::message::{Outgoing, Timestamp};

const IDLE_MAX: Duration = Duration::from_millis(50);

/// Messages whose time has not come; those of one moment leave in the order of their making.
#[derive(Default)]
pub(super) struct Waiting {
    order: BinaryHeap<Reverse<(Timestamp, u64)>>,
    messages: BTreeMap<u64, Outgoing>,
    made: u64,
}

impl Waiting {
    pub fn add(&mut self, at: Timestamp, message: Outgoing) {
        self.made += 1;
        self.order.push(Reverse((at, self.made)));
        self.messages.insert(self.made, message);
    }

    /// How long nothing is due.
    pub fn pause(&self, now: Timestamp) -> Duration {
        match self.order.peek() {
            Some(Reverse((at, _))) => Duration::from_millis(at.since(now).0).min(IDLE_MAX),
            None => IDLE_MAX,
        }
    }

    pub fn due(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut due = Vec::new();
        while let Some(Reverse((at, number))) = self.order.peek().copied() {
            if at > now {
                break;
            }
            self.order.pop();
            due.extend(self.messages.remove(&number));
        }
        due
    }

    pub fn len(&self) -> u64 {
        self.messages.len() as u64
    }
}

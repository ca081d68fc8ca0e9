use std::collections::BTreeSet;

use bytes::Bytes;

use crate::message::Timestamp;

/// Below so many timers, more are read from the store.
const TIMERS_FEW: usize = 25_000;

/// The timers of a shard that are due before a horizon; later ones lie in the store.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    timers: BTreeSet<(Timestamp, Bytes)>,
    /// Timers up to here are all known.
    horizon: Timestamp,
}

impl Schedule {
    /// Replaces an instance's timer.
    pub fn replace(&mut self, key: &Bytes, before: Option<Timestamp>, after: Option<Timestamp>) {
        if before == after {
            // It may have been taken out to be appended; the same moment is asked for again.
            if let Some(at) = after.filter(|at| *at <= self.horizon) {
                self.timers.insert((at, key.clone()));
            }
            return;
        }
        if let Some(at) = before {
            self.timers.remove(&(at, key.clone()));
        }
        if let Some(at) = after.filter(|at| *at <= self.horizon) {
            self.timers.insert((at, key.clone()));
        }
    }

    /// The earliest timer.
    pub fn first(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest timer if it is due.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, Bytes)> {
        if self.first()? > now {
            return None;
        }
        self.timers.pop_first()
    }

    /// Whether the horizon is nearer than it should be, and there is room for more timers.
    pub fn wants_more(&self, near: Timestamp) -> bool {
        self.horizon < near && self.timers.len() < TIMERS_FEW
    }

    /// Adds timers from the store and moves the horizon.
    pub fn extend(&mut self, timers: impl Iterator<Item = (Timestamp, Bytes)>, horizon: Timestamp) {
        self.timers.extend(timers);
        self.horizon = horizon;
    }
}

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::format::changelog::saga_of;
use crate::message::Timestamp;

/// Below so many timers, more are read from the store.
const TIMERS_FEW: usize = 25_000;

/// The timers of a shard that are due before a horizon; later ones lie in the store.
///
/// Timers are kept by saga, because how far the users' topics of a saga were read decides which
/// of its timers may strike.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    sagas: BTreeMap<Bytes, BTreeSet<(Timestamp, Bytes)>>,
    /// How many timers there are in all.
    count: usize,
    /// Timers up to here are all known.
    horizon: Timestamp,
}

impl Schedule {
    /// Replaces an instance's timer.
    pub fn replace(&mut self, key: &Bytes, before: Option<Timestamp>, after: Option<Timestamp>) {
        // A timer that did not change may have been taken out to be appended; then the same
        // moment is asked for again.
        if before != after
            && let Some(at) = before
        {
            self.remove(at, key);
        }
        if let Some(at) = after.filter(|at| *at <= self.horizon) {
            self.insert(at, key.clone());
        }
    }

    /// How long nothing of this schedule is due; none without timers, zero if something is.
    pub fn rest(&self, now: Timestamp) -> Option<u64> {
        let first = self.sagas.values().filter_map(BTreeSet::first).map(|(at, _)| *at).min()?;
        Some(first.since(now).0)
    }

    /// The sagas that have timers due by now, each with the moment of the last of these timers.
    pub fn due(&self, now: Timestamp) -> Vec<(Bytes, Timestamp)> {
        let behind = (Timestamp(now.0.saturating_add(1)), Bytes::new());
        let mut due = Vec::new();
        for (saga, timers) in &self.sagas {
            if let Some((last, _)) = timers.range(..&behind).next_back() {
                due.push((saga.clone(), *last));
            }
        }
        due
    }

    /// Takes out the earliest timer of a saga if it is due by then.
    pub fn pop(&mut self, saga: &Bytes, until: Timestamp) -> Option<Bytes> {
        let timers = self.sagas.get_mut(saga)?;
        if timers.first()?.0 > until {
            return None;
        }
        let (_, key) = timers.pop_first()?;
        self.count -= 1;
        if timers.is_empty() {
            self.sagas.remove(saga);
        }
        Some(key)
    }

    /// Whether the horizon is nearer than it should be, and there is room for more timers.
    pub fn wants_more(&self, near: Timestamp) -> bool {
        self.horizon < near && self.has_room()
    }

    /// Adds timers from the store and moves the horizon.
    pub fn extend(&mut self, timers: impl Iterator<Item = (Timestamp, Bytes)>, horizon: Timestamp) {
        for (at, key) in timers {
            self.insert(at, key);
        }
        self.horizon = horizon;
    }

    /// Whether there is room for more timers.
    pub fn has_room(&self) -> bool {
        self.count < TIMERS_FEW
    }

    /// Adds timers that lay behind every horizon.
    pub fn admit(&mut self, timers: impl Iterator<Item = (Timestamp, Bytes)>) {
        for (at, key) in timers {
            self.insert(at, key);
        }
    }

    fn insert(&mut self, at: Timestamp, key: Bytes) {
        let saga = saga_of(&key);
        let timers = match self.sagas.get_mut(&saga) {
            Some(timers) => timers,
            None => self.sagas.entry(saga).or_default(),
        };
        self.count += usize::from(timers.insert((at, key)));
    }

    fn remove(&mut self, at: Timestamp, key: &Bytes) {
        let saga = saga_of(key);
        let Some(timers) = self.sagas.get_mut(&saga) else {
            return;
        };
        self.count -= usize::from(timers.remove(&(at, key.clone())));
        if timers.is_empty() {
            self.sagas.remove(&saga);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn popped(schedule: &mut Schedule, saga: &str, until: i64) -> Vec<Bytes> {
        let saga = key(saga);
        let pop = || schedule.pop(&saga, Timestamp(until));
        std::iter::from_fn(pop).collect()
    }

    #[test]
    fn timers_strike_by_saga_and_in_their_order() {
        let mut schedule = Schedule::default();
        let stored = [(Timestamp(30), key("i/a/late")), (Timestamp(10), key("i/a/x/y"))];
        schedule.extend(stored.into_iter(), Timestamp(100));
        schedule.replace(&key("i/b/1"), None, Some(Timestamp(20)));
        schedule.replace(&key("i/b/2"), None, Some(Timestamp(101)));
        assert_eq!(schedule.rest(Timestamp(4)), Some(6));
        let due = [(key("a"), Timestamp(10)), (key("b"), Timestamp(20))];
        assert_eq!(schedule.due(Timestamp(20)), due);
        assert_eq!(popped(&mut schedule, "a", 9), [""; 0]);
        assert_eq!(popped(&mut schedule, "a", 30), ["i/a/x/y", "i/a/late"]);
        assert_eq!(popped(&mut schedule, "b", 1_000), ["i/b/1"], "the other lies in the store");
        assert_eq!(schedule.rest(Timestamp(0)), None);
    }

    #[test]
    fn a_timer_moves_with_its_instance_and_comes_back_when_it_is_asked_for_again() {
        let mut schedule = Schedule::default();
        schedule.extend(std::iter::empty(), Timestamp(100));
        let one = key("i/a/1");
        schedule.replace(&one, None, Some(Timestamp(10)));
        schedule.replace(&one, Some(Timestamp(10)), Some(Timestamp(50)));
        assert_eq!(schedule.due(Timestamp(49)), []);
        assert_eq!(popped(&mut schedule, "a", 50), ["i/a/1"]);
        // Nothing came of its wake, so the same moment is asked for again.
        schedule.replace(&one, Some(Timestamp(50)), Some(Timestamp(50)));
        assert_eq!(popped(&mut schedule, "a", 50), ["i/a/1"]);
        schedule.replace(&one, Some(Timestamp(50)), None);
        assert_eq!(schedule.rest(Timestamp(0)), None);
        schedule.admit([(Timestamp(7), one.clone())].into_iter());
        assert_eq!(popped(&mut schedule, "a", 7), ["i/a/1"], "what a pause kept");
        assert!(schedule.wants_more(Timestamp(101)) && !schedule.wants_more(Timestamp(100)));
    }
}

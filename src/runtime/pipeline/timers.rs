//! Keeps the timers of the next minutes in memory; the store has all others.

use super::Pipeline;
use crate::message::{Shard, Span, Timestamp};
use crate::runtime::clock::Clock;
use crate::runtime::ports::{Broker, Lost, Store, Waker};
use crate::runtime::shard::{Fault, ShardState};

/// How far ahead timers are kept in memory.
const HORIZON: Span = Span::seconds(600);
/// The most timers of a shard that are read from the store at once.
const TIMERS_MAX: usize = 50_000;
impl<B: Broker + Waker, S: Store, C: Clock> Pipeline<B, S, C> {
    /// Looks further ahead for timers where it is time.
    pub(super) fn look_ahead(&mut self) -> Result<(), Lost> {
        let near = self.clock.now().after(Span(HORIZON.0 / 2));
        let wants = |(shard, state): (&Shard, &ShardState)| {
            state.schedule.wants_more(near).then_some(*shard)
        };
        let shards: Vec<Shard> = self.shards.iter().filter_map(wants).collect();
        shards.into_iter().try_for_each(|shard| self.extend(shard))
    }

    /// Reads the timers up to a new horizon from the store; what it lacks is held.
    pub(super) fn extend(&mut self, shard: Shard) -> Result<(), Lost> {
        let horizon = self.clock.now().after(HORIZON);
        let timers = self.store.due(shard, horizon, TIMERS_MAX);
        let timers = timers.map_err(|fault| self.faulted(Fault::Store(fault)))?;
        let reached = match timers.last() {
            // There may be more of that very moment.
            Some((last, _)) if timers.len() == TIMERS_MAX => Timestamp(last.0 - 1),
            _ => horizon,
        };
        if let Some(state) = self.shards.get_mut(&shard) {
            let unstored = state.held.unstored();
            let stored = timers.into_iter().filter(|(_, key)| !unstored.contains_key(key));
            let held = unstored.iter().filter_map(|(key, due)| Some(((*due)?, key.clone())));
            let held = held.filter(|(due, _)| *due <= reached);
            state.schedule.extend(stored.chain(held), reached);
        }
        let watched = self.store.watch(shard, reached);
        watched.map_err(|fault| self.faulted(Fault::Store(fault)))
    }
}

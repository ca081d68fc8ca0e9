//! Keeps the timers of the next minutes in memory; the store has all others.

use bytes::Bytes;

use super::Pipeline;
use crate::definition::State;
use crate::engine;
use crate::format::changelog::saga_of;
use crate::message::{SagaName, Shard, Span, Timestamp};
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
        shards.into_iter().try_for_each(|shard| self.extend(shard))?;
        let wants = |state: &ShardState| state.kept_from.is_some() && state.schedule.has_room();
        let shards: Vec<Shard> =
            self.shards.iter().filter(|(_, s)| wants(s)).map(|(shard, _)| *shard).collect();
        shards.into_iter().try_for_each(|shard| self.admit_kept(shard))
    }

    /// Lets the starts strike that a pause kept, in their order, where the saga is not paused any
    /// more. One that is let strike twice is woken in vain.
    fn admit_kept(&mut self, shard: Shard) -> Result<(), Lost> {
        let from = self.shards.get(&shard).and_then(|state| state.kept_from);
        let Some(from) = from else { return Ok(()) };
        let timers = self.store.due(shard, from..=Timestamp(i64::MAX), TIMERS_MAX);
        let timers = timers.map_err(|fault| self.faulted(Fault::Store(fault)))?;
        let Some(state) = self.shards.get_mut(&shard) else { return Ok(()) };
        let last = timers.last().filter(|_| timers.len() == TIMERS_MAX).map(|(last, _)| *last);
        state.kept_from = last.map(|last| last.max(from.after(Span(1))));
        let unstored = state.held.unstored();
        let stored = timers.into_iter().filter(|(_, key)| !unstored.contains_key(key));
        let held = unstored.iter().filter_map(|(key, due)| Some(((*due)?, key.clone())));
        let held = held.filter(|(due, _)| *due >= from);
        let starts = |key: &Bytes| {
            let saga = SagaName::new(&String::from_utf8_lossy(&saga_of(key))).ok();
            let starting = saga.as_ref().and_then(|saga| state.catalog.starting(saga));
            matches!(starting, Some((_, State::Active | State::Retired)))
        };
        let kept = stored.chain(held).filter(|(_, key)| starts(key));
        // Whatever the clock says, they are due, in the order of their events.
        let at_once = |due: Timestamp| Timestamp(due.0 - engine::WHEN_ACTIVE.0 + i64::MIN / 2);
        let kept: Vec<_> = kept.map(|(due, key)| (at_once(due), key)).collect();
        state.schedule.admit(kept.into_iter());
        Ok(())
    }

    /// Reads the timers up to a new horizon from the store; what it lacks is held.
    pub(super) fn extend(&mut self, shard: Shard) -> Result<(), Lost> {
        let horizon = self.clock.now().after(HORIZON);
        let timers = self.store.due(shard, Timestamp(i64::MIN)..=horizon, TIMERS_MAX);
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

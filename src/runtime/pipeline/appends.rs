//! What a pipeline tells its own shards through the inbox: timers that strike, answers to calls.

use bytes::Bytes;

use super::Pipeline;
use crate::engine::Wake;
use crate::format::changelog::target_of;
use crate::format::wire;
use crate::message::{CommandId, Shard, Timestamp, shard_of};
use crate::runtime::clock::Clock;
use crate::runtime::ports::{Append, Broker, Lost, ReadUpTo, Store, Waker};

/// The most instances that one wake record names.
const WAKE_TARGETS_MAX: usize = 16;
/// The most timers of one saga in a shard that one turn lets strike.
const WAKES_MAX: usize = 256;

impl<B: Broker + Waker, S: Store, C: Clock> Pipeline<B, S, C> {
    /// Appends what came of calls to the inbox of whoever made them.
    pub(super) fn report_calls(&mut self) -> Result<(), Lost> {
        let now = self.clock.now();
        for called in self.caller.finished() {
            let id: CommandId = called.command.parse().expect("a call has its command's id");
            let shard = shard_of(&id.instance, self.settings.shards);
            let inbox = wire::Inbox::of_called(&id.instance, &called);
            let append = Append { shard, value: inbox.stored() };
            self.broker.append(append, now)?;
        }
        Ok(())
    }

    /// Appends the timers that strike to the inbox.
    ///
    /// A timer that is due at T strikes only when everything that the users' topics of its saga
    /// held at T stands in the inbox, in front of the timer's own record. Until then the timer is
    /// held.
    pub(super) fn wake(&mut self) -> Result<(), Lost> {
        let now = self.clock.now();
        let shards: Vec<Shard> = self.shards.keys().copied().collect();
        for shard in shards {
            let due = self.shards.get(&shard).map(|state| state.schedule.due(now));
            for (saga, last) in due.unwrap_or_default() {
                self.wake_saga(shard, &saga, last, now)?;
            }
        }
        Ok(())
    }

    fn wake_saga(
        &mut self,
        shard: Shard,
        saga: &Bytes,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<(), Lost> {
        let name = String::from_utf8_lossy(saga);
        let read = match self.answer_topics.of(&name) {
            Some(topics) => self.broker.read_up_to(topics, last),
            None => ReadUpTo::ALL,
        };
        let Some(state) = self.shards.get_mut(&shard) else {
            return Ok(());
        };
        let ReadUpTo { until, away_until, unread_partitions } = read;
        let until = until.min(now);
        let mut targets = Vec::new();
        while targets.len() < WAKES_MAX
            && let Some(key) = state.schedule.pop(saga, until)
        {
            targets.push(target_of(&key));
        }
        if targets.is_empty() {
            self.counts.held += 1;
        }
        self.counts.wakes += targets.len() as u64;
        if unread_partitions > 0 {
            self.counts.unread += targets.len() as u64;
        }
        let away_until = away_until.max(state.current_since);
        for some in targets.chunks(WAKE_TARGETS_MAX) {
            let inbox = wire::Inbox::of_wake(some.to_vec(), Wake { until, away_until });
            let append = Append { shard, value: inbox.stored() };
            self.broker.append(append, now)?;
        }
        Ok(())
    }
}

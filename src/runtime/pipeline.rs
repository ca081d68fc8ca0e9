mod absence;
mod appends;
mod checkpoints;
mod timers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::absence::{ABSENCE_MIN, Backlog};
use super::clock::Clock;
use super::notices::Notices;
use super::ports::{
    Batch, Broker, Caller, DeadLetter, InboxRecord, Lost, ShardBatch, Store, StoreFault, Waker,
};
use super::restore::{Failed, restore};
use super::settings::{Counts, Observed, Settings};
use super::shard::{Fault, Pending, ShardState, Tools};
use crate::correlation::AnswerTopics;
use crate::definition::Catalog;
use crate::engine::Call;
use crate::format::changelog::position_key;
use crate::message::{Shard, Timestamp, Traced};

/// The longest wait for a record while a call is under way.
const CALL_WAIT: Duration = Duration::from_millis(5);
/// A poll that found at least so many records says that more are on their way.
const BUSY_RECORDS: usize = 32;
/// How long a busy pipeline lets records gather before it looks again.
const LOOK: Duration = Duration::from_millis(1);
/// How often it does so while a commit is under way: a look has its price.
const LOOK_MEANWHILE: Duration = Duration::from_millis(5);
/// How often it is looked whether timers that are held may strike.
const LOOK_HELD: Duration = Duration::from_millis(5);
/// How soon the end of a commit is seen while there are no records to take.
const LOOK_IDLE: Duration = Duration::from_millis(10);

/// The shard loop: takes inbox records, steps the engine, commits, checkpoints, wakes.
///
/// While a batch is committed it takes the records of the next one. It owns everything that it
/// changes and runs in one thread. After [`Lost`] it must be dropped.
pub struct Pipeline<B, S, C> {
    settings: Settings,
    catalog: Arc<Catalog>,
    answer_topics: AnswerTopics,
    broker: B,
    store: S,
    clock: C,
    caller: Box<dyn Caller>,
    observer: Box<dyn FnMut(Observed) + Send>,
    shards: BTreeMap<Shard, ShardState>,
    pending: Pending,
    /// What the observer is told when the commit under way has ended; none if there is none.
    under_way: Option<After>,
    counts: Counts,
    checkpointed: Duration,
    /// When the last turn ended.
    turned: Duration,
    notices: Notices,
    backlog: Option<Backlog>,
}

/// What is done once a batch is committed.
struct After {
    calls: Vec<(Call, Traced)>,
    observed: Vec<Observed>,
    dead_letters: Vec<DeadLetter>,
}

impl<B: Broker + Waker, S: Store, C: Clock> Pipeline<B, S, C> {
    /// A pipeline that has no shards yet; `caller` makes its calls, `observer` is told of every
    /// committed transition.
    pub fn new(
        settings: Settings,
        catalog: Arc<Catalog>,
        broker: B,
        store: S,
        clock: C,
        caller: Box<dyn Caller>,
        observer: Box<dyn FnMut(Observed) + Send>,
    ) -> Self {
        let started = clock.elapsed();
        let answer_topics = AnswerTopics::new(&catalog, &settings.topics.operator);
        Self {
            settings,
            catalog,
            answer_topics,
            broker,
            store,
            clock,
            caller,
            observer,
            shards: BTreeMap::new(),
            pending: Pending::default(),
            under_way: None,
            counts: Counts::default(),
            checkpointed: started,
            turned: started,
            notices: Notices::default(),
            backlog: None,
        }
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The shards that it has, restored and running.
    pub fn shards(&self) -> impl Iterator<Item = Shard> + '_ {
        self.shards.keys().copied()
    }

    /// One turn: what there is, one commit, a checkpoint if it is time, the timers that are due.
    ///
    /// # Errors
    /// When what is in memory may not be what is committed (R7).
    pub fn turn(&mut self) -> Result<(), Lost> {
        let patience = self.patience();
        self.gather(patience)?;
        self.conclude()?;
        // What is in the last batch is committed now, and nothing else has been sealed.
        let saves = self.saves();
        self.begin()?;
        self.save(saves)?;
        for state in self.shards.values_mut() {
            state.held.shrink(self.settings.held_bytes_max);
        }
        self.report_calls()?;
        self.look_ahead()?;
        self.note_absence(patience);
        self.note_backlog();
        self.wake()
    }

    /// Finishes the batch, checkpoints every shard and lets go of it.
    ///
    /// # Errors
    /// When the last checkpoint fails; nothing is lost by that but a fast restart.
    pub fn stop(mut self) -> Result<(), Lost> {
        self.conclude()?;
        self.begin()?;
        self.conclude()?;
        for shard in self.shards.keys().copied().collect::<Vec<_>>() {
            self.release(shard)?;
        }
        Ok(())
    }

    /// How long nothing will happen unless a record comes.
    fn patience(&self) -> Duration {
        let now = self.clock.now();
        let timer = self.shards.values().filter_map(|state| state.schedule.rest(now)).min();
        // A timer that is due and still there is held, or one of very many.
        let timer = timer.map(|rest| Duration::from_millis(rest).max(LOOK_HELD));
        let dirty = self.shards.values().any(|s| !s.held.is_clean());
        let due = self.checkpointed + self.settings.checkpoint_every;
        let checkpoint = dirty.then(|| due.saturating_sub(self.clock.elapsed()));
        let idle = match self.under_way {
            Some(_) => self.settings.idle_max.min(LOOK_IDLE),
            None => self.settings.idle_max,
        };
        let call = (self.caller.under_way() > 0).then_some(CALL_WAIT);
        [timer, checkpoint, call].into_iter().flatten().fold(idle, Duration::min)
    }

    /// Takes what there is; goes on while the last commit is under way, and under load for a while
    /// longer, so that one commit carries more.
    fn gather(&mut self, wait: Duration) -> Result<(), Lost> {
        let mut left = self.settings.batch_records_max;
        let begun = self.clock.elapsed();
        let mut wait = wait;
        loop {
            let polled = self.broker.poll(wait, left)?;
            let moved = !polled.revoked.is_empty() || !polled.assigned.is_empty();
            if moved {
                self.conclude()?;
                self.drop_revoked(&polled.revoked)?;
                if !polled.revoked.is_empty() {
                    let shards = Shard::listed(polled.revoked.iter().copied());
                    tracing::info!(shards, "shards.released");
                }
                for shard in polled.revoked {
                    self.release(shard)?;
                }
                self.assume(&polled.assigned)?;
            }
            let found = polled.records.len();
            let now = self.clock.now();
            self.take(&polled.records, now)?;
            left = left.saturating_sub(found);
            let full = left == 0 || self.pending.bytes >= self.settings.batch_bytes_max;
            if moved || full {
                return Ok(());
            }
            let spent = self.clock.elapsed().saturating_sub(begun);
            match self.gather_window(found, spent)? {
                Some(more) => wait = more,
                None => return Ok(()),
            }
        }
    }

    /// How long to wait for more records before what is pending is committed; none if it is time.
    fn gather_window(&mut self, found: usize, spent: Duration) -> Result<Option<Duration>, Lost> {
        let gathered = self.pending.records;
        if self.under_way.is_some() && gathered > 0 {
            if gathered < BUSY_RECORDS || self.broker.is_concluded(LOOK_MEANWHILE) {
                self.conclude()?;
            }
            // Whatever has come meanwhile goes along.
            return Ok(Some(Duration::ZERO));
        }
        let more = self.settings.gather.saturating_sub(spent).min(LOOK);
        Ok((found >= BUSY_RECORDS && !more.is_zero()).then_some(more))
    }

    /// What is pending of a shard that is gone must not be committed: by now the group may have
    /// given the shard away and let us in again, and R6 would let a stale batch pass.
    fn drop_revoked(&mut self, revoked: &[Shard]) -> Result<(), Lost> {
        if self.pending.shards.iter().all(|shard| revoked.contains(shard)) {
            // Nothing of it was sent, and what it changed goes with the shards.
            self.pending = Pending::default();
        }
        match revoked.iter().find(|shard| self.pending.shards.contains(shard)) {
            None => Ok(()),
            Some(shard) => {
                let reason = format!("shard {shard} was taken away while a batch was gathered");
                Err(Lost { reason, fatal: false })
            }
        }
    }

    fn take(&mut self, records: &[InboxRecord], now: Timestamp) -> Result<(), Lost> {
        for record in records {
            let Some(state) = self.shards.get_mut(&record.shard) else {
                continue;
            };
            let waited = now.since(record.timestamp);
            if waited > ABSENCE_MIN {
                state.current_since = state.current_since.max(now);
                Backlog::add(&mut self.backlog, waited, self.turned);
            }
            let catalog = Arc::clone(&state.catalog);
            let mut tools = Tools {
                settings: &self.settings,
                catalog: &catalog,
                store: &self.store,
                counts: &mut self.counts,
                pending: &mut self.pending,
            };
            if let Err(fault) = state.take(record, &mut tools) {
                return Err(self.faulted(fault));
            }
        }
        Ok(())
    }

    /// A store in doubt is thrown away: the changelog has everything.
    fn faulted(&mut self, fault: Fault) -> Lost {
        if let Fault::Store(StoreFault { shard, .. }) = &fault {
            let discarded = self.store.discard(*shard);
            if let Err(again) = discarded {
                tracing::warn!(shard = shard.0, reason = %again, "store.discard_failed");
            }
        }
        fault.into()
    }

    /// Begins to commit what is pending; the commit before must have ended.
    fn begin(&mut self) -> Result<(), Lost> {
        if self.pending.shards.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let Pending { shards, messages, dead_letters, letters, mut history, .. } = pending;
        let (calls, observed) = (pending.calls, pending.observed);
        let after = After { calls, observed, dead_letters: dead_letters.clone() };
        let mut batch = Batch { shards: BTreeMap::new(), messages, dead_letters, letters };
        for shard in shards {
            let state = self.shards.get_mut(&shard).expect("a pending shard is ours");
            let mut changelog = state.held.seal();
            state.sealed = state.position.encode();
            changelog.push((position_key(shard), Some(state.sealed.clone())));
            let history = history.remove(&shard).unwrap_or_default();
            let inbox = state.position.inbox;
            batch.shards.insert(shard, ShardBatch { inbox, changelog, history });
        }
        self.broker.begin(batch)?;
        self.under_way = Some(after);
        Ok(())
    }

    /// Waits for the end of the commit under way, if there is one.
    fn conclude(&mut self) -> Result<(), Lost> {
        let Some(After { calls, observed, dead_letters }) = self.under_way.take() else {
            return Ok(());
        };
        for (shard, changelog) in self.broker.conclude()? {
            if let Some(state) = self.shards.get_mut(&shard) {
                state.changelog = changelog;
            }
        }
        self.counts.commits += 1;
        for (call, traced) in calls {
            self.caller.start(call, traced);
        }
        let elapsed = self.clock.elapsed();
        for letter in &dead_letters {
            self.notices.dead_letter(letter, elapsed);
        }
        for transition in observed {
            self.notices.transition(&transition, elapsed);
            (self.observer)(transition);
        }
        Ok(())
    }

    /// Restores newly assigned shards and starts reading their inbox.
    fn assume(&mut self, assigned: &[Shard]) -> Result<(), Lost> {
        if assigned.is_empty() {
            return Ok(());
        }
        let (begun, mut records) = (self.clock.elapsed(), 0);
        let mut positions = BTreeMap::new();
        for shard in assigned {
            let restored = match restore(*shard, &self.catalog, &mut self.broker, &mut self.store) {
                Ok(restored) => restored,
                Err(Failed::Fault(fault)) => return Err(self.faulted(fault)),
                Err(Failed::Lost(lost)) => return Err(lost),
            };
            self.counts.restored += restored.records;
            records += restored.records;
            positions.insert(*shard, restored.state.position.inbox);
            let current_since = self.clock.now();
            self.shards.insert(*shard, ShardState { current_since, ..restored.state });
            self.extend(*shard)?;
        }
        let took_ms = self.clock.elapsed().saturating_sub(begun).as_millis();
        let shards = Shard::listed(positions.keys().copied());
        tracing::info!(shards, records, took_ms, "shards.restored");
        self.broker.resume(&positions)
    }

    fn release(&mut self, shard: Shard) -> Result<(), Lost> {
        if !self.shards.contains_key(&shard) {
            return Ok(());
        }
        let save = self.take_save(shard);
        self.save(save.into_iter().collect())?;
        self.shards.remove(&shard);
        self.store.close(shard).map_err(|fault| self.faulted(Fault::Store(fault)))
    }
}

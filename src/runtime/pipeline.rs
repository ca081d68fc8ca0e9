mod appends;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::notices::Notices;
use super::ports::{
    Batch, Broker, Caller, Change, Clock, DeadLetter, InboxRecord, Lost, ShardBatch, Store, StoreFault, Waker,
};
use super::position::Position;
use super::restore::{Failed, restore};
use super::settings::{Counts, Observed, Settings};
use super::shard::{Fault, Pending, ShardState, Tools};
use crate::correlation::AnswerTopics;
use crate::definition::Catalog;
use crate::engine::Call;
use crate::message::{Offset, Shard, Span, Timestamp, Traced};

/// How far ahead timers are kept in memory.
const HORIZON: Span = Span::seconds(600);
/// The most timers of a shard that are read from the store at once.
const TIMERS_MAX: usize = 50_000;
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
/// A turn that takes longer, and a record that waited longer in the inbox, say that the engine was
/// away or behind. Clocks of nodes may differ by as much without a consequence.
const ABSENCE_MIN: Span = Span::seconds(2);
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

/// Records that waited in the inbox while the engine was away or busy.
struct Backlog {
    since: Duration,
    records: u64,
    /// The longest that one of them waited.
    waited: Span,
    /// Whether this turn has found one.
    grows: bool,
}

/// What a checkpoint of one shard writes: all of it is committed.
struct Save {
    shard: Shard,
    changes: Vec<Change>,
    changelog: Offset,
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
        let answer_topics = AnswerTopics::new(&catalog, &settings.operator);
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

    /// Says how much has waited and for how long, once the engine has caught up with it.
    fn note_backlog(&mut self) {
        self.notices.tick(self.clock.elapsed());
        if let Some(backlog) = self.backlog.as_mut().filter(|backlog| backlog.grows) {
            backlog.grows = false;
            return;
        }
        if let Some(Backlog { since, records, waited, .. }) = self.backlog.take() {
            let took_ms = self.clock.elapsed().saturating_sub(since).as_millis();
            tracing::info!(records, %waited, took_ms, "pipeline.caught_up");
        }
    }

    /// Remembers when a turn took so long that no shard was served meanwhile: a commit that hung
    /// with the cluster, a process that was stopped.
    fn note_absence(&mut self, patience: Duration) {
        let elapsed = self.clock.elapsed();
        if elapsed.saturating_sub(self.turned) > Duration::from_millis(ABSENCE_MIN.0) + patience {
            let now = self.clock.now();
            self.shards.values_mut().for_each(|state| state.current_since = now);
        }
        self.turned = elapsed;
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
                self.keep_footing(&polled.revoked)?;
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
            match self.company(found, spent)? {
                Some(more) => wait = more,
                None => return Ok(()),
            }
        }
    }

    /// How long to wait for more records before what is pending is committed; none if it is time.
    fn company(&mut self, found: usize, spent: Duration) -> Result<Option<Duration>, Lost> {
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
    fn keep_footing(&mut self, revoked: &[Shard]) -> Result<(), Lost> {
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
                let since = self.turned;
                let none = Backlog { since, records: 0, waited, grows: true };
                let backlog = self.backlog.get_or_insert(none);
                backlog.records += 1;
                backlog.waited = backlog.waited.max(waited);
                backlog.grows = true;
            }
            let mut tools = Tools {
                settings: &self.settings,
                catalog: &self.catalog,
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
                tracing::error!(shard = shard.0, reason = %again, "store.discard_failed");
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
            changelog.push((Position::key(shard), Some(state.sealed.clone())));
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
            let restored = match restore(*shard, &mut self.broker, &mut self.store) {
                Ok(restored) => restored,
                Err(Failed::Store(fault)) => return Err(self.faulted(Fault::Store(fault))),
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

    /// What a checkpoint has to write, if it is time for one.
    fn saves(&mut self) -> Vec<Save> {
        let now = self.clock.elapsed();
        let late = now >= self.checkpointed + self.settings.checkpoint_every;
        let dirty: usize = self.shards.values().map(|s| s.held.dirty_bytes()).sum();
        if !late && dirty < self.settings.checkpoint_bytes_max {
            return Vec::new();
        }
        self.checkpointed = now;
        let shards: Vec<Shard> = self.shards.keys().copied().collect();
        let saves = shards.into_iter().filter_map(|shard| self.take_save(shard)).collect();
        if late {
            self.shards.values_mut().for_each(|state| state.held.rest());
        }
        saves
    }

    /// What the store lacks of a shard. No commit is under way: what was sealed is committed.
    fn take_save(&mut self, shard: Shard) -> Option<Save> {
        let state = self.shards.get_mut(&shard).filter(|state| !state.held.is_clean())?;
        let mut changes = state.held.take_changes();
        let (key, value) = (Position::key(shard), Some(state.sealed.clone()));
        changes.push(Change { key, value, due: None });
        Some(Save { shard, changes, changelog: state.changelog })
    }

    fn save(&mut self, saves: Vec<Save>) -> Result<(), Lost> {
        for Save { shard, changes, changelog } in saves {
            let written = self.store.checkpoint(shard, changes, changelog);
            written.map_err(|fault| self.faulted(Fault::Store(fault)))?;
        }
        Ok(())
    }

    /// Looks further ahead for timers where it is time.
    fn look_ahead(&mut self) -> Result<(), Lost> {
        let near = self.clock.now().after(Span(HORIZON.0 / 2));
        let wants = |(shard, state): (&Shard, &ShardState)| {
            state.schedule.wants_more(near).then_some(*shard)
        };
        let shards: Vec<Shard> = self.shards.iter().filter_map(wants).collect();
        shards.into_iter().try_for_each(|shard| self.extend(shard))
    }

    /// Reads the timers up to a new horizon from the store; what it lacks is held.
    fn extend(&mut self, shard: Shard) -> Result<(), Lost> {
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

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::cabinet::Drawer;
use super::fault::{Fault, Moment, PortCall};
use super::state::{Caller, GRAVES, State};
use super::world::World;
use crate::engine::{Instance, next_due};
use crate::message::{Offset, Shard, Timestamp};
use crate::runtime::{Batch, Change, Checkpoint, Store, StoreFault};

/// A process's hand on its node's store.
#[derive(Debug)]
pub struct SimulatedStore {
    pub(super) world: World,
    pub(super) caller: Caller,
}

impl SimulatedStore {
    /// One call: it may fail, and the node may die beside it.
    fn call<T>(
        &self,
        shard: Shard,
        call: PortCall,
        act: impl FnOnce(&mut State) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let mut state = self.world.state();
        let fault = |reason: String| StoreFault { shard, reason };
        state.cross(&self.caller, call, Moment::Before).map_err(|lost| fault(lost.reason))?;
        let odds = state.setup.odds.store;
        if state.dice.chance(odds) {
            state.tally.count(Fault::StoreFailed);
            return Err(fault("the disk failed".to_owned()));
        }
        let answer = act(&mut state)?;
        state.cross(&self.caller, call, Moment::After).map_err(|lost| fault(lost.reason))?;
        Ok(answer)
    }

    fn drawer<'s>(&self, state: &'s mut State, shard: Shard) -> &'s mut Drawer {
        state.store(&self.caller.name).shards.entry(shard).or_default()
    }
}

impl Store for SimulatedStore {
    fn open(&mut self, shard: Shard) -> Result<Option<Checkpoint>, StoreFault> {
        self.call(shard, PortCall::Open, |state| {
            let now = state.elapsed;
            let drawer = self.drawer(state, shard);
            if drawer.spoilt || now.saturating_sub(drawer.written) > GRAVES / 2 {
                *drawer = Drawer::default();
            }
            drawer.watched = None;
            Ok(drawer.checkpoint.map(|changelog| Checkpoint { changelog }))
        })
    }

    fn load(&self, shard: Shard, key: &[u8]) -> Result<Option<Bytes>, StoreFault> {
        self.call(shard, PortCall::Load, |state| {
            let drawer = self.drawer(state, shard);
            if drawer.damaged.as_deref() == Some(key) {
                let reason = "the checksum does not fit".to_owned();
                return Err(StoreFault { shard, reason });
            }
            Ok(drawer.values.get(key).map(|kept| kept.value.clone()))
        })
    }

    fn due(
        &self,
        shard: Shard,
        moments: RangeInclusive<Timestamp>,
        max: usize,
    ) -> Result<Vec<(Timestamp, Bytes)>, StoreFault> {
        self.call(shard, PortCall::Due, |state| {
            let drawer = self.drawer(state, shard);
            let dated = drawer.values.iter().filter_map(|(key, kept)| Some((kept.due?, key)));
            // All that a store may leave out is left out.
            let asked =
                |at| moments.contains(&at) && drawer.watched.is_none_or(|watched| at > watched);
            let mut due: Vec<(Timestamp, Bytes)> =
                dated.filter(|(at, _)| asked(*at)).map(|(at, k)| (at, k.clone())).collect();
            due.sort();
            due.truncate(max);
            Ok(due)
        })
    }

    fn watch(&mut self, shard: Shard, until: Timestamp) -> Result<(), StoreFault> {
        // It only remembers: there is nothing in it to fail or die beside.
        self.drawer(&mut self.world.state(), shard).watched = Some(until);
        Ok(())
    }

    fn checkpoint(
        &mut self,
        shard: Shard,
        changes: Vec<Change>,
        changelog: Offset,
    ) -> Result<(), StoreFault> {
        self.call(shard, PortCall::Checkpoint, |state| {
            let now = state.elapsed;
            self.drawer(state, shard).write(changes, changelog, now);
            compare(state, &self.caller.name, shard, changelog);
            Ok(())
        })
    }

    fn close(&mut self, shard: Shard) -> Result<(), StoreFault> {
        self.call(shard, PortCall::Close, |_| Ok(()))
    }

    fn discard(&mut self, shard: Shard) -> Result<(), StoreFault> {
        self.call(shard, PortCall::Discard, |state| {
            *self.drawer(state, shard) = Drawer::default();
            Ok(())
        })
    }
}

/// A store holds what was committed below its checkpoint: nothing else, and nothing less.
fn compare(state: &mut State, name: &str, shard: Shard, changelog: Offset) {
    let place = state.engine("changelog", shard);
    let log = state.log(&place);
    if log.is_taken_back(changelog) {
        // It was told as done; whoever restores finds out.
        return;
    }
    if log.stable() < changelog {
        let what = format!("{name}'s store of shard {shard} is ahead of what is committed");
        state.complaints.push(what);
        return;
    }
    let mut truth = std::collections::BTreeMap::new();
    for (_, entry) in log.history(changelog) {
        let key = entry.key.clone().unwrap_or_default();
        match &entry.value {
            Some(value) => truth.insert(key, value.clone()),
            None => truth.remove(&key),
        };
    }
    truth.retain(|key, _| key.starts_with(b"i/"));
    let drawer = &state.store(name).shards[&shard];
    let held = drawer.values.iter().filter(|(key, _)| key.starts_with(b"i/"));
    if !held.map(|(key, kept)| (key, &kept.value)).eq(truth.iter()) {
        let what = format!(
            "{name}'s store of shard {shard} is not what the changelog says below {changelog}"
        );
        state.complaints.push(what);
    }
}

/// What a store would hold if it were written before the commit.
pub(super) fn write_early(state: &mut State, name: &str, batch: &Batch) {
    for (shard, part) in &batch.shards {
        let place = state.engine("changelog", *shard);
        let end = part.changelog.iter().fold(state.log(&place).high(), |end, _| end.next());
        let change = |(key, value): &(Bytes, Option<Bytes>)| {
            let instance = value.as_ref().filter(|_| key.starts_with(b"i/"));
            let instance = instance.and_then(|bytes| Instance::decode(bytes).ok());
            let due = instance.as_ref().and_then(next_due);
            Change { key: key.clone(), value: value.clone(), due }
        };
        let changes = part.changelog.iter().map(change).collect();
        let now = state.elapsed;
        state.store(name).shards.entry(*shard).or_default().write(changes, end, now);
    }
}

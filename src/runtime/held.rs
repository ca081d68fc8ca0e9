use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::ports::{Change, Store, StoreFault};
use crate::engine::{self, Instance};
use crate::message::{InstanceId, Shard};

/// The instances of a shard that are kept decoded, with what the store does not know yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    entries: BTreeMap<Bytes, Entry>,
    /// Keys that the batch under way has changed.
    touched: BTreeSet<Bytes>,
    /// Keys whose last value the store lacks.
    dirty: BTreeSet<Bytes>,
    /// The sealed sizes of all entries together.
    bytes: usize,
    /// The sealed sizes of the dirty ones.
    dirty_bytes: usize,
    /// How often [`Held::rest`] was called.
    round: u32,
}

/// For how many rounds an instance that nothing happens to stays decoded: it takes ten times its
/// stored bytes, and one that waits for minutes is not worth them.
const ROUNDS_MAX: u32 = 5;

#[derive(Debug)]
struct Entry {
    instance: Option<Instance>,
    sealed: Option<Bytes>,
    size: usize,
    /// The round in which it was last asked for.
    asked: u32,
}

/// The changelog key of an instance.
pub(super) fn changelog_key(id: &InstanceId) -> Bytes {
    format!("i/{}/{}", id.saga, id.key).into()
}

impl Held {
    /// The instance as it stands, loaded from the store if it is not held.
    pub fn instance(
        &mut self,
        key: &Bytes,
        shard: Shard,
        store: &impl Store,
    ) -> Result<Option<&Instance>, StoreFault> {
        let asked = self.round;
        if let Some(entry) = self.entries.get_mut(key) {
            entry.asked = asked;
        } else {
            let Some(stored) = store.load(shard, key)? else {
                return Ok(None);
            };
            let size = stored.len();
            let instance = Instance::decode(&stored)
                .map_err(|e| StoreFault { shard, reason: format!("{}: {e}", shown(key)) })?;
            self.bytes += size;
            let entry = Entry { instance: Some(instance), sealed: None, size, asked };
            self.entries.insert(key.clone(), entry);
        }
        Ok(self.entries.get(key).and_then(|entry| entry.instance.as_ref()))
    }

    /// Puts what a transition made of an instance.
    pub fn put(&mut self, key: &Bytes, instance: Option<Instance>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.instance = instance;
        } else {
            let entry = Entry { instance, sealed: None, size: 0, asked: self.round };
            self.entries.insert(key.clone(), entry);
        }
        if !self.touched.contains(key) {
            self.touched.insert(key.clone());
        }
    }

    /// Seals what the batch has changed: the changelog records.
    pub fn seal(&mut self) -> Vec<(Bytes, Option<Bytes>)> {
        let mut records = Vec::with_capacity(self.touched.len());
        for key in std::mem::take(&mut self.touched) {
            let entry = self.entries.get_mut(&key).expect("a touched key is held");
            let sealed: Option<Bytes> = entry.instance.as_ref().map(|i| i.encode().into());
            let size = sealed.as_ref().map_or(0, Bytes::len);
            self.bytes = self.bytes + size - entry.size;
            if self.dirty.insert(key.clone()) {
                self.dirty_bytes += size;
            } else {
                self.dirty_bytes = self.dirty_bytes + size - entry.size;
            }
            entry.size = size;
            entry.sealed.clone_from(&sealed);
            records.push((key, sealed));
        }
        records
    }

    /// How many bytes wait for the store.
    pub fn dirty_bytes(&self) -> usize {
        self.dirty_bytes
    }

    /// Whether the store lacks nothing.
    pub fn is_clean(&self) -> bool {
        self.dirty.is_empty()
    }

    /// What the store lacks; from now on it counts as stored.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.dirty_bytes = 0;
        let mut changes = Vec::with_capacity(self.dirty.len());
        for key in std::mem::take(&mut self.dirty) {
            let entry = self.entries.get_mut(&key).expect("a dirty key is held");
            let due = entry.instance.as_ref().and_then(engine::next_due);
            let value = entry.sealed.take();
            if value.is_none() {
                self.entries.remove(&key);
            }
            changes.push(Change { key, value, due });
        }
        changes
    }

    /// Lets go of clean instances that nothing has happened to for some rounds.
    pub fn rest(&mut self) {
        self.round = self.round.wrapping_add(1);
        let (round, dirty, bytes) = (self.round, &self.dirty, &mut self.bytes);
        self.entries.retain(|key, entry| {
            let keep = round.wrapping_sub(entry.asked) <= ROUNDS_MAX || dirty.contains(key);
            if !keep {
                *bytes -= entry.size;
            }
            keep
        });
    }

    /// Lets go of clean instances until the rest fits: ended ones first.
    pub fn shrink(&mut self, bytes_max: usize) {
        for only_ended in [true, false] {
            if self.bytes <= bytes_max {
                return;
            }
            let (dirty, bytes) = (&self.dirty, &mut self.bytes);
            self.entries.retain(|key, entry| {
                let lives = entry.instance.as_ref().is_some_and(|i| i.living().is_some());
                let keep = *bytes <= bytes_max / 2 || dirty.contains(key) || (only_ended && lives);
                if !keep {
                    *bytes -= entry.size;
                }
                keep
            });
        }
    }
}

pub(super) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::ports::{Change, Store, StoreFault};
use crate::engine::{self, Instance};
use crate::message::{Shard, Timestamp};

/// The instances of a shard that are kept decoded, with what the store does not know yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    entries: BTreeMap<Bytes, Entry>,
    /// Keys that the batch under way has changed.
    touched: BTreeSet<Bytes>,
    /// Keys whose last value the store lacks.
    dirty: BTreeSet<Bytes>,
    /// The sealed sizes of all decoded entries together.
    bytes: usize,
    /// The sealed sizes of the dirty ones.
    dirty_bytes: usize,
    /// How often [`Held::rest`] was called.
    round: u32,
}

/// For how many rounds an instance that nothing happens to stays decoded: it takes ten times its
/// stored bytes, and one that waits for minutes is not worth them.
const ROUNDS_MAX: u32 = 2;

#[derive(Debug)]
struct Entry {
    /// None if it is forgotten, or folded.
    instance: Option<Box<Instance>>,
    /// Whether it is here only as it was sealed.
    folded: bool,
    /// As it went into the last batch, until the store has it.
    sealed: Option<Sealed>,
    /// The size that it was last sealed with.
    size: usize,
    /// The round in which it was last asked for.
    asked: u32,
}

#[derive(Debug)]
struct Sealed {
    value: Bytes,
    due: Option<Timestamp>,
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
        let decode = |bytes: &Bytes| {
            Instance::decode(bytes)
                .map_err(|e| StoreFault { shard, reason: format!("{}: {e}", shown(key)) })
        };
        if let Some(entry) = self.entries.get_mut(key) {
            entry.asked = asked;
            if let Some(sealed) = entry.sealed.as_ref().filter(|_| entry.folded) {
                entry.instance = Some(Box::new(decode(&sealed.value)?));
                entry.folded = false;
                self.bytes += entry.size;
            }
        } else {
            let Some(stored) = store.load(shard, key)? else {
                return Ok(None);
            };
            let (size, instance) = (stored.len(), Some(Box::new(decode(&stored)?)));
            self.bytes += size;
            let entry = Entry { instance, folded: false, sealed: None, size, asked };
            self.entries.insert(key.clone(), entry);
        }
        Ok(self.entries.get(key).and_then(|entry| entry.instance.as_deref()))
    }

    /// Puts what a transition made of an instance that was asked for.
    pub fn put(&mut self, key: &Bytes, instance: Option<Instance>) {
        let instance = instance.map(Box::new);
        if let Some(entry) = self.entries.get_mut(key) {
            debug_assert!(!entry.folded, "it was asked for");
            entry.instance = instance;
        } else {
            let asked = self.round;
            let entry = Entry { instance, folded: false, sealed: None, size: 0, asked };
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
            let sealed = entry.instance.as_deref().map(Sealed::of);
            let value = sealed.as_ref().map(|sealed| sealed.value.clone());
            let size = value.as_ref().map_or(0, Bytes::len);
            self.bytes = self.bytes + size - entry.size;
            if self.dirty.insert(key.clone()) {
                self.dirty_bytes += size;
            } else {
                self.dirty_bytes = self.dirty_bytes + size - entry.size;
            }
            entry.size = size;
            entry.sealed = sealed;
            records.push((key, value));
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

    /// What the store lacks, as it was last sealed; from now on it counts as stored.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.dirty_bytes = 0;
        let mut changes = Vec::with_capacity(self.dirty.len());
        for key in std::mem::take(&mut self.dirty) {
            let entry = self.entries.get_mut(&key).expect("a dirty key is held");
            let sealed = entry.sealed.take();
            if entry.folded || (sealed.is_none() && !self.touched.contains(&key)) {
                self.entries.remove(&key);
            }
            let (value, due) = sealed.map_or((None, None), |s| (Some(s.value), s.due));
            changes.push(Change { key, value, due });
        }
        changes
    }

    /// Lets go of instances that nothing has happened to for some rounds.
    pub fn rest(&mut self) {
        self.round = self.round.wrapping_add(1);
        let round = self.round;
        self.let_go(|entry, _| round.wrapping_sub(entry.asked) <= ROUNDS_MAX);
    }

    /// Instances that the store does not know as they are, with when they want to be woken.
    pub fn unstored(&self) -> BTreeMap<Bytes, Option<Timestamp>> {
        let keys = self.dirty.union(&self.touched);
        let due = |key| {
            let entry = self.entries.get(key)?;
            let sealed = entry.sealed.as_ref().filter(|_| entry.folded);
            sealed.map_or_else(|| engine::next_due(entry.instance.as_deref()?), |sealed| sealed.due)
        };
        keys.map(|key| (key.clone(), due(key))).collect()
    }

    /// Lets go of instances until the rest fits: ended ones first.
    pub fn shrink(&mut self, bytes_max: usize) {
        for only_ended in [true, false] {
            if self.bytes <= bytes_max {
                return;
            }
            self.let_go(|entry, bytes| {
                let lives = entry.instance.as_ref().is_some_and(|i| i.living().is_some());
                bytes <= bytes_max / 2 || (only_ended && lives)
            });
        }
    }

    /// Lets go of what need not be kept, told the entry and how many bytes are decoded: what the
    /// store has goes, what it lacks stays as it was sealed.
    fn let_go(&mut self, keep: impl Fn(&Entry, usize) -> bool) {
        let (dirty, touched, bytes) = (&self.dirty, &self.touched, &mut self.bytes);
        self.entries.retain(|key, entry| {
            if entry.instance.is_none() || keep(entry, *bytes) || touched.contains(key) {
                return true;
            }
            *bytes -= entry.size;
            entry.instance = None;
            entry.folded = dirty.contains(key);
            entry.folded
        });
    }
}

impl Sealed {
    fn of(instance: &Instance) -> Self {
        Self { value: instance.encode().into(), due: engine::next_due(instance) }
    }
}

pub(super) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

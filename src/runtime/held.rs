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

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;
    use crate::engine::Lock;
    use crate::message::Offset;
    use crate::runtime::ports::Checkpoint;

    const SHARD: Shard = Shard(0);

    /// What a store has after its checkpoints.
    #[derive(Default)]
    struct Stored(BTreeMap<Bytes, Bytes>);

    impl Store for Stored {
        fn open(&mut self, _: Shard) -> Result<Option<Checkpoint>, StoreFault> {
            Ok(None)
        }

        fn load(&self, _: Shard, key: &[u8]) -> Result<Option<Bytes>, StoreFault> {
            Ok(self.0.get(key).cloned())
        }

        fn due(
            &self,
            _: Shard,
            _: RangeInclusive<Timestamp>,
            _: usize,
        ) -> Result<Vec<(Timestamp, Bytes)>, StoreFault> {
            Ok(Vec::new())
        }

        fn watch(&mut self, _: Shard, _: Timestamp) -> Result<(), StoreFault> {
            Ok(())
        }

        fn checkpoint(
            &mut self,
            _: Shard,
            changes: Vec<Change>,
            _: Offset,
        ) -> Result<(), StoreFault> {
            for Change { key, value, .. } in changes {
                match value {
                    Some(value) => self.0.insert(key, value),
                    None => self.0.remove(&key),
                };
            }
            Ok(())
        }

        fn close(&mut self, _: Shard) -> Result<(), StoreFault> {
            Ok(())
        }

        fn discard(&mut self, _: Shard) -> Result<(), StoreFault> {
            Ok(())
        }
    }

    fn key(name: &str) -> Bytes {
        Bytes::copy_from_slice(name.as_bytes())
    }

    /// An instance that can be told from others.
    fn marked(mark: i64) -> Instance {
        Instance { inbox: Offset(mark), ..Instance::default() }
    }

    fn checkpoint(held: &mut Held, store: &mut Stored) -> usize {
        let changes = held.take_changes();
        let count = changes.len();
        store.checkpoint(SHARD, changes, Offset(0)).expect("this store never fails");
        count
    }

    fn mark_of(held: &mut Held, name: &str, store: &Stored) -> Option<i64> {
        let found = held.instance(&key(name), SHARD, store).expect("it decodes");
        found.map(|instance| instance.inbox.0)
    }

    #[test]
    fn what_was_put_is_sealed_once_and_stored_once() {
        let (mut held, mut store) = (Held::default(), Stored::default());
        held.put(&key("i/a/1"), Some(marked(1)));
        held.put(&key("i/a/1"), Some(marked(2)));
        assert!(held.is_clean(), "nothing is for the store before it is sealed");
        let sealed = held.seal();
        assert_eq!(sealed, [(key("i/a/1"), Some(Bytes::from(marked(2).encode())))]);
        assert_eq!(held.seal(), []);
        assert!(!held.is_clean() && held.dirty_bytes() > 0);
        assert_eq!(checkpoint(&mut held, &mut store), 1);
        assert!(held.is_clean() && held.dirty_bytes() == 0);
        assert_eq!(checkpoint(&mut held, &mut store), 0);
        assert_eq!(mark_of(&mut Held::default(), "i/a/1", &store), Some(2));
    }

    #[test]
    fn a_change_after_the_seal_waits_for_the_next_one() {
        let (mut held, mut store) = (Held::default(), Stored::default());
        held.put(&key("i/a/1"), Some(marked(1)));
        held.seal();
        held.put(&key("i/a/1"), Some(marked(2)));
        checkpoint(&mut held, &mut store);
        assert_eq!(mark_of(&mut Held::default(), "i/a/1", &store), Some(1), "R4");
        assert_eq!(mark_of(&mut held, "i/a/1", &store), Some(2));
        assert_eq!(held.seal().len(), 1);
    }

    #[test]
    fn what_is_forgotten_is_told_to_changelog_and_store() {
        let (mut held, mut store) = (Held::default(), Stored::default());
        held.put(&key("i/a/1"), Some(marked(1)));
        held.seal();
        checkpoint(&mut held, &mut store);
        held.put(&key("i/a/1"), None);
        assert_eq!(held.seal(), [(key("i/a/1"), None)]);
        checkpoint(&mut held, &mut store);
        assert!(store.0.is_empty());
        assert_eq!(mark_of(&mut held, "i/a/1", &store), None);
    }

    #[test]
    fn who_rests_is_folded_and_comes_back_as_it_was() {
        let (mut held, mut store) = (Held::default(), Stored::default());
        held.put(&key("i/a/1"), Some(marked(7)));
        held.seal();
        for _ in 0..=ROUNDS_MAX {
            held.rest();
        }
        assert_eq!(held.bytes, 0, "nothing is decoded any more");
        assert_eq!(mark_of(&mut held, "i/a/1", &store), Some(7), "the store lacks it still");
        checkpoint(&mut held, &mut store);
        for _ in 0..=ROUNDS_MAX {
            held.rest();
        }
        assert!(held.entries.is_empty(), "the store has it");
        assert_eq!(mark_of(&mut held, "i/a/1", &store), Some(7));
    }

    #[test]
    fn what_is_too_much_goes_but_not_what_the_batch_has_changed() {
        let mut held = Held::default();
        for mark in 0..10 {
            held.put(&key(&format!("i/a/{mark}")), Some(marked(mark)));
        }
        held.seal();
        held.take_changes();
        held.put(&key("i/a/3"), Some(marked(33)));
        let before = held.bytes;
        held.shrink(before);
        assert_eq!(held.bytes, before, "it fits");
        held.shrink(before / 2);
        assert!(held.bytes <= before / 2);
        assert_eq!(mark_of(&mut held, "i/a/3", &Stored::default()), Some(33));
    }

    #[test]
    fn the_timers_that_the_store_lacks_are_known() {
        let (mut held, mut store) = (Held::default(), Stored::default());
        let waiting = |until| Instance {
            lock: Some(Lock { forget: Some(until), ..Lock::default() }),
            ..Instance::default()
        };
        held.put(&key("i/a/stored"), Some(waiting(Timestamp(5))));
        held.seal();
        checkpoint(&mut held, &mut store);
        held.put(&key("i/a/sealed"), Some(waiting(Timestamp(6))));
        held.seal();
        held.put(&key("i/a/touched"), Some(waiting(Timestamp(7))));
        held.put(&key("i/a/gone"), None);
        let expected = BTreeMap::from([
            (key("i/a/gone"), None),
            (key("i/a/sealed"), Some(Timestamp(6))),
            (key("i/a/touched"), Some(Timestamp(7))),
        ]);
        assert_eq!(held.unstored(), expected);
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use bytes::Bytes;

use super::guard::guarded;
use super::record::{
    Due, META_KEY, Meta, Record, read_timer, read_value_key, timer_key, timers_within, value_key,
};
use crate::message::{Offset, Span, Timestamp};
use crate::runtime::Change;

/// How far a checkpoint's stamp may lie ahead of the clock: clocks are set, a little.
const AHEAD_MAX: Span = Span::hours(1);

/// How far ahead a moment is that gets no entry of its own while nobody watches yet.
const NEAR: Span = Span::seconds(600);

/// The tree of one shard that is open.
///
/// A timer that its owner watches is not worth an entry of its own: sled copies a page for each
/// change, and pages of timers, which have no value, take many times their size in memory. When
/// the tree is opened anew, reading all of it finds them again.
pub(super) struct ShardTree {
    tree: sled::Tree,
    meta: Meta,
    /// Timers up to here need no entry.
    near: Timestamp,
    /// Timers up to here are the owner's.
    watched: Timestamp,
    /// Timers that have no entry and are not the owner's yet.
    strays: BTreeSet<(Timestamp, Bytes)>,
}

/// What is in a shard's tree.
pub(super) enum Found {
    /// Nothing.
    Empty,
    /// Exactly what was written.
    Whole(Offset),
}

impl ShardTree {
    /// Opens a tree without a look inside.
    pub(super) fn open(db: &sled::Db, name: &str, now: Timestamp) -> Result<Self, String> {
        let tree = guarded(|| db.open_tree(name))?;
        let (near, watched) = (now.after(NEAR), Timestamp(i64::MIN));
        Ok(Self { tree, meta: Meta::default(), near, watched, strays: BTreeSet::new() })
    }

    /// Reads the whole tree and says what is in it, or why it cannot be believed.
    pub(super) fn inspect(&mut self, now: Timestamp, age_max: Span) -> Result<Found, String> {
        let mut meta = None;
        let mut counted = Meta::default();
        let mut strays = BTreeSet::new();
        guarded(|| {
            for entry in &self.tree {
                let (key, value) = entry?;
                if key == META_KEY {
                    meta = Some(Meta::decode(&value));
                    continue;
                }
                counted.add(&key, &value);
                if let Some(named) = read_value_key(&key)
                    && let Some(Due::Watched(due)) = Record::due(&value)
                {
                    strays.insert((due, Bytes::copy_from_slice(named)));
                }
            }
            Ok(())
        })?;
        let meta = match meta {
            None if counted.entries == 0 => return Ok(Found::Empty),
            None => return Err("it holds values but no checkpoint".to_owned()),
            Some(None) => return Err("its checkpoint is damaged".to_owned()),
            Some(Some(meta)) => meta,
        };
        if !meta.fits(&counted) {
            let (found, expected) = (counted.entries, meta.entries);
            return Err(format!("its {found} entries are not the {expected} that were written"));
        }
        if now.since(meta.written) > age_max {
            return Err(format!("it was written {}, longer ago than {age_max}", meta.written));
        }
        if meta.written.since(now) > AHEAD_MAX {
            return Err(format!("it was written {}, in the future", meta.written));
        }
        self.meta = meta;
        self.strays = strays;
        Ok(Found::Whole(meta.changelog))
    }

    pub(super) fn load(&self, key: &[u8]) -> Result<Option<Record>, String> {
        let Some(bytes) = guarded(|| self.tree.get(value_key(key)))? else { return Ok(None) };
        match Record::decode(key, &bytes) {
            Some(record) => Ok(Some(record)),
            None => Err(format!("the value of `{}` is damaged", key.escape_ascii())),
        }
    }

    pub(super) fn due(
        &self,
        moments: &RangeInclusive<Timestamp>,
        max: usize,
    ) -> Result<Vec<(Timestamp, Bytes)>, String> {
        let entries: Vec<sled::IVec> =
            guarded(|| self.tree.range(timers_within(moments)).keys().take(max).collect())?;
        let read = |entry: sled::IVec| {
            read_timer(&entry).ok_or_else(|| "an entry of the timer index is damaged".to_owned())
        };
        let mut found: Vec<(Timestamp, Bytes)> =
            entries.into_iter().map(read).collect::<Result<_, _>>()?;
        let strays = self.strays.iter().filter(|(due, _)| moments.contains(due));
        found.extend(strays.take(max).cloned());
        found.sort();
        found.truncate(max);
        Ok(found)
    }

    /// Leaves the timers up to a moment to the owner.
    pub(super) fn watch(&mut self, until: Timestamp) {
        (self.near, self.watched) = (until, until);
        self.strays.retain(|(due, _)| *due > until);
    }

    /// Writes changes and how far they reach in one batch. After an error the tree is torn in
    /// memory, though never on disk: it must be opened anew or dropped.
    pub(super) fn checkpoint(
        &mut self,
        changes: Vec<Change>,
        changelog: Offset,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        let mut meta = Meta { changelog, written: now, ..self.meta };
        // The last change of a key is the one that counts.
        let changes: BTreeMap<Bytes, (Option<Bytes>, Option<Timestamp>)> =
            changes.into_iter().map(|c| (c.key, (c.value, c.due))).collect();
        for (key, (value, due)) in changes {
            self.remove(&key, &mut batch, &mut meta)?;
            let Some(value) = value else { continue };
            let due =
                due.map(|due| if due <= self.near { Due::Watched(due) } else { Due::Indexed(due) });
            let (entry, bytes) = (value_key(&key), Record { due, value }.encode(&key));
            meta.add(&entry, &bytes);
            batch.insert(entry, bytes);
            match due {
                Some(Due::Indexed(due)) => {
                    let timer = timer_key(due, &key);
                    meta.add(&timer, b"");
                    batch.insert(timer, b"");
                }
                Some(Due::Watched(due)) if due > self.watched => {
                    self.strays.insert((due, key));
                }
                Some(Due::Watched(_)) | None => {}
            }
        }
        batch.insert(META_KEY, meta.encode());
        guarded(|| self.tree.apply_batch(batch))?;
        self.meta = meta;
        Ok(())
    }

    /// Takes a key's entries out; what is inserted after it into the same batch wins.
    fn remove(
        &mut self,
        key: &Bytes,
        batch: &mut sled::Batch,
        meta: &mut Meta,
    ) -> Result<(), String> {
        let entry = value_key(key);
        let Some(bytes) = guarded(|| self.tree.get(&entry))? else { return Ok(()) };
        let damaged = || format!("the value of `{}` is damaged", key.escape_ascii());
        let old = Record::decode(key, &bytes).ok_or_else(damaged)?;
        meta.take(&entry, &bytes);
        batch.remove(entry);
        match old.due {
            Some(Due::Indexed(due)) => {
                let timer = timer_key(due, key);
                meta.take(&timer, b"");
                batch.remove(timer);
            }
            Some(Due::Watched(due)) => {
                self.strays.remove(&(due, key.clone()));
            }
            None => {}
        }
        Ok(())
    }
}

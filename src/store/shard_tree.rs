use std::collections::BTreeMap;

use bytes::Bytes;

use super::guard::guarded;
use super::record::{META_KEY, Meta, Record, read_timer, timer_key, timers_until, value_key};
use crate::message::{Offset, Span, Timestamp};
use crate::runtime::Change;

/// How far a checkpoint's stamp may lie ahead of the clock: clocks are set, a little.
const AHEAD_MAX: Span = Span::hours(1);

/// The tree of one shard that is open.
pub(super) struct ShardTree {
    tree: sled::Tree,
    meta: Meta,
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
    pub(super) fn open(db: &sled::Db, name: &str) -> Result<Self, String> {
        let tree = guarded(|| db.open_tree(name))?;
        Ok(Self { tree, meta: Meta::default() })
    }

    /// Reads the whole tree and says what is in it, or why it cannot be believed.
    pub(super) fn inspect(&mut self, now: Timestamp, age_max: Span) -> Result<Found, String> {
        let mut meta = None;
        let mut counted = Meta::default();
        guarded(|| {
            for entry in &self.tree {
                let (key, value) = entry?;
                if key == META_KEY {
                    meta = Some(Meta::decode(&value));
                } else {
                    counted.add(&key, &value);
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
        until: Timestamp,
        max: usize,
    ) -> Result<Vec<(Timestamp, Bytes)>, String> {
        let entries: Vec<sled::IVec> =
            guarded(|| self.tree.range(timers_until(until)).keys().take(max).collect())?;
        let read = |entry: sled::IVec| {
            read_timer(&entry).ok_or_else(|| "an entry of the timer index is damaged".to_owned())
        };
        entries.into_iter().map(read).collect()
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
            let (entry, bytes) = (value_key(&key), Record { due, value }.encode(&key));
            meta.add(&entry, &bytes);
            batch.insert(entry, bytes);
            if let Some(due) = due {
                let timer = timer_key(due, &key);
                meta.add(&timer, b"");
                batch.insert(timer, b"");
            }
        }
        batch.insert(META_KEY, meta.encode());
        guarded(|| self.tree.apply_batch(batch))?;
        self.meta = meta;
        Ok(())
    }

    /// Takes a key's entries out; what is inserted after it into the same batch wins.
    fn remove(&self, key: &[u8], batch: &mut sled::Batch, meta: &mut Meta) -> Result<(), String> {
        let entry = value_key(key);
        let Some(bytes) = guarded(|| self.tree.get(&entry))? else { return Ok(()) };
        let damaged = || format!("the value of `{}` is damaged", key.escape_ascii());
        let old = Record::decode(key, &bytes).ok_or_else(damaged)?;
        meta.take(&entry, &bytes);
        batch.remove(entry);
        if let Some(due) = old.due {
            let timer = timer_key(due, key);
            meta.take(&timer, b"");
            batch.remove(timer);
        }
        Ok(())
    }
}

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::message::{Headers, Offset, Timestamp};

/// One partition, complete: an entry's place is its offset, and nothing is ever taken out.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// Where the entries of open transactions stand.
    open: BTreeSet<usize>,
}

/// What stands at one offset.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub timestamp: Timestamp,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Headers,
    pub standing: Standing,
    /// Compaction took it out of the readers' sight.
    pub compacted: bool,
}

/// Whether a reader may see an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Committed,
    /// Part of that transaction.
    Open(u64),
    Aborted,
    /// The end of a transaction: takes an offset, is no record.
    Marker,
}

impl Entry {
    pub fn new(timestamp: Timestamp, value: Option<Bytes>) -> Self {
        Self {
            timestamp,
            key: None,
            value,
            headers: Headers::default(),
            standing: Standing::Committed,
            compacted: false,
        }
    }

    pub fn under(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl Log {
    pub fn append(&mut self, entry: Entry) -> Offset {
        if matches!(entry.standing, Standing::Open(_)) {
            self.open.insert(self.entries.len());
        }
        self.entries.push(entry);
        offset(self.entries.len() - 1)
    }

    /// The offset behind the last entry.
    pub fn high(&self) -> Offset {
        offset(self.entries.len())
    }

    /// The first offset of an open transaction, else the high watermark.
    pub fn stable(&self) -> Offset {
        offset(self.open.first().map_or(self.entries.len(), |at| *at))
    }

    /// Ends a transaction's part of this partition.
    pub fn settle(&mut self, transaction: u64, committed: bool, now: Timestamp) {
        let part = |at: &usize| self.entries[*at].standing == Standing::Open(transaction);
        let part: Vec<usize> = self.open.iter().copied().filter(part).collect();
        let standing = if committed { Standing::Committed } else { Standing::Aborted };
        for at in &part {
            self.open.remove(at);
            self.entries[*at].standing = standing;
        }
        if !part.is_empty() {
            let marker = Entry { standing: Standing::Marker, ..Entry::new(now, None) };
            self.entries.push(marker);
        }
    }

    /// What a `read_committed` reader sees from an offset up to, but not, another.
    pub fn committed(&self, from: Offset, to: Offset) -> impl Iterator<Item = (Offset, &Entry)> {
        let stable = self.stable().min(to);
        self.all(from, stable).filter(|(_, e)| e.standing == Standing::Committed && !e.compacted)
    }

    /// All that was ever committed below an offset, whether or not compaction took it out.
    pub fn history(&self, to: Offset) -> impl Iterator<Item = (Offset, &Entry)> {
        let stable = self.stable().min(to);
        self.all(Offset(0), stable).filter(|(_, e)| e.standing == Standing::Committed)
    }

    /// Whether the record in front of an offset was written and taken back.
    pub fn is_taken_back(&self, at: Offset) -> bool {
        let before = usize::try_from(at.0 - 1).ok().and_then(|before| self.entries.get(before));
        before.is_some_and(|entry| entry.standing == Standing::Aborted)
    }

    /// All that stands between two offsets, seen or not.
    pub fn all(&self, from: Offset, to: Offset) -> impl Iterator<Item = (Offset, &Entry)> {
        let from = usize::try_from(from.0).unwrap_or(0).min(self.entries.len());
        let to = usize::try_from(to.0).unwrap_or(0).clamp(from, self.entries.len());
        self.entries[from..to].iter().zip(from..).map(|(e, at)| (offset(at), e))
    }

    /// Keeps the last committed entry of each key, and forgets tombstones stamped before `graves`.
    pub fn compact(&mut self, graves: Timestamp) {
        let stable = usize::try_from(self.stable().0).unwrap_or(0);
        let mut last: BTreeMap<Bytes, usize> = BTreeMap::new();
        let is_committed = |e: &Entry| e.standing == Standing::Committed;
        for (at, entry) in self.entries[..stable].iter().enumerate() {
            if let Some(key) = entry.key.as_ref().filter(|_| is_committed(entry)) {
                last.insert(key.clone(), at);
            }
        }
        for (at, entry) in self.entries[..stable].iter_mut().enumerate() {
            let Some(key) = entry.key.as_ref().filter(|_| is_committed(entry)) else { continue };
            let grave = entry.value.is_none() && entry.timestamp < graves;
            if last[key] != at || grave {
                entry.compacted = true;
            }
        }
    }
}

/// An entry's place as its offset.
fn offset(place: usize) -> Offset {
    Offset(i64::try_from(place).expect("a log in memory is far shorter"))
}

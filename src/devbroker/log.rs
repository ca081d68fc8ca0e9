//! One partition: batches in offset order, open transactions, and what readers may see.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;

use super::batch::Batch;
use super::sequence::Sequence;
use super::stored::Stored;

/// A transaction that was undone: its records must not reach `read_committed` readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aborted {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Where the abort marker stands.
    pub last_offset: i64,
}

/// Which records a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    Uncommitted,
    Committed,
}

impl Isolation {
    pub fn of_wire(level: i8) -> Self {
        if level == 1 { Self::Committed } else { Self::Uncommitted }
    }
}

/// What a fetch of one partition found.
#[derive(Debug)]
pub(super) struct Read {
    pub records: Bytes,
    pub aborted: Vec<Aborted>,
}

/// What a log knows beside its batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Past {
    start: i64,
    end: i64,
    sequences: BTreeMap<i64, Sequence>,
    open: BTreeMap<i64, i64>,
    aborted: Vec<Aborted>,
}

#[cfg(test)]
impl Past {
    /// The ids of the producers that are remembered.
    pub fn producers(&self) -> impl Iterator<Item = &i64> {
        self.sequences.keys()
    }
}

/// The log of one partition.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) batches: VecDeque<Batch>,
    pub(super) start: i64,
    end: i64,
    pub(super) bytes: usize,
    /// Bytes that came since the last compaction.
    pub(super) dirty_bytes: usize,
    sequences: BTreeMap<i64, Sequence>,
    /// First offset of each open transaction, by producer id.
    open: BTreeMap<i64, i64>,
    pub(super) aborted: Vec<Aborted>,
}

impl Log {
    /// Appends a producer's batch, or returns the offset of the one that it repeats.
    pub fn append(&mut self, batch: Batch, now_ms: i64) -> Result<i64, ResponseError> {
        if batch.producer_id >= 0
            && let Some(sequence) = self.sequences.get(&batch.producer_id)
            && let Some(offset) = sequence.check(&batch)?
        {
            return Ok(offset);
        }
        Ok(self.write(batch, now_ms))
    }

    /// Appends a batch whose place in its producer's sequence is known to be right.
    pub fn write(&mut self, batch: Batch, now_ms: i64) -> i64 {
        let batch = batch.stamped(self.end);
        let base_offset = batch.base_offset;
        if batch.producer_id >= 0 {
            let fresh = || Sequence::new(batch.producer_epoch);
            self.sequences.entry(batch.producer_id).or_insert_with(fresh).wrote(&batch, now_ms);
        }
        if batch.is_transactional() {
            self.open.entry(batch.producer_id).or_insert(base_offset);
        }
        self.push(batch);
        base_offset
    }

    /// Takes over a batch with the offset that it has; gaps in front of it are right.
    pub fn keep(&mut self, batch: Batch) {
        self.push(batch);
    }

    pub fn past(&self) -> Past {
        Past {
            start: self.start,
            end: self.end,
            sequences: self.sequences.clone(),
            open: self.open.clone(),
            aborted: self.aborted.clone(),
        }
    }

    pub fn set_past(&mut self, past: Past) {
        self.start = past.start;
        self.end = past.end;
        self.sequences = past.sequences;
        self.open = past.open;
        self.aborted = past.aborted;
    }

    /// Forgets what producers without an open transaction wrote if they are silent since a time.
    pub fn forget_producers(&mut self, silent_since_ms: i64) {
        let open = &self.open;
        self.sequences.retain(|id, s| open.contains_key(id) || !s.is_idle_since(silent_since_ms));
    }

    /// Ends a producer's transaction here; its epoch fences older ones from now on.
    pub fn mark(&mut self, producer_id: i64, epoch: i16, committed: bool, now_ms: i64) {
        let marker = Batch::marker(producer_id, epoch, committed, now_ms).stamped(self.end);
        if let Some(first_offset) = self.open.remove(&producer_id)
            && !committed
        {
            let last_offset = marker.base_offset;
            self.aborted.push(Aborted { producer_id, first_offset, last_offset });
        }
        let sequence = self.sequences.entry(producer_id);
        sequence.or_insert_with(|| Sequence::new(epoch)).saw_epoch(epoch, now_ms);
        self.push(marker);
    }

    fn push(&mut self, batch: Batch) {
        self.end = batch.last_offset + 1;
        self.bytes += batch.bytes.len();
        self.dirty_bytes += batch.bytes.len();
        self.batches.push_back(batch);
    }

    pub fn start(&self) -> i64 {
        self.start
    }

    pub fn high_watermark(&self) -> i64 {
        self.end
    }

    /// The offset below which every transaction has ended.
    pub fn last_stable(&self) -> i64 {
        self.open.values().min().copied().unwrap_or(self.end)
    }

    /// The offset that a reader may not pass.
    pub fn limit(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::Uncommitted => self.end,
            Isolation::Committed => self.last_stable(),
        }
    }

    /// Reads whole batches from an offset; the first one may be larger than wanted if allowed.
    pub fn read(
        &self,
        from: i64,
        bytes_max: usize,
        oversize: bool,
        isolation: Isolation,
    ) -> Result<Read, ResponseError> {
        if from < self.start || from > self.end {
            return Err(ResponseError::OffsetOutOfRange);
        }
        let limit = self.limit(isolation);
        let mut taken: Vec<&Batch> = Vec::new();
        let mut bytes = 0;
        for batch in self.batches.range(self.position(from)..) {
            let fits = (oversize && taken.is_empty()) || bytes + batch.bytes.len() <= bytes_max;
            if batch.base_offset >= limit || !fits {
                break;
            }
            bytes += batch.bytes.len();
            taken.push(batch);
        }
        let upper = taken.last().map_or(from, |b| b.last_offset + 1);
        let aborted = match isolation {
            Isolation::Uncommitted => Vec::new(),
            Isolation::Committed => self.aborted_between(from, upper),
        };
        let records = match taken.as_slice() {
            [one] => one.bytes.clone(),
            many => {
                let mut joined = BytesMut::with_capacity(bytes);
                for batch in many {
                    joined.extend_from_slice(&batch.bytes);
                }
                joined.freeze()
            }
        };
        Ok(Read { records, aborted })
    }

    fn aborted_between(&self, from: i64, upper: i64) -> Vec<Aborted> {
        let touches = |a: &&Aborted| a.last_offset >= from && a.first_offset < upper;
        self.aborted.iter().filter(touches).copied().collect()
    }

    /// Index of the first batch that ends at or behind an offset.
    fn position(&self, offset: i64) -> usize {
        self.batches.partition_point(|b| b.last_offset < offset)
    }

    /// Offset and timestamp of the first record that is not older than a time.
    pub fn at_time(&self, timestamp: i64, isolation: Isolation) -> Option<(i64, i64)> {
        let limit = self.limit(isolation);
        let data = self.batches.iter().filter(|b| !b.is_control() && b.max_timestamp >= timestamp);
        for batch in data.take_while(|b| b.base_offset < limit) {
            let records = batch.records().unwrap_or_default();
            let found = records.iter().find(|r| r.timestamp >= timestamp && r.offset < limit);
            if let Some(record) = found {
                return Some((record.offset, record.timestamp));
            }
        }
        None
    }

    /// Offset and timestamp of the youngest record.
    pub fn youngest(&self) -> Option<(i64, i64)> {
        let data = self.batches.iter().filter(|b| !b.is_control());
        let timestamp = data.map(|b| b.max_timestamp).max()?;
        self.at_time(timestamp, Isolation::Uncommitted)
    }

    /// Forgets everything in front of an offset.
    pub fn delete_until(&mut self, offset: i64) {
        self.start = self.start.max(offset.min(self.end));
        while self.batches.front().is_some_and(|b| b.last_offset < self.start) {
            let batch = self.batches.pop_front().expect("the front was just seen");
            self.bytes -= batch.bytes.len();
        }
        self.aborted.retain(|a| a.last_offset >= self.start);
    }

    /// Deletes from the front while the log is larger than allowed, never an open transaction.
    pub fn retain_bytes(&mut self, bytes_max: usize) {
        let stable = self.last_stable();
        while self.bytes > bytes_max && self.batches.len() > 1 {
            let next = self.batches[0].last_offset + 1;
            if next > stable {
                break;
            }
            self.delete_until(next);
        }
    }

    /// Deletes batches whose youngest record is older than allowed.
    pub fn retain_since(&mut self, oldest_ms: i64) {
        let stable = self.last_stable();
        while let Some(first) = self.batches.front()
            && first.max_timestamp < oldest_ms
            && first.last_offset < stable
        {
            let next = first.last_offset + 1;
            self.delete_until(next);
        }
    }
}

impl Stored for Aborted {
    fn put(&self, out: &mut Vec<u8>) {
        self.producer_id.put(out);
        self.first_offset.put(out);
        self.last_offset.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            producer_id: Stored::take(from)?,
            first_offset: Stored::take(from)?,
            last_offset: Stored::take(from)?,
        })
    }
}

impl Stored for Past {
    fn put(&self, out: &mut Vec<u8>) {
        self.start.put(out);
        self.end.put(out);
        self.sequences.put(out);
        self.open.put(out);
        self.aborted.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            start: Stored::take(from)?,
            end: Stored::take(from)?,
            sequences: Stored::take(from)?,
            open: Stored::take(from)?,
            aborted: Stored::take(from)?,
        })
    }
}

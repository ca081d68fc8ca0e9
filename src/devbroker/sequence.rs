//! What a partition remembers of an idempotent producer, to refuse gaps and forgive repeats.

use std::collections::VecDeque;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::batch::{Batch, advance};
use super::stored::Stored;

/// As many batches as a client may have under way.
const REMEMBERED_MAX: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    base_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// The last batches of one producer in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    epoch: i16,
    last: i32,
    seen_ms: i64,
    written: VecDeque<Written>,
}

impl Sequence {
    pub fn new(epoch: i16) -> Self {
        Self { epoch, last: -1, seen_ms: 0, written: VecDeque::new() }
    }

    /// Says whether the producer has been silent since a time.
    pub fn is_idle_since(&self, time_ms: i64) -> bool {
        self.seen_ms < time_ms
    }

    /// The offset of a batch that was written before, if this repeats it.
    pub fn check(&self, batch: &Batch) -> Result<Option<i64>, ResponseError> {
        if batch.producer_epoch < self.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        if batch.producer_epoch > self.epoch {
            let starts = batch.base_sequence == 0;
            return if starts { Ok(None) } else { Err(ResponseError::OutOfOrderSequenceNumber) };
        }
        let same = |w: &&Written| {
            w.base_sequence == batch.base_sequence && w.last_sequence == batch.last_sequence()
        };
        if let Some(written) = self.written.iter().find(same) {
            return Ok(Some(written.base_offset));
        }
        if self.last >= 0 && advance(self.last, 1) == batch.base_sequence {
            return Ok(None);
        }
        if self.last < 0 && batch.base_sequence == 0 {
            return Ok(None);
        }
        Err(ResponseError::OutOfOrderSequenceNumber)
    }

    /// Remembers a batch that now stands in the log.
    pub fn wrote(&mut self, batch: &Batch, now_ms: i64) {
        self.saw_epoch(batch.producer_epoch, now_ms);
        self.last = batch.last_sequence();
        self.written.push_back(Written {
            base_sequence: batch.base_sequence,
            last_sequence: self.last,
            base_offset: batch.base_offset,
        });
        if self.written.len() > REMEMBERED_MAX {
            self.written.pop_front();
        }
    }

    /// Learns from a marker that the producer has a newer epoch.
    pub fn saw_epoch(&mut self, epoch: i16, now_ms: i64) {
        if epoch > self.epoch {
            *self = Self::new(epoch);
        }
        self.seen_ms = now_ms;
    }
}

impl Stored for Written {
    fn put(&self, out: &mut Vec<u8>) {
        self.base_sequence.put(out);
        self.last_sequence.put(out);
        self.base_offset.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            base_sequence: Stored::take(from)?,
            last_sequence: Stored::take(from)?,
            base_offset: Stored::take(from)?,
        })
    }
}

impl Stored for Sequence {
    fn put(&self, out: &mut Vec<u8>) {
        self.epoch.put(out);
        self.last.put(out);
        self.seen_ms.put(out);
        self.written.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            epoch: Stored::take(from)?,
            last: Stored::take(from)?,
            seen_ms: Stored::take(from)?,
            written: Stored::take(from)?,
        })
    }
}

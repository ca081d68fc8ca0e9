//! What a partition remembers of an idempotent producer, to refuse gaps and forgive repeats.

use std::collections::VecDeque;

use kafka_protocol::ResponseError;

use super::batch::{Batch, advance};

/// As many batches as a client may have under way.
const REMEMBERED_MAX: usize = 5;

#[derive(Debug, Clone)]
struct Written {
    base_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// The last batches of one producer in one partition.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    epoch: i16,
    last: i32,
    written: VecDeque<Written>,
}

impl Sequence {
    pub fn new(epoch: i16) -> Self {
        Self { epoch, last: -1, written: VecDeque::new() }
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
    pub fn wrote(&mut self, batch: &Batch) {
        if batch.producer_epoch > self.epoch {
            *self = Self::new(batch.producer_epoch);
        }
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
    pub fn saw_epoch(&mut self, epoch: i16) {
        if epoch > self.epoch {
            *self = Self::new(epoch);
        }
    }
}

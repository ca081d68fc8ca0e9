//! The whole state of the broker behind its lock: topics, groups and transactions together.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::answer::{Answer, Ticket};
use super::batch::Batch;
use super::compaction;
use super::group::Group;
use super::offsets::Offsets;
use super::topics::{Place, Topics};
use super::transaction::{Ending, Producer, Transactions};

/// Largest share of one partition that stays in memory when its topic names no limit.
pub(super) const PARTITION_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What happened under the lock and others wait for.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub appended: Vec<Place>,
    pub answers: Vec<(Ticket, Answer)>,
}

/// Everything that the broker knows.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub topics: Topics,
    pub groups: BTreeMap<String, Group>,
    pub offsets: BTreeMap<String, Offsets>,
    pub transactions: Transactions,
    pub events: Events,
}

impl Cluster {
    /// Appends what a producer sent to one partition; the first batch's offset comes back.
    pub fn produce(
        &mut self,
        place: &Place,
        transactional_id: Option<&str>,
        batches: Vec<Batch>,
    ) -> Result<i64, ResponseError> {
        let topic = self.topics.topic(&place.topic)?;
        let bytes_max = topic.message_bytes_max();
        let compacted = topic.is_compacted();
        self.topics.log(&place.topic, place.partition)?;
        for batch in &batches {
            if batch.bytes.len() > bytes_max {
                return Err(ResponseError::MessageTooLarge);
            }
            if batch.is_control() {
                return Err(ResponseError::InvalidRecord);
            }
            if compacted && batch.records()?.iter().any(|r| r.key.is_none()) {
                return Err(ResponseError::InvalidRecord);
            }
            if batch.is_transactional() {
                let name = transactional_id.ok_or(ResponseError::InvalidTxnState)?;
                let producer = Producer { id: batch.producer_id, epoch: batch.producer_epoch };
                self.transactions.check_write(name, producer, place)?;
            }
        }
        let log = self.topics.log_mut(place)?;
        let mut first = None;
        for batch in batches {
            let offset = log.append(batch)?;
            first.get_or_insert(offset);
        }
        self.events.appended.push(place.clone());
        first.ok_or(ResponseError::InvalidRecord)
    }

    /// Gives a producer its id and epoch.
    pub fn init_producer(
        &mut self,
        transactional_id: Option<&str>,
        timeout_ms: i32,
        known: Option<Producer>,
        now_ms: i64,
    ) -> Result<Producer, ResponseError> {
        let Some(name) = transactional_id else { return Ok(self.transactions.idempotent()) };
        let (producer, ending) = self.transactions.init(name, timeout_ms, known)?;
        if let Some(ending) = ending {
            self.finish(&ending, now_ms);
        }
        Ok(producer)
    }

    /// Ends a transaction everywhere at once.
    pub fn end_transaction(
        &mut self,
        name: &str,
        producer: Producer,
        committed: bool,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        if let Some(ending) = self.transactions.end(name, producer, committed)? {
            self.finish(&ending, now_ms);
        }
        Ok(())
    }

    fn finish(&mut self, ending: &Ending, now_ms: i64) {
        let Producer { id, epoch } = ending.producer;
        for place in &ending.places {
            if let Ok(log) = self.topics.log_mut(place) {
                log.mark(id, epoch, ending.committed, now_ms);
                self.events.appended.push(place.clone());
            }
        }
        for group in &ending.groups {
            if let Some(offsets) = self.offsets.get_mut(group) {
                offsets.end(id, ending.committed);
            }
        }
    }

    /// Does what time alone brings: sessions end, transactions time out, logs shrink.
    pub fn pass_time(&mut self, now_ms: i64) {
        for group in self.groups.values_mut() {
            group.pass_time(now_ms, &mut self.events.answers);
        }
        for ending in self.transactions.expire(now_ms) {
            self.finish(&ending, now_ms);
        }
        for (_, topic) in self.topics.iter_mut() {
            let tombstones_since = now_ms - topic.delete_retention_ms();
            let bytes_max = topic.retention_bytes().unwrap_or(PARTITION_BYTES_MAX);
            let since = topic.retention_ms().map_or(i64::MIN, |ms| now_ms.saturating_sub(ms));
            let (compacted, deleted) = (topic.is_compacted(), topic.is_deleted());
            for log in &mut topic.partitions {
                if compacted {
                    compaction::run_when_due(log, tombstones_since);
                }
                if deleted {
                    log.retain_since(since);
                    log.retain_bytes(bytes_max);
                }
            }
        }
    }
}

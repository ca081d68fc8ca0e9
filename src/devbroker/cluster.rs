//! The whole state of the broker behind its lock: topics, groups and transactions together.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::answer::{Answer, Ticket};
use super::batch::Batch;
use super::change::Change;
use super::compaction;
use super::frame::Changes;
use super::group::Group;
use super::offsets::{Committed, Offsets};
use super::topics::{Place, Topics};
use super::transaction::{Ending, Producer, Transactions};

/// Largest share of one partition that stays in memory when its topic names no limit.
pub(super) const PARTITION_BYTES_MAX: usize = 256 * 1024 * 1024;
/// A producer that wrote nothing for this long repeats nothing any more and is forgotten.
const PRODUCER_SILENT_MS_MAX: i64 = 3_600_000;
/// How often silent producers are looked for.
const SWEEP_MS: i64 = 60_000;

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
    /// What the journal has to be told.
    pub changes: Changes,
    /// When silent producers were last forgotten.
    swept_ms: i64,
    /// The next end of a transaction is told to nobody.
    forgets_markers: bool,
}

impl Cluster {
    /// Appends what a producer sent to one partition; the first batch's offset comes back.
    pub fn produce(
        &mut self,
        place: &Place,
        transactional_id: Option<&str>,
        batches: Vec<Batch>,
        now_ms: i64,
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
            let end = log.high_watermark();
            let offset = log.append(batch, now_ms)?;
            first.get_or_insert(offset);
            if let Some(newest) = log.batches.back().filter(|b| b.base_offset >= end) {
                let batch = &newest.bytes;
                self.changes
                    .note(|| Change::Appended { place: place.clone(), batch: batch.clone() });
            }
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
        let Some(name) = transactional_id else {
            let producer = self.transactions.idempotent();
            let next = self.transactions.next_id();
            self.changes.note(|| Change::ProducersNumbered { next });
            return Ok(producer);
        };
        let (producer, ending) = self.transactions.init(name, timeout_ms, known)?;
        if let Some(ending) = ending {
            self.finish(&ending, now_ms);
        }
        self.note_transaction(name);
        Ok(producer)
    }

    /// Lets a transaction write to partitions.
    pub fn add_places(
        &mut self,
        name: &str,
        producer: Producer,
        places: impl IntoIterator<Item = Place>,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        self.transactions.add_places(name, producer, places, now_ms)?;
        self.note_transaction(name);
        Ok(())
    }

    /// Lets a transaction commit offsets of a group.
    pub fn add_group(
        &mut self,
        name: &str,
        producer: Producer,
        group: &str,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        self.transactions.add_group(name, producer, group, now_ms)?;
        self.note_transaction(name);
        Ok(())
    }

    fn note_transaction(&mut self, name: &str) {
        let Some(transaction) = self.transactions.get(name) else { return };
        let next = self.transactions.next_id();
        self.changes.note(|| Change::ProducersNumbered { next });
        self.changes.note(|| Change::TransactionSet {
            name: name.to_owned(),
            transaction: transaction.clone(),
        });
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
            if !std::mem::take(&mut self.forgets_markers) {
                self.finish(&ending, now_ms);
            }
            self.note_transaction(name);
        }
        Ok(())
    }

    /// Lets the next transaction that ends hang in its partitions.
    pub fn forget_markers(&mut self) {
        self.forgets_markers = true;
    }

    /// Writes the markers of a transaction and settles its offsets.
    pub fn finish(&mut self, ending: &Ending, now_ms: i64) {
        self.changes.note(|| Change::Ended { ending: ending.clone(), now_ms });
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

    /// Brings a topic into being.
    pub fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        settings: BTreeMap<String, String>,
    ) -> Result<(), ResponseError> {
        self.topics.create(name, partitions, settings)?;
        let id = self.topics.number(name)?;
        self.note_topic(name);
        self.changes.note(|| Change::TopicNumbered { name: name.to_owned(), id });
        Ok(())
    }

    /// Raises the number of partitions of a topic.
    pub fn grow_topic(&mut self, name: &str, count: i32) -> Result<(), ResponseError> {
        self.topics.grow(name, count, false)?;
        self.note_topic(name);
        Ok(())
    }

    /// Gives a topic other settings.
    pub fn set_settings(
        &mut self,
        name: &str,
        settings: BTreeMap<String, String>,
    ) -> Result<(), ResponseError> {
        self.topics.topic_mut(name)?.settings = settings;
        self.note_topic(name);
        Ok(())
    }

    fn note_topic(&mut self, name: &str) {
        if let Ok(topic) = self.topics.topic(name) {
            self.changes.note(|| Change::topic_set(name, topic));
        }
    }

    /// Deletes a topic and what groups have committed in it.
    pub fn delete_topic(&mut self, name: &str) -> Result<(), ResponseError> {
        let topic = self.topics.delete(name)?;
        // Waiting fetches learn that their topic is gone.
        let places = (0..topic.partition_count()).map(|p| Place::new(name, p));
        self.events.appended.extend(places);
        self.offsets.values_mut().for_each(|offsets| offsets.forget_topic(name));
        self.changes.note(|| Change::TopicDeleted { name: name.to_owned() });
        Ok(())
    }

    /// Deletes what stands in front of an offset and returns where the log now starts.
    pub fn trim(&mut self, place: &Place, until: i64) -> Result<i64, ResponseError> {
        let log = self.topics.log_mut(place)?;
        log.delete_until(until);
        self.changes.note(|| Change::Trimmed { place: place.clone(), until });
        Ok(log.start())
    }

    /// Remembers how far a group has come.
    pub fn commit_offset(&mut self, group: &str, place: Place, committed: Committed) {
        self.changes.note(|| {
            let (group, place, committed) = (group.to_owned(), place.clone(), committed.clone());
            Change::OffsetCommitted { group, place, committed }
        });
        self.offsets.entry(group.to_owned()).or_default().commit(place, committed);
    }

    /// Holds an offset until its transaction ends.
    pub fn hold_offset(
        &mut self,
        group: &str,
        producer_id: i64,
        place: Place,
        committed: Committed,
    ) {
        self.changes.note(|| {
            let (group, place, committed) = (group.to_owned(), place.clone(), committed.clone());
            Change::OffsetHeld { group, producer_id, place, committed }
        });
        self.offsets.entry(group.to_owned()).or_default().hold(producer_id, place, committed);
    }

    /// Forgets how far a group has come in one partition.
    pub fn forget_offset(&mut self, group: &str, place: &Place) {
        if let Some(offsets) = self.offsets.get_mut(group) {
            offsets.forget(place);
            self.changes
                .note(|| Change::OffsetForgotten { group: group.to_owned(), place: place.clone() });
        }
    }

    /// Forgets a group and its offsets.
    pub fn delete_group(&mut self, group: &str) {
        self.groups.remove(group);
        self.offsets.remove(group);
        self.changes.note(|| Change::GroupDeleted { group: group.to_owned() });
    }

    /// Does what time alone brings: sessions end, transactions time out, logs shrink.
    pub fn pass_time(&mut self, now_ms: i64) {
        for group in self.groups.values_mut() {
            group.pass_time(now_ms, &mut self.events.answers);
        }
        for (name, ending) in self.transactions.expire(now_ms) {
            self.finish(&ending, now_ms);
            self.note_transaction(&name);
        }
        self.shrink(now_ms);
        if now_ms - self.swept_ms >= SWEEP_MS {
            self.swept_ms = now_ms;
            let logs = self.topics.iter_mut().flat_map(|(_, topic)| &mut topic.partitions);
            logs.for_each(|log| log.forget_producers(now_ms - PRODUCER_SILENT_MS_MAX));
        }
    }

    /// Compacts logs, and deletes what they need not keep; a restart does it again.
    pub fn shrink(&mut self, now_ms: i64) {
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

//! The cluster out of its journal, and the shortest journal of a cluster.

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::batch::Batch;
use super::change::Change;
use super::cluster::Cluster;
use super::topics::{Place, Topic};

impl Cluster {
    /// Does again what was done before; an error says that no cluster can have done it.
    pub fn apply(&mut self, change: Change, now_ms: i64) -> Result<(), ResponseError> {
        match change {
            Change::TopicSet { name, partitions, settings } => {
                self.topics.set(&name, partitions, settings)?;
            }
            Change::TopicDeleted { name } => self.delete_topic(&name)?,
            Change::TopicNumbered { name, id } => self.topics.topic_mut(&name)?.id = Some(id),
            Change::Appended { place, batch } => {
                let batch = one(&batch)?;
                let log = self.topics.log_mut(&place)?;
                if batch.base_offset != log.high_watermark() {
                    return Err(ResponseError::OffsetOutOfRange);
                }
                log.write(batch, now_ms);
            }
            Change::Trimmed { place, until } => self.topics.log_mut(&place)?.delete_until(until),
            Change::ProducersNumbered { next } => self.transactions.set_next_id(next),
            Change::TransactionSet { name, transaction } => {
                self.transactions.set(name, transaction);
            }
            Change::Ended { ending, now_ms } => self.finish(&ending, now_ms),
            Change::OffsetCommitted { group, place, committed } => {
                self.groups.entry(group.clone()).or_default();
                self.commit_offset(&group, place, committed);
            }
            Change::OffsetHeld { group, producer_id, place, committed } => {
                self.groups.entry(group.clone()).or_default();
                self.hold_offset(&group, producer_id, place, committed);
            }
            Change::OffsetForgotten { group, place } => self.forget_offset(&group, &place),
            Change::GroupDeleted { group } => self.delete_group(&group),
            Change::Kept { place, batch } => {
                // A copy, or one batch would hold the memory of all that were read with it.
                let batch = one(&Bytes::copy_from_slice(&batch))?;
                let log = self.topics.log_mut(&place)?;
                if batch.base_offset < log.high_watermark() {
                    return Err(ResponseError::OffsetOutOfRange);
                }
                log.keep(batch);
            }
            Change::PastSet { place, past } => self.topics.log_mut(&place)?.set_past(past),
        }
        Ok(())
    }

    /// Tells all that a restart must know, in an order that `apply` can follow.
    pub fn tell<E>(&self, mut tell: impl FnMut(Change) -> Result<(), E>) -> Result<(), E> {
        tell(Change::ProducersNumbered { next: self.transactions.next_id() })?;
        for (name, topic) in self.topics.iter() {
            tell_topic(name, topic, &mut tell)?;
        }
        for (name, transaction) in self.transactions.iter() {
            let transaction = transaction.clone();
            tell(Change::TransactionSet { name: name.clone(), transaction })?;
        }
        for (group, offsets) in &self.offsets {
            for (place, committed) in offsets.iter() {
                let (place, committed) = (place.clone(), committed.clone());
                tell(Change::OffsetCommitted { group: group.clone(), place, committed })?;
            }
            for (producer_id, place, committed) in offsets.held() {
                let (place, committed) = (place.clone(), committed.clone());
                tell(Change::OffsetHeld { group: group.clone(), producer_id, place, committed })?;
            }
        }
        Ok(())
    }

    /// How many bytes of records are live.
    pub fn bytes(&self) -> usize {
        self.topics.iter().flat_map(|(_, topic)| &topic.partitions).map(|log| log.bytes).sum()
    }
}

fn tell_topic<E>(
    name: &str,
    topic: &Topic,
    tell: &mut impl FnMut(Change) -> Result<(), E>,
) -> Result<(), E> {
    tell(Change::topic_set(name, topic))?;
    if let Some(id) = topic.id {
        tell(Change::TopicNumbered { name: name.to_owned(), id })?;
    }
    for (partition, log) in (0..).zip(&topic.partitions) {
        let place = Place::new(name, partition);
        for batch in &log.batches {
            tell(Change::Kept { place: place.clone(), batch: batch.bytes.clone() })?;
        }
        tell(Change::PastSet { place, past: log.past() })?;
    }
    Ok(())
}

fn one(bytes: &Bytes) -> Result<Batch, ResponseError> {
    let mut batches = Batch::split(bytes)?;
    let batch = batches.pop().ok_or(ResponseError::CorruptMessage)?;
    if batches.is_empty() { Ok(batch) } else { Err(ResponseError::CorruptMessage) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::frame::Changes;
    use super::super::offsets::Committed;
    use super::super::stored::Stored;
    use super::super::transaction::Producer;
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn told(cluster: &Cluster) -> Vec<Change> {
        let mut changes = Vec::new();
        let told = cluster.tell(|change| {
            changes.push(change);
            Ok::<(), ()>(())
        });
        told.expect("nothing fails here");
        changes
    }

    /// The changes that were noted, read back from their bytes.
    fn noted(cluster: &mut Cluster) -> Vec<Change> {
        let frame = cluster.changes.frame().expect("changes are kept");
        let mut body = Bytes::copy_from_slice(frame.sealed()).split_off(12);
        let mut changes = Vec::new();
        while !body.is_empty() {
            changes.push(Change::take(&mut body).expect("what was put can be taken"));
        }
        changes
    }

    fn restored(changes: Vec<Change>) -> Cluster {
        let mut cluster = Cluster::default();
        for change in changes {
            cluster.apply(change, NOW_MS).expect("it was done before");
        }
        cluster
    }

    fn noting() -> Cluster {
        let mut cluster = restored(Vec::new());
        cluster.changes = Changes::kept();
        cluster
    }

    /// A marker's bytes stand for a record batch: only their flag tells them apart.
    fn batch(producer: Producer) -> Batch {
        let marker = Batch::marker(producer.id, producer.epoch, true, NOW_MS);
        let mut bytes = marker.bytes.to_vec();
        bytes[22] &= !0x20;
        bytes[53..57].copy_from_slice(&0_i32.to_be_bytes());
        one(&bytes.into()).expect("one batch")
    }

    /// One of everything: an ended, an undone and an open transaction, offsets of both kinds.
    fn busy() -> Cluster {
        let mut cluster = noting();
        let settings = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
        cluster.create_topic("in", 1, BTreeMap::new()).expect("created");
        cluster.create_topic("gone", 1, BTreeMap::new()).expect("created");
        cluster.grow_topic("in", 2).expect("grown");
        cluster.set_settings("in", settings).expect("set");
        let committed = |offset| Committed { offset, leader_epoch: 0, metadata: "m".to_owned() };
        let place = Place::new("in", 0);
        for (name, end) in [("a", Some(true)), ("b", Some(false)), ("c", None)] {
            let producer = cluster.init_producer(Some(name), 1_000, None, NOW_MS).expect("an id");
            cluster.add_places(name, producer, [place.clone()], NOW_MS).expect("added");
            cluster.add_group(name, producer, "g", NOW_MS).expect("added");
            let sent = vec![batch(producer)];
            cluster.produce(&place, Some(name), sent, NOW_MS).expect("appended");
            cluster.hold_offset("g", producer.id, place.clone(), committed(producer.id + 10));
            if let Some(end) = end {
                cluster.end_transaction(name, producer, end, NOW_MS).expect("ended");
            }
        }
        cluster.commit_offset("g", Place::new("gone", 0), committed(1));
        cluster.commit_offset("g", Place::new("in", 1), committed(2));
        cluster.commit_offset("old", Place::new("in", 1), committed(3));
        cluster.forget_offset("g", &Place::new("in", 1));
        cluster.delete_group("old");
        cluster.delete_topic("gone").expect("deleted");
        cluster.init_producer(None, 0, None, NOW_MS).expect("an id");
        cluster.trim(&place, 1).expect("trimmed");
        cluster
    }

    #[test]
    fn what_was_noted_restores_the_cluster() {
        let mut cluster = busy();
        let changes = noted(&mut cluster);
        assert_eq!(told(&restored(changes)), told(&cluster));
    }

    #[test]
    fn what_is_told_restores_the_cluster() {
        let cluster = busy();
        let log = cluster.topics.log("in", 0).expect("it is there");
        assert_eq!((log.start(), log.last_stable(), log.high_watermark()), (1, 4, 5));
        assert_eq!(told(&restored(told(&cluster))), told(&cluster));
    }

    #[test]
    fn a_repeated_request_is_not_noted_again() {
        let mut cluster = noting();
        cluster.create_topic("in", 1, BTreeMap::new()).expect("created");
        let place = Place::new("in", 0);
        let producer = cluster.init_producer(Some("a"), 1_000, None, NOW_MS).expect("an id");
        cluster.add_places("a", producer, [place.clone()], NOW_MS).expect("added");
        for _ in 0..2 {
            let sent = vec![batch(producer)];
            assert_eq!(cluster.produce(&place, Some("a"), sent, NOW_MS), Ok(0));
        }
        let is_append = |c: &&Change| matches!(c, Change::Appended { .. });
        assert_eq!(noted(&mut cluster).iter().filter(is_append).count(), 1);
    }

    #[test]
    fn a_silent_producer_is_forgotten_unless_its_transaction_is_open() {
        let mut cluster = busy();
        let remembered = |cluster: &Cluster| {
            let log = cluster.topics.log("in", 0).expect("it is there");
            log.past().producers().copied().collect::<Vec<_>>()
        };
        assert_eq!(remembered(&cluster), [0, 1, 2]);
        let log = cluster.topics.log_mut(&Place::new("in", 0)).expect("it is there");
        log.forget_producers(NOW_MS);
        assert_eq!(remembered(&cluster), [0, 1, 2]);
        let log = cluster.topics.log_mut(&Place::new("in", 0)).expect("it is there");
        log.forget_producers(NOW_MS + 1);
        assert_eq!(remembered(&cluster), [2]);
    }

    #[test]
    fn a_batch_that_does_not_follow_is_refused() {
        let mut cluster = busy();
        let mut changes = noted(&mut cluster);
        let append = changes.iter().position(|c| matches!(c, Change::Appended { .. }));
        let append = append.expect("something was appended");
        let again = changes[append].clone();
        changes.insert(append, again);
        let mut cluster = Cluster::default();
        let refused = changes.into_iter().find_map(|c| cluster.apply(c, NOW_MS).err());
        assert_eq!(refused, Some(ResponseError::OffsetOutOfRange));
    }
}

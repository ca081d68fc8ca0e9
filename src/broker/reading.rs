use std::collections::{BTreeMap, BTreeSet};

use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::assignments::Partition;
use crate::message::{Incarnation, Topic};
use crate::runtime::SourceRecord;

/// The source partitions that are read, and how far each is.
#[derive(Debug, Default)]
pub(super) struct Reading(BTreeMap<String, BTreeMap<i32, Progress>>);

/// How far a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The offset that is read next.
    pub next: i64,
    /// Which topic the offset belongs to; none for a topic of the engine's own.
    pub incarnation: Option<Incarnation>,
}

impl Reading {
    /// Reads a partition from there on.
    pub(super) fn start(&mut self, (topic, partition): &Partition, progress: Progress) {
        self.0.entry(topic.clone()).or_default().insert(*partition, progress);
    }

    /// Reads nothing of a topic any more.
    pub(super) fn stop(&mut self, topic: &Topic) {
        self.0.remove(topic.as_str());
    }

    /// Reads on only what `keep` says.
    pub(super) fn retain(&mut self, keep: impl Fn(&Partition) -> bool) {
        for (topic, partitions) in &mut self.0 {
            partitions.retain(|partition, _| keep(&(topic.clone(), *partition)));
        }
    }

    /// How far a partition is; none if it is not read.
    pub(super) fn of(&self, topic: &str, partition: i32) -> Option<&Progress> {
        self.0.get(topic)?.get(&partition)
    }

    /// Every partition that is read.
    pub(super) fn all(&self) -> Vec<(Partition, Progress)> {
        let mut all = Vec::new();
        for (topic, partitions) in &self.0 {
            all.extend(partitions.iter().map(|(p, progress)| ((topic.clone(), *p), *progress)));
        }
        all
    }

    /// The users' topics that are read.
    pub(super) fn topics(&self) -> BTreeSet<Topic> {
        let is_users = |progress: &Progress| progress.incarnation.is_some();
        let users = self.0.iter().filter(|(_, partitions)| partitions.values().any(is_users));
        let named = users.map(|(topic, _)| Topic::new(topic));
        named.map(|topic| topic.expect("only topics are subscribed to")).collect()
    }

    /// Takes over records: each learns which topic it is from, and what is not read is dropped.
    pub(super) fn take(&mut self, records: &mut Vec<SourceRecord>) {
        records.retain_mut(|record| {
            let partitions = self.0.get_mut(record.origin.topic.as_str());
            let found = partitions.and_then(|all| all.get_mut(&record.origin.partition));
            let Some(progress) = found else { return false };
            progress.next = record.origin.offset.next().0;
            record.incarnation = progress.incarnation;
            true
        });
    }

    /// Drops records of what is not read any more.
    pub(super) fn keep_read(&self, records: &mut Vec<SourceRecord>) {
        records.retain(|r| self.of(r.origin.topic.as_str(), r.origin.partition).is_some());
    }

    /// What the client has to fetch, and from where on.
    pub(super) fn fetched(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for ((topic, partition), progress) in self.all() {
            list.add_partition_offset(&topic, partition, Place::Offset(progress.next))?;
        }
        Ok(list)
    }

    /// Offsets as the group is told them: each says which topic it belongs to.
    pub(super) fn committable(
        &self,
        offsets: impl IntoIterator<Item = (Partition, i64)>,
    ) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in offsets {
            let Some(progress) = self.of(&topic, partition) else { continue };
            let mut element = list.add_partition(&topic, partition);
            element.set_offset(Place::Offset(offset))?;
            if let Some(incarnation) = progress.incarnation {
                element.set_metadata(incarnation.id.to_string());
            }
        }
        Ok(list)
    }
}

/// The topics of some partitions.
pub(super) fn topics_of(partitions: &BTreeSet<Partition>) -> BTreeSet<Topic> {
    let named = partitions.iter().map(|(topic, _)| Topic::new(topic));
    named.map(|topic| topic.expect("only topics are subscribed to")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Offset, Origin, Timestamp, TopicId};

    fn record(partition: i32, offset: i64) -> SourceRecord {
        let topic = Topic::new("shop.orders").expect("a topic");
        SourceRecord {
            origin: Origin { topic, partition, offset: Offset(offset) },
            incarnation: None,
            key: None,
            headers: Headers::default(),
            body: None,
            timestamp: Timestamp(0),
        }
    }

    #[test]
    fn records_learn_their_topic_and_those_of_a_stopped_one_are_dropped() {
        let mut reading = Reading::default();
        let id = TopicId::derived(&["a"]);
        let incarnation = Some(Incarnation { id, accepted: true });
        reading.start(&("shop.orders".to_owned(), 0), Progress { next: 5, incarnation });
        let mut records = vec![record(0, 5), record(1, 9), record(0, 7)];
        reading.take(&mut records);
        let offsets: Vec<i64> = records.iter().map(|r| r.origin.offset.0).collect();
        assert_eq!(offsets, [5, 7], "partition 1 is not read");
        assert!(records.iter().all(|r| r.incarnation == incarnation));
        assert_eq!(reading.of("shop.orders", 0).map(|p| p.next), Some(8));
        let list = reading.committable([(("shop.orders".to_owned(), 0), 8)]).expect("offsets");
        assert_eq!(list.elements()[0].metadata(), id.to_string());
        reading.stop(&Topic::new("shop.orders").expect("a topic"));
        reading.keep_read(&mut records);
        assert!(records.is_empty() && reading.all().is_empty());
    }
}

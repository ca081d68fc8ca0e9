use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::asking::{Asking, edges, end_finder};
use super::connection::{ANSWER_MAX, Quiet};
use super::native::topic_ids;
use super::poll::records;
use super::reader::{made, partitions};
use super::{Connection, Error, Isolation};
use crate::message::{Offset, Topic, TopicId};
use crate::runtime::SourceRecord;

/// Offsets of partitions: where a reader is, or where they end.
pub type Places = BTreeMap<(Topic, i32), Offset>;

/// Reads all partitions of some topics from given places, in no group; sees committed records.
pub struct Follower {
    connection: Connection,
    consumer: BaseConsumer<Quiet>,
    /// Sees the high watermarks; a committed reader's own handle would see only how far
    /// transactions are finished.
    ends: BaseConsumer<Asking>,
    /// Where each partition is begun.
    begun: Places,
    /// Where each partition begins.
    lows: Places,
    /// What is not in the log: a place behind its end, so that it is not the log that was read.
    misplaced: BTreeSet<(Topic, i32)>,
}

impl Follower {
    /// Begins each partition where `from` says; where it says nothing, or what stood there is not
    /// kept any more, at the beginning.
    ///
    /// # Errors
    /// When the client cannot be made or a topic is missing.
    pub fn open(
        connection: &Connection,
        client: &str,
        topics: &[Topic],
        from: &Places,
    ) -> Result<Self, Error> {
        let group = format!("{client}.follower");
        let consumer = made(&connection.consumer(client, &group, Isolation::Committed)?)?;
        let mut follower = Self {
            connection: connection.clone(),
            consumer,
            ends: end_finder(connection, client)?,
            begun: Places::new(),
            lows: Places::new(),
            misplaced: BTreeSet::new(),
        };
        let mut assignment = TopicPartitionList::new();
        for topic in topics {
            for partition in 0..partitions(connection, &follower.consumer, topic)? {
                let at = follower.begin((topic.clone(), partition), from)?;
                let added =
                    assignment.add_partition_offset(topic.as_str(), partition, Place::Offset(at.0));
                added.map_err(|e| connection.unanswered("assigning partitions", &e))?;
            }
        }
        let assigned = follower.consumer.assign(&assignment);
        assigned.map_err(|e| connection.unanswered("assigning partitions", &e))?;
        Ok(follower)
    }

    /// Where a partition is begun.
    fn begin(&mut self, place: (Topic, i32), from: &Places) -> Result<Offset, Error> {
        let (low, high) = self.ends_of(&place)?;
        let wanted = from.get(&place).copied().unwrap_or(low);
        if wanted > high {
            self.misplaced.insert(place.clone());
        }
        let at = wanted.clamp(low, high);
        self.begun.insert(place.clone(), at);
        self.lows.insert(place, low);
        Ok(at)
    }

    /// Whether a place behind the end of its partition was asked for: what was read before is not
    /// what stands there now.
    #[must_use]
    pub fn is_misplaced(&self) -> bool {
        !self.misplaced.is_empty()
    }

    /// Where each partition began when it was opened: what stood before is not kept any more.
    #[must_use]
    pub fn lows(&self) -> &Places {
        &self.lows
    }

    /// What there is, waiting at most `wait` for the first record, at most `max` records.
    ///
    /// # Errors
    /// When the connection is refused or lost for good.
    pub fn poll(&mut self, wait: Duration, max: usize) -> Result<Vec<SourceRecord>, Error> {
        records(&self.connection, &self.consumer, wait, max, "a topic of the engine")
    }

    /// Behind the last record that was polled of each partition, or where it was begun. Markers of
    /// transactions that were passed over count too.
    ///
    /// # Errors
    /// When the client does not know.
    pub fn positions(&self) -> Result<Places, Error> {
        let positions = self.consumer.position();
        let positions = positions.map_err(|e| self.connection.unanswered("reading", &e))?;
        let mut places = self.begun.clone();
        for ((topic, partition), at) in &mut places {
            let found = positions.find_partition(topic.as_str(), *partition);
            if let Some(Place::Offset(reached)) = found.map(|found| found.offset()) {
                *at = (*at).max(Offset(reached));
            }
        }
        Ok(places)
    }

    /// The topics' ids, where the cluster knows some: a topic that was deleted and made anew has
    /// another one.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn ids(&self) -> Result<BTreeMap<Topic, TopicId>, Error> {
        let topics: BTreeSet<Topic> = self.begun.keys().map(|(topic, _)| topic.clone()).collect();
        let found = topic_ids(&self.ends, &topics, ANSWER_MAX);
        let found = found.map_err(|code| {
            self.connection.unanswered("asking for topics' ids", &KafkaError::Global(code))
        })?;
        // Of a topic that is not there, asking for its end says so.
        let known = found.into_iter().filter_map(|(topic, id)| Some((topic, id.ok()??)));
        Ok(known.collect())
    }

    /// Whether a topic has partitions that are not read: somebody has added them.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn has_grown(&self) -> Result<bool, Error> {
        let mut read: BTreeMap<&Topic, i32> = BTreeMap::new();
        for (topic, _) in self.begun.keys() {
            *read.entry(topic).or_default() += 1;
        }
        for (topic, count) in read {
            if partitions(&self.connection, &self.ends, topic)? > count {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where each partition ends now, with what open transactions have written.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn ends(&self) -> Result<Places, Error> {
        let end = |place: &(Topic, i32)| Ok((place.clone(), self.ends_of(place)?.1));
        self.begun.keys().map(end).collect()
    }

    /// Reads nothing more of a topic until it is resumed.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn pause(&self, topic: &Topic) -> Result<(), Error> {
        let paused = self.consumer.pause(&self.partitions_of(topic));
        paused.map_err(|e| self.connection.unanswered("pausing a topic", &e))
    }

    /// Reads a topic on.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn resume(&self, topic: &Topic) -> Result<(), Error> {
        let resumed = self.consumer.resume(&self.partitions_of(topic));
        resumed.map_err(|e| self.connection.unanswered("resuming a topic", &e))
    }

    fn partitions_of(&self, topic: &Topic) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (own, partition) in self.begun.keys() {
            if own == topic {
                list.add_partition(own.as_str(), *partition);
            }
        }
        list
    }

    fn ends_of(&self, (topic, partition): &(Topic, i32)) -> Result<(Offset, Offset), Error> {
        let found = edges(&self.connection, &self.ends, topic.as_str(), *partition)?;
        Ok((Offset(found.0), Offset(found.1)))
    }
}

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::asking::{Asking, edges, end_finder};
use super::connection::{ANSWER_MAX, Quiet};
use super::poll::records;
use super::retry::insist;
use super::{Connection, Error, Isolation};
use crate::message::{Origin, Topic};
use crate::runtime::SourceRecord;

/// Reads topics of users.
pub struct Reader {
    connection: Connection,
    consumer: BaseConsumer<Quiet>,
    /// Sees the high watermarks; a committed reader's own handle would see only how far
    /// transactions are finished.
    ends: BaseConsumer<Asking>,
    /// For a reader of everything: where each partition ended when it was made.
    targets: Option<BTreeMap<(String, i32), i64>>,
    /// Behind the last record that `poll` returned, for each partition.
    positions: BTreeMap<(String, i32), i64>,
}

impl Reader {
    /// A member of a consumer group (eager rounds), from the earliest offset if the group
    /// has none; offsets are committed by [`Reader::commit`].
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn member(
        connection: &Connection,
        group: &str,
        client: &str,
        topics: &[Topic],
        isolation: Isolation,
    ) -> Result<Self, Error> {
        let consumer = made(&connection.member(client, group, isolation)?)?;
        let names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
        consumer.subscribe(&names).map_err(|e| connection.unanswered("subscribing", &e))?;
        Self::new(connection, client, consumer, None)
    }

    /// All partitions of the topics from the beginning, in no group.
    ///
    /// # Errors
    /// When the client cannot be made or a topic is missing.
    pub fn all(
        connection: &Connection,
        client: &str,
        topics: &[Topic],
        isolation: Isolation,
    ) -> Result<Self, Error> {
        let group = format!("{client}.reader");
        let consumer = made(&connection.consumer(client, &group, isolation)?)?;
        let mut reader = Self::new(connection, client, consumer, None)?;
        let mut targets = BTreeMap::new();
        let mut assignment = TopicPartitionList::new();
        for topic in topics {
            // Asked by the one who reads: a client that does not know a partition's leader when it
            // begins to read waits for half a second.
            for partition in 0..partitions(connection, &reader.consumer, topic)? {
                let (low, high) = reader.ends_of(topic.as_str(), partition)?;
                if low < high {
                    targets.insert((topic.as_str().to_owned(), partition), high);
                }
                assignment
                    .add_partition_offset(topic.as_str(), partition, Place::Beginning)
                    .map_err(|e| connection.unanswered("assigning partitions", &e))?;
            }
        }
        let assigned = reader.consumer.assign(&assignment);
        assigned.map_err(|e| connection.unanswered("assigning partitions", &e))?;
        reader.targets = Some(targets);
        Ok(reader)
    }

    fn new(
        connection: &Connection,
        client: &str,
        consumer: BaseConsumer<Quiet>,
        targets: Option<BTreeMap<(String, i32), i64>>,
    ) -> Result<Self, Error> {
        let ends = end_finder(connection, client)?;
        let connection = connection.clone();
        Ok(Self { connection, consumer, ends, targets, positions: BTreeMap::new() })
    }

    /// What there is, waiting at most `wait` for the first record, at most `max` records.
    ///
    /// # Errors
    /// When the connection is refused or lost for good.
    pub fn poll(&mut self, wait: Duration, max: usize) -> Result<Vec<SourceRecord>, Error> {
        let found = records(&self.connection, &self.consumer, wait, max, "a topic")?;
        for record in &found {
            let Origin { topic, partition, offset } = &record.origin;
            self.positions.insert((topic.as_str().to_owned(), *partition), offset.next().0);
        }
        Ok(found)
    }

    /// Commits what [`Reader::poll`] has returned, for the partitions that are still assigned.
    ///
    /// # Errors
    /// When the group's coordinator does not take it.
    pub fn commit(&mut self) -> Result<(), Error> {
        let failed = |c: &Connection, e| Err(c.unserved("committing offsets", "a topic", &e));
        let assigned = match self.consumer.assignment() {
            Ok(assigned) => assigned,
            Err(error) => return failed(&self.connection, error),
        };
        self.positions
            .retain(|(topic, partition), _| assigned.find_partition(topic, *partition).is_some());
        if self.positions.is_empty() {
            return Ok(());
        }
        match self.consumer.commit(&offsets(&self.positions), CommitMode::Sync) {
            Ok(()) => Ok(()),
            Err(error) => failed(&self.connection, error),
        }
    }

    /// Whether everything was read up to the log ends, of open transactions too, as of the
    /// making of a reader of all, or as of now for a group's member.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn is_at_end(&mut self) -> Result<bool, Error> {
        if self.targets.is_some() {
            return Ok(self.behind()?.is_empty());
        }
        let positions = self.positions()?;
        for position in positions.elements() {
            let (low, high) = self.ends_of(position.topic(), position.partition())?;
            let reached = matches!(position.offset(), Place::Offset(at) if at >= high);
            if low < high && !reached && !self.is_committed_at(&position, high)? {
                return Ok(false);
            }
        }
        Ok(positions.count() > 0)
    }

    /// Of a reader of all the partitions that are not read up to where they ended, each with its
    /// position, if it has one, and that end. Of a committed one they stay behind while a
    /// transaction is open before that end.
    ///
    /// # Errors
    /// When the client does not know its positions.
    pub fn behind(&self) -> Result<Vec<String>, Error> {
        let positions = self.positions()?;
        let mut behind = Vec::new();
        for ((topic, partition), end) in self.targets.iter().flatten() {
            let found = positions.find_partition(topic, *partition).map(|found| found.offset());
            if !matches!(found, Some(Place::Offset(at)) if at >= *end) {
                behind.push(format!("{topic}[{partition}] at {found:?} of {end}"));
            }
        }
        Ok(behind)
    }

    fn positions(&self) -> Result<TopicPartitionList, Error> {
        self.consumer.position().map_err(|e| self.connection.unanswered("reading", &e))
    }

    /// Whether the group had read a partition to its end before this member read anything of it.
    fn is_committed_at(
        &self,
        position: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>,
        end: i64,
    ) -> Result<bool, Error> {
        if matches!(position.offset(), Place::Offset(_)) {
            return Ok(false);
        }
        let mut asked = TopicPartitionList::new();
        asked.add_partition(position.topic(), position.partition());
        let found = self.consumer.committed_offsets(asked, ANSWER_MAX);
        let found =
            found.map_err(|e| self.connection.unanswered("asking for committed offsets", &e))?;
        Ok(found.elements().iter().any(|e| matches!(e.offset(), Place::Offset(at) if at >= end)))
    }

    fn ends_of(&self, topic: &str, partition: i32) -> Result<(i64, i64), Error> {
        edges(&self.connection, &self.ends, topic, partition)
    }
}

pub(super) fn made(config: &rdkafka::ClientConfig) -> Result<BaseConsumer<Quiet>, Error> {
    BaseConsumer::from_config_and_context(config, Quiet).map_err(|e| Error::Client(e.to_string()))
}

/// How many partitions a topic has. A client that was not asked this, or anything, before it
/// subscribes may find itself without a connection and wait for half a second.
pub(super) fn partitions<C: ConsumerContext>(
    connection: &Connection,
    consumer: &BaseConsumer<C>,
    topic: &Topic,
) -> Result<i32, Error> {
    let doing = format!("asking for the partitions of {topic}");
    let found = insist(|wait| consumer.fetch_metadata(Some(topic.as_str()), wait));
    let found = found.map_err(|e| connection.unanswered(&doing, &e))?;
    let topics = found.topics().iter().find(|t| t.name() == topic.as_str());
    match topics {
        Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
            Ok(i32::try_from(found.partitions().len()).expect("Kafka counts partitions by i32"))
        }
        _ => Err(Error::Refused { doing, reason: format!("the topic {topic} does not exist") }),
    }
}

pub(super) fn offsets(positions: &BTreeMap<(String, i32), i64>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for ((topic, partition), offset) in positions {
        list.add_partition_offset(topic, *partition, Place::Offset(*offset))
            .expect("an offset that was read is a legal one");
    }
    list
}

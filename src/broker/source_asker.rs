use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::asking::{Asking, failed};
use super::connection::ANSWER_MAX;
use super::native::{Described, topic_ids};
use super::reader::partitions;
use super::source_start::Committed;
use super::{Connection, Error, Isolation};
use crate::message::{StartFrom, Timestamp, Topic};

/// Asks the cluster about users' topics and about what the gateways' group has committed; a member
/// of no group.
pub(super) struct SourceAsker {
    connection: Connection,
    client: BaseConsumer<Asking>,
}

/// How far the log of a partition reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Log {
    /// Its first offset.
    pub low: i64,
    /// The offset behind the last record that a reader sees now.
    pub end: i64,
    /// The first offset as young as the moment that was asked for, if one was.
    pub since: Option<i64>,
}

impl Log {
    /// The offset to start with.
    pub(super) fn begin(&self, from: StartFrom) -> i64 {
        match from {
            StartFrom::Earliest => self.low,
            StartFrom::Latest => self.end,
            StartFrom::Time(_) => self.since.unwrap_or(self.end),
        }
    }
}

impl SourceAsker {
    /// Makes the client; it connects when it is first asked something.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub(super) fn open(connection: &Connection, app: &str) -> Result<Self, Error> {
        // A reader that sees only what is committed: an open transaction's records are yet to
        // come, so a topic that is begun at its end is begun in front of them.
        let group = format!("{app}.gateway");
        let client = format!("{app}.sources");
        let config = connection.consumer(&client, &group, Isolation::Committed)?;
        let client = BaseConsumer::from_config_and_context(&config, Asking::default());
        let client = client.map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { connection: connection.clone(), client })
    }

    /// The cluster's own id.
    pub(super) fn cluster(&self) -> Result<String, Error> {
        self.client.client().fetch_cluster_id(ANSWER_MAX).ok_or_else(|| Error::Unanswered {
            brokers: self.connection.brokers.clone(),
            doing: "asking for the cluster's id".to_owned(),
            reason: format!("it did not come within {} s", ANSWER_MAX.as_secs()),
        })
    }

    /// The topics' ids.
    pub(super) fn ids(
        &self,
        topics: &BTreeSet<Topic>,
        wait: Duration,
    ) -> Result<BTreeMap<Topic, Described>, Error> {
        let found = topic_ids(&self.client, topics, wait);
        found.map_err(|code| self.failed("asking for topics' ids", &KafkaError::Global(code)))
    }

    /// The logs of a topic's partitions, and where each holds the first record as young as `since`.
    pub(super) fn logs(
        &self,
        topic: &Topic,
        since: Option<Timestamp>,
    ) -> Result<BTreeMap<i32, Log>, Error> {
        let mut logs = BTreeMap::new();
        for partition in 0..partitions(&self.connection, &self.client, topic)? {
            let doing = || format!("asking for the end of {topic}[{partition}]");
            let asked = self.client.fetch_watermarks(topic.as_str(), partition, ANSWER_MAX);
            let (low, end) = asked.map_err(|e| self.failed(&doing(), &e))?;
            logs.insert(partition, Log { low, end, since: None });
        }
        if let Some(since) = since {
            self.look_up(topic, since, &mut logs)?;
        }
        Ok(logs)
    }

    fn look_up(
        &self,
        topic: &Topic,
        since: Timestamp,
        logs: &mut BTreeMap<i32, Log>,
    ) -> Result<(), Error> {
        let doing = format!("asking {topic} for the records since {since}");
        let wrong = |e: KafkaError| self.failed(&doing, &e);
        let mut asked = TopicPartitionList::new();
        for partition in logs.keys() {
            let moment = Place::Offset(since.0.max(0));
            asked.add_partition_offset(topic.as_str(), *partition, moment).map_err(wrong)?;
        }
        let found = self.client.offsets_for_times(asked, ANSWER_MAX).map_err(wrong)?;
        for element in found.elements() {
            element.error().map_err(wrong)?;
            // No offset says that no record is so young.
            if let (Place::Offset(at), Some(log)) =
                (element.offset(), logs.get_mut(&element.partition()))
            {
                log.since = Some(at);
            }
        }
        Ok(())
    }

    /// What the gateways' group has committed of some partitions of a topic.
    pub(super) fn committed(
        &self,
        topic: &Topic,
        partitions: impl Iterator<Item = i32>,
    ) -> Result<BTreeMap<i32, Committed>, Error> {
        let mut asked = TopicPartitionList::new();
        for partition in partitions {
            asked.add_partition(topic.as_str(), partition);
        }
        let doing = "asking where the gateways stopped";
        let found = self.client.committed_offsets(asked, ANSWER_MAX);
        let found = found.map_err(|e| self.failed(doing, &e))?;
        let offsets = committed(&found).into_iter();
        Ok(offsets.map(|((_, partition), committed)| (partition, committed)).collect())
    }

    fn failed(&self, doing: &str, error: &KafkaError) -> Error {
        failed(&self.connection, &self.client, doing, error)
    }
}

/// The offsets in an answer of the group's coordinator.
pub(super) fn committed(found: &TopicPartitionList) -> BTreeMap<(String, i32), Committed> {
    let mut offsets = BTreeMap::new();
    for element in found.elements() {
        if let Place::Offset(offset) = element.offset() {
            let of = element.metadata().to_owned();
            let partition = (element.topic().to_owned(), element.partition());
            offsets.insert(partition, Committed { offset, of });
        }
    }
    offsets
}

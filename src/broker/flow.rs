//! Asks the cluster who holds which shards, and how much is left to read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::asking::{Asking, failed};
use super::first_record::FirstRecord;
use super::reader::partitions;
use super::{Connection, Error, Isolation};
use crate::message::{EngineTopics, Offset, Shard, Timestamp, Topic};

/// How long one question may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// In so many partitions it is looked how old what is left is, those with the most first.
const LOOKED_MAX: usize = 32;
/// How long one such look may take, and all of them.
const LOOK_MAX: Duration = Duration::from_secs(1);
const LOOKS_MAX: Duration = Duration::from_secs(4);

/// Who holds which shards, and how much is left to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flow {
    /// The members of the owners' group, by their names.
    pub members: Vec<GroupMember>,
    /// What the gateways have not read of users' topics and of `<app>.operator`.
    pub gateway: Vec<Lag>,
    /// What the owners have not taken from their inboxes.
    pub shards: Vec<Lag>,
}

/// A pipeline of a node, as the group knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupMember {
    /// `<app>.<node>.<pipeline>`.
    pub name: String,
    /// The machine that it connects from.
    pub host: String,
    /// The shards that the group gave to it; they may be under restore.
    pub shards: Vec<Shard>,
}

/// How many records of a partition are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: i32,
    /// So many places; markers of transactions count too.
    pub records: u64,
    /// When the oldest record of them was written; none if none is left, or that was not found out.
    pub since: Option<Timestamp>,
}

/// Looks how things flow: `users` are the topics that the gateways read.
///
/// # Errors
/// When the cluster does not answer.
pub fn flow(connection: &Connection, app: &str, users: &BTreeSet<Topic>) -> Result<Flow, Error> {
    let topics = EngineTopics::new(app).map_err(|e| Error::Topics(e.to_string()))?;
    let mut read = users.clone();
    read.insert(topics.operator.clone());
    let owners = Group::of(connection, app, "owner")?;
    let gateways = Group::of(connection, app, "gateway")?;
    Ok(Flow {
        members: owners.members(&topics.inbox)?,
        gateway: gateways.lags(&read)?,
        shards: owners.lags(&BTreeSet::from([topics.inbox]))?,
    })
}

/// A consumer in a group by name only: it asks for the group's offsets and never joins.
struct Group<'c> {
    connection: &'c Connection,
    asking: BaseConsumer<Asking>,
    name: String,
}

impl<'c> Group<'c> {
    fn of(connection: &'c Connection, app: &str, what: &str) -> Result<Self, Error> {
        let name = format!("{app}.{what}");
        let mut config =
            connection.consumer(&format!("{app}.flow"), &name, Isolation::Uncommitted)?;
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        let asking = BaseConsumer::from_config_and_context(&config, Asking::default());
        let asking = asking.map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { connection, asking, name })
    }

    fn members(&self, inbox: &Topic) -> Result<Vec<GroupMember>, Error> {
        let doing = format!("asking who is in {}", self.name);
        let found = self.asking.client().fetch_group_list(Some(&self.name), ANSWER_MAX);
        let found = found.map_err(|e| failed(self.connection, &self.asking, &doing, &e))?;
        let group = found.groups().iter().find(|group| group.name() == self.name);
        let mut members = Vec::new();
        for member in group.iter().flat_map(|group| group.members()) {
            let assigned = member.assignment().and_then(|bytes| assigned(bytes, inbox.as_str()));
            members.push(GroupMember {
                name: member.client_id().to_owned(),
                host: member.client_host().trim_start_matches('/').to_owned(),
                shards: assigned.unwrap_or_default(),
            });
        }
        members.sort();
        Ok(members)
    }

    /// What the group has not read; of a partition in which it has not committed anything, all.
    fn lags(&self, topics: &BTreeSet<Topic>) -> Result<Vec<Lag>, Error> {
        let (mut lags, mut places) = (Vec::new(), Vec::new());
        let committed = self.committed(topics)?;
        for ((topic, partition), at) in committed {
            let doing = format!("asking for the end of {topic}[{partition}]");
            let edges = self.asking.fetch_watermarks(topic.as_str(), partition, ANSWER_MAX);
            let edges = edges.map_err(|e| failed(self.connection, &self.asking, &doing, &e));
            let (low, high) = edges?;
            let at = at.unwrap_or(low).max(low);
            let records = u64::try_from(high.saturating_sub(at)).unwrap_or_default();
            lags.push(Lag { topic, partition, records, since: None });
            places.push(Offset(at));
        }
        self.date(&mut lags, &places);
        Ok(lags)
    }

    /// Looks since when records are left. A look that fails leaves that open: how many there are
    /// is told all the same.
    fn date(&self, lags: &mut [Lag], places: &[Offset]) {
        let mut largest: Vec<usize> = (0..lags.len()).filter(|at| lags[*at].records > 0).collect();
        largest.sort_by_key(|at| Reverse(lags[*at].records));
        largest.truncate(LOOKED_MAX);
        let client = format!("{}.flow", self.name);
        let mut first = FirstRecord::new(self.connection, client, Isolation::Committed, LOOK_MAX);
        let begun = Instant::now();
        for at in largest {
            if begun.elapsed() >= LOOKS_MAX {
                return;
            }
            let Lag { topic, partition, .. } = &lags[at];
            let found = first.written(topic, *partition, places[at]);
            lags[at].since = found.unwrap_or_default();
        }
    }

    /// Where the group is in each partition; none where it has not committed anything.
    fn committed(
        &self,
        topics: &BTreeSet<Topic>,
    ) -> Result<BTreeMap<(Topic, i32), Option<i64>>, Error> {
        let doing = format!("asking how far {} has read", self.name);
        let wrong = |e| failed(self.connection, &self.asking, &doing, &e);
        let (mut asked, mut all) = (TopicPartitionList::new(), BTreeMap::new());
        for topic in topics {
            for partition in 0..partitions(self.connection, &self.asking, topic)? {
                asked.add_partition(topic.as_str(), partition);
                all.insert((topic.clone(), partition), None);
            }
        }
        let found = self.asking.committed_offsets(asked, ANSWER_MAX).map_err(wrong)?;
        for element in found.elements() {
            element.error().map_err(wrong)?;
            if let (Place::Offset(at), Ok(topic)) = (element.offset(), Topic::new(element.topic()))
            {
                all.insert((topic, element.partition()), Some(at));
            }
        }
        Ok(all)
    }
}

/// The partitions of a topic in what the group's protocol calls an assignment: a version, then a
/// list of topics, each with a list of partitions. None if it is cut off.
fn assigned(bytes: &[u8], topic: &str) -> Option<Vec<Shard>> {
    let mut rest = Rest(bytes);
    rest.take(2)?;
    let mut shards = Vec::new();
    for _ in 0..rest.number()? {
        let length = i16::from_be_bytes(rest.take(2)?.try_into().ok()?);
        let name = rest.take(usize::try_from(length).ok()?)?;
        for _ in 0..rest.number()? {
            let partition = rest.number()?;
            if name == topic.as_bytes() {
                shards.push(Shard(u32::try_from(partition).ok()?));
            }
        }
    }
    shards.sort_unstable();
    Some(shards)
}

/// What is left of some bytes.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_names_the_shards_of_the_inbox() {
        let inbox = b"\x00\x0ashop.inbox\x00\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00\x01";
        let other = b"\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x09";
        let whole = [&b"\x00\x01\x00\x00\x00\x02"[..], other, inbox, b"\xff\xff\xff\xff"].concat();
        assert_eq!(assigned(&whole, "shop.inbox"), Some(vec![Shard(1), Shard(5)]));
        assert_eq!(assigned(&whole, "nobody"), Some(Vec::new()));
        for length in 0..whole.len() - 4 {
            assert_eq!(assigned(&whole[..length], "shop.inbox"), None, "{length}");
        }
        let huge = b"\x00\x01\x7f\xff\xff\xff";
        assert_eq!(assigned(huge, "t"), None, "a length that lies ends where the bytes end");
    }
}

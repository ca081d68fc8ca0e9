use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::appender::{Appender, Unacknowledged};
use super::assignments::{Assignments, Partition};
use super::changelog::Ends;
use super::connection::ANSWER_MAX;
use super::engine_topics::EngineTopics;
use super::faults::{lost, passing, replaced, unread};
use super::membership::Membership;
use super::poll::drain;
use super::reader::{offsets, partitions};
use super::record::source_record;
use super::{Connection, Error, Isolation};
use crate::message::{Offset, Topic};
use crate::runtime::{Acceptance, Accepted, Forward, Lost, Source, SourceRecord};

/// How often the group is told where it is; what is read again after a crash, the shards drop.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// A poll that found at least so many records says that more are on their way.
const BUSY_RECORDS: usize = 16;
/// How long it lets them gather then: every look, append and request has its price.
const GATHER: Duration = Duration::from_millis(3);
/// How long a clean end waits for acknowledgements.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// The gateway's connection to a Kafka cluster.
///
/// An offset is committed only when everything that was made of the records in front of it is
/// acknowledged by the inbox; a successor starts there, so nothing is left out.
pub struct KafkaSource {
    consumer: BaseConsumer<Assignments>,
    appender: Appender,
    ends: Ends,
    settlement: Settlement,
    committed: Instant,
    /// Whether the last poll found so many records that more are on their way.
    busy: bool,
}

impl KafkaSource {
    /// Joins the gateways' group over the users' topics.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn open(
        connection: &Connection,
        membership: &Membership,
        users: &BTreeSet<Topic>,
    ) -> Result<Self, Error> {
        let topics = EngineTopics::new(&membership.app);
        let topics = topics.map_err(|e| Error::Client(e.to_string()))?;
        let client = format!("{}.gateway", membership.client());
        let group = format!("{}.gateway", membership.app);
        let mut config = connection.member(&client, &group, Isolation::Committed)?;
        config.set("group.instance.id", membership.instance());
        config.set("session.timeout.ms", membership.session.as_millis().to_string());
        config.set("heartbeat.interval.ms", membership.heartbeat().as_millis().to_string());
        // Where to start is decided here; a place that is not in the log is never jumped over.
        config.set("auto.offset.reset", "error");
        let consumer = BaseConsumer::from_config_and_context(&config, Assignments::default());
        let consumer: BaseConsumer<Assignments> =
            consumer.map_err(|e| Error::Client(e.to_string()))?;
        users.iter().try_for_each(|topic| partitions(connection, &consumer, topic).map(drop))?;
        let names: Vec<&str> = users.iter().map(Topic::as_str).collect();
        let subscribed = consumer.subscribe(&names);
        subscribed.map_err(|e| connection.unanswered("subscribing to the users' topics", &e))?;
        Ok(Self {
            consumer,
            appender: Appender::open(connection, &client, &topics)?,
            ends: Ends::open(connection, &client)?,
            settlement: Settlement::default(),
            committed: Instant::now(),
            busy: false,
        })
    }

    /// Starts the partitions that the group has given to this node.
    fn start(&mut self, partitions: &BTreeSet<Partition>) -> Result<(), Lost> {
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in partitions {
            asked.add_partition(topic, *partition);
        }
        let found = self.consumer.committed_offsets(asked, ANSWER_MAX);
        let found = found.map_err(|e| unread("asking where the gateway stopped", &e))?;
        let mut list = TopicPartitionList::new();
        for element in found.elements() {
            let partition = (element.topic().to_owned(), element.partition());
            let committed = match element.offset() {
                Place::Offset(at) => Some(at),
                _ => None,
            };
            let log = self.ends.of(&partition.0, partition.1)?;
            let start = start(&partition, committed, log)?;
            list.add_partition_offset(&partition.0, partition.1, Place::Offset(start))
                .map_err(|e| lost("starting a source partition", &e))?;
        }
        let mine = partitions.iter().all(|partition| self.consumer.context().start(partition));
        if !mine {
            return Err(passing("a source partition is not ours to start".to_owned()));
        }
        let started = self.consumer.assign(&list);
        started.map_err(|e| lost("starting the source partitions", &e))
    }

    fn commit(&mut self, mode: CommitMode) -> Result<(), Lost> {
        self.settlement.settle();
        let context = self.consumer.context();
        self.settlement.ready.retain(|partition, _| context.own(partition));
        if !self.settlement.ready.is_empty() {
            let done = self.consumer.commit(&offsets(&self.settlement.ready), mode);
            done.map_err(|e| lost("committing source offsets", &e))?;
            self.settlement.ready.clear();
        }
        self.committed = Instant::now();
        Ok(())
    }

    fn unreadable(&self, error: &KafkaError) -> Lost {
        if let Some((RDKafkaErrorCode::FencedInstanceId, _)) = self.consumer.client().fatal_error()
        {
            return Lost { reason: replaced(), fatal: true };
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            // The next start looks at the log and says what is wrong with which topic.
            return passing("a users' topic was cut off or made anew while it was read".to_owned());
        }
        unread("reading the users' topics", error)
    }
}

impl Source for KafkaSource {
    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Vec<SourceRecord>, Lost> {
        self.appender.check()?;
        if self.busy {
            std::thread::sleep(GATHER);
        }
        if self.committed.elapsed() >= COMMIT_EVERY {
            self.commit(CommitMode::Async)?;
        }
        let mut found = Vec::new();
        let consumer = &self.consumer;
        let rebalanced = || consumer.context().are_changed();
        let drained = drain(consumer, wait, records_max, rebalanced, |record| {
            found.push(source_record(record).map_err(Fault::Record)?);
            Ok(())
        });
        match drained {
            Ok(_) => {}
            Err(Fault::Client(error)) => return Err(self.unreadable(&error)),
            Err(Fault::Record(error)) => return Err(passing(error.to_string())),
        }
        let changes = self.consumer.context().changes();
        let changes = changes.map_err(|e| lost("rebalancing the users' topics", &e))?;
        if !changes.assigned.is_empty() {
            self.start(&changes.assigned)?;
        }
        let gone = |r: &SourceRecord| {
            changes.revoked.contains(&(r.origin.topic.as_str().to_owned(), r.origin.partition))
        };
        found.retain(|record| !gone(record));
        self.busy = found.len() >= BUSY_RECORDS;
        Ok(found)
    }

    fn forward(&mut self, forward: Forward) -> Result<(), Lost> {
        let count = Unacknowledged::default();
        for append in &forward.appends {
            self.appender.append(append, None, Some(&count))?;
        }
        for letter in &forward.dead_letters {
            self.appender.dead_letter(letter, &count)?;
        }
        self.settlement.expect(count, forward.positions);
        Ok(())
    }

    fn accept(&mut self, acceptance: &Acceptance) -> Result<Accepted, Lost> {
        Ok(Accepted::Refused(format!("{} is read", acceptance.topic)))
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        if !self.appender.settle(CLOSE_WAIT) {
            tracing::warn!("appends not acknowledged; their records will be read again");
        }
        if let Err(lost) = self.commit(CommitMode::Sync) {
            tracing::warn!(reason = lost.reason, "source offsets not committed");
        }
    }
}

/// Where to start reading a source partition whose log reaches from `low` to before `high`.
fn start(
    partition: &Partition,
    committed: Option<i64>,
    (low, high): (i64, i64),
) -> Result<i64, Lost> {
    let (topic, number) = partition;
    match committed {
        Some(at) if at > high => {
            let reason = format!(
                "{topic}[{number}] ends at {high}, but was read up to {at}: the topic was made \
                 anew, and its events would be taken for repeats; delete the group's offsets of \
                 this topic and start the application under a new name, or restore the topic"
            );
            Err(Lost { reason, fatal: true })
        }
        Some(at) if at < low => {
            let records = low - at;
            tracing::error!(topic, partition = number, records, "records deleted unread");
            Ok(low)
        }
        Some(at) => Ok(at),
        None => Ok(low),
    }
}

/// Why a poll ended early.
enum Fault {
    Client(KafkaError),
    Record(Error),
}

impl From<KafkaError> for Fault {
    fn from(error: KafkaError) -> Self {
        Self::Client(error)
    }
}

/// What becomes true with the last acknowledgement of one call.
#[derive(Debug)]
struct Expected {
    count: Unacknowledged,
    positions: BTreeMap<(Topic, i32), Offset>,
}

/// Which source offsets may be committed.
#[derive(Debug, Default)]
struct Settlement {
    /// In the order of appending.
    open: VecDeque<Expected>,
    /// Acknowledged, like everything before.
    ready: BTreeMap<Partition, i64>,
}

impl Settlement {
    fn expect(&mut self, count: Unacknowledged, positions: BTreeMap<(Topic, i32), Offset>) {
        self.open.push_back(Expected { count, positions });
        // Keeps the queue as short as what is under way.
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(Expected { count, positions }) = self.open.front() {
            if count.load(Ordering::Acquire) > 0 {
                return;
            }
            for ((topic, partition), offset) in positions {
                self.ready.insert((topic.as_str().to_owned(), *partition), offset.0);
            }
            self.open.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn positions(offset: i64) -> BTreeMap<(Topic, i32), Offset> {
        let topic = Topic::new("shop.orders").expect("a topic");
        BTreeMap::from([((topic, 0), Offset(offset))])
    }

    fn ready(settlement: &mut Settlement) -> Option<i64> {
        settlement.settle();
        settlement.ready.get(&("shop.orders".to_owned(), 0)).copied()
    }

    #[test]
    fn offsets_wait_for_everything_before_them() {
        let mut settlement = Settlement::default();
        let (first, second) = (Unacknowledged::default(), Unacknowledged::default());
        first.store(1, Ordering::Release);
        second.store(1, Ordering::Release);
        settlement.expect(Arc::clone(&first), positions(10));
        settlement.expect(Arc::clone(&second), positions(20));
        second.store(0, Ordering::Release);
        assert_eq!(ready(&mut settlement), None);
        first.store(0, Ordering::Release);
        assert_eq!(ready(&mut settlement), Some(20));
        settlement.expect(Unacknowledged::default(), positions(30));
        assert_eq!(ready(&mut settlement), Some(30), "nothing was made of these records");
    }

    #[test]
    fn reading_starts_where_it_stopped() {
        let partition = ("shop.orders".to_owned(), 0);
        for (committed, log, expected) in [
            (None, (0, 5), 0),
            (None, (3, 5), 3),
            (Some(4), (0, 5), 4),
            (Some(5), (0, 5), 5),
            (Some(1), (3, 5), 3),
        ] {
            assert_eq!(start(&partition, committed, log), Ok(expected));
        }
        let lost = start(&partition, Some(6), (0, 5)).expect_err("the topic was made anew");
        assert!(lost.fatal);
        assert!(lost.reason.starts_with("shop.orders[0] ends at 5, but was read up to 6"));
    }
}

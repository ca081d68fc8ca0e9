use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::appender::{Appender, Unacknowledged};
use super::assignments::Assignments;
use super::changelog::Ends;
use super::connection::is_unknown_topic;
use super::faults::{lost, passing, unread};
use super::first_start::{StartRules, meet};
use super::membership::Membership;
use super::poll::{Fault, drain};
use super::reader::partitions;
use super::reading::Reading;
use super::record::source_record;
use super::register::Register;
use super::rivals::{claim, judge};
use super::settlement::Settlement;
use super::source_acceptance;
use super::source_start::Stop;
use super::source_watch::SourceWatch;
use super::{Connection, Error};
use crate::message::{EngineTopics, StartFrom, Topic};
use crate::runtime::{Acceptance, Accepted, Forward, Lost, Source, SourceRecord};

mod begin;

/// How often the group is told where it is: what is read again after a crash, the shards drop, and
/// timers wait until their saga's topics were read so far.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// A poll that found at least so many records says that more are on their way.
const BUSY_RECORDS: usize = 16;
/// How long it lets them gather then: every look, append and request has its price.
const GATHER: Duration = Duration::from_millis(3);
/// How long a clean end waits for acknowledgements.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// The gateway's connection to a Kafka cluster.
///
/// An offset is committed only when everything that was made of the records in front of it is
/// acknowledged by the inbox; a successor starts there, so nothing is left out. A topic that is
/// not the one that was read before is stopped, and the others are read on.
pub struct KafkaSource {
    connection: Connection,
    app: String,
    cluster: String,
    /// The engine's own topic among those that are read.
    operator: Topic,
    consumer: BaseConsumer<Assignments>,
    membership: Membership,
    appender: Appender,
    ends: Ends,
    /// What was written down when partitions were last begun.
    register: Register,
    reading: Reading,
    settlement: Settlement,
    watch: SourceWatch,
    /// The topics that are not read, and why.
    stopped: BTreeMap<Topic, Stop>,
    /// When that was last said.
    said: Instant,
    /// Whether the client found a place that is not in its log.
    suspect: bool,
    /// How many records were deleted before they were read.
    deleted_unread: i64,
    committed: Instant,
    /// Whether the last poll found so many records that more are on their way.
    busy: bool,
}

impl KafkaSource {
    /// Joins the gateways' group over the users' topics.
    ///
    /// # Errors
    /// When the client cannot be made, or the cluster does not answer.
    pub fn open(
        connection: &Connection,
        membership: &Membership,
        topics: &BTreeSet<Topic>,
    ) -> Result<Self, Error> {
        let app = membership.app.as_str();
        let engine = EngineTopics::new(app).map_err(|e| Error::Client(e.to_string()))?;
        let client = format!("{}.gateway", membership.client());
        claim(connection, membership)?;
        let consumer = consumer(connection, membership, &client)?;
        for topic in topics {
            match partitions(connection, &consumer, topic) {
                Ok(_) => {}
                // The others are read meanwhile.
                Err(Error::Refused { reason, .. }) => tracing::warn!(reason, "source.missing"),
                Err(error) => return Err(error),
            }
        }
        let mut users = topics.clone();
        users.remove(&engine.operator);
        // What is not written down by now, an older segue has read.
        let rules = StartRules { default: StartFrom::Earliest, topics: BTreeMap::new() };
        meet(connection, app, &users, &users, &rules)?;
        let cluster = super::cluster_id(connection)?;
        let names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
        let subscribed = consumer.subscribe(&names);
        subscribed.map_err(|e| connection.unanswered("subscribing to the users' topics", &e))?;
        Ok(Self {
            consumer,
            membership: membership.clone(),
            appender: Appender::open(connection, &client, &engine)?,
            ends: Ends::open(connection, &client)?,
            register: Register::new(),
            reading: Reading::default(),
            settlement: Settlement::default(),
            watch: SourceWatch::start(connection, app, &cluster, users)?,
            stopped: BTreeMap::new(),
            said: Instant::now(),
            suspect: false,
            deleted_unread: 0,
            committed: Instant::now(),
            busy: false,
            connection: connection.clone(),
            app: app.to_owned(),
            cluster,
            operator: engine.operator,
        })
    }

    fn commit(&mut self, mode: CommitMode) -> Result<(), Lost> {
        self.settlement.settle();
        let context = self.consumer.context();
        let ready = std::mem::take(&mut self.settlement.ready).into_iter();
        let ready = ready.filter(|(partition, _)| context.own(partition));
        let offsets = self.reading.committable(ready);
        let offsets = offsets.map_err(|e| lost("committing source offsets", &e))?;
        self.tell_group(&offsets, mode)?;
        self.committed = Instant::now();
        Ok(())
    }

    fn tell_group(&self, offsets: &TopicPartitionList, mode: CommitMode) -> Result<(), Lost> {
        if offsets.count() == 0 {
            return Ok(());
        }
        let done = self.consumer.commit(offsets, mode);
        done.map_err(|e| lost("committing source offsets", &e))
    }

    /// What an error means that the client reports; an error is passing for the topics that it is
    /// not about.
    fn unreadable(&mut self, error: &KafkaError) -> Result<(), Lost> {
        if let Some((RDKafkaErrorCode::FencedInstanceId, _)) = self.consumer.client().fatal_error()
        {
            return Err(judge(&self.connection, &self.membership));
        }
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset) => self.suspect = true,
            Some(code) if is_unknown_topic(code) => self.watch.look(),
            Some(_) | None => return Err(unread("reading the users' topics", error)),
        }
        Ok(())
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
        self.obey_watch()?;
        let mut found = Vec::new();
        let consumer = &self.consumer;
        let rebalanced = || consumer.context().are_changed();
        let drained = drain(consumer, wait, records_max, rebalanced, |record| {
            found.push(source_record(record).map_err(Fault::Record)?);
            Ok(())
        });
        match drained {
            Ok(_) => {}
            Err(Fault::Client(error)) => self.unreadable(&error)?,
            Err(Fault::Record(error)) => return Err(passing(error.to_string())),
        }
        let changes = self.consumer.context().changes();
        let changes = changes.map_err(|e| lost("rebalancing the users' topics", &e))?;
        if !changes.revoked.is_empty() {
            self.reading.retain(|partition| !changes.revoked.contains(partition));
        }
        self.reading.take(&mut found);
        if self.suspect {
            self.look_at_ends()?;
            self.reading.keep_read(&mut found);
        }
        if !changes.assigned.is_empty() {
            self.begin(&changes.assigned)?;
        }
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
        let done =
            source_acceptance::accept(&self.connection, &self.app, &self.cluster, acceptance);
        let accepted = done.map_err(|e| passing(e.to_string()))?;
        self.watch.look();
        Ok(accepted)
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

/// A static member of the gateways' group.
fn consumer(
    connection: &Connection,
    membership: &Membership,
    client: &str,
) -> Result<BaseConsumer<Assignments>, Error> {
    let config = connection.gateway(client, membership)?;
    BaseConsumer::from_config_and_context(&config, Assignments::default())
        .map_err(|e| Error::Client(e.to_string()))
}

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::appender::Appender;
use super::changelog::{Changelog, Ends, Unopened};
use super::committer::{Answer, Call, Committer, Job, UnderWay};
use super::faults::{Meaning, lost, meaning_of, passing};
use super::hanging::{Confirmed, HANGS_AFTER, LookBack, Looker, all_partitions, undecided};
use super::inbox::Inbox;
use super::ledger::Ledger;
use super::low_watermark::LowWatermark;
use super::membership::{Delivery, Membership};
use super::progress::Progress;
use super::record::partition;
use super::{Connection, Error, Isolation};
use crate::message::{EngineTopics, Offset, Shard, Timestamp, Topic};
use crate::runtime::{Append, Batch, Broker, ChangelogReader as _, Lost, Polled, ReadUpTo, Waker};

/// How often at-least-once delivery tells the group where it is; the changelog knows it exactly.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A pipeline's connection to a Kafka cluster.
pub struct KafkaBroker {
    // Declared first, so that it ends first.
    committer: Committer,
    connection: Connection,
    membership: Membership,
    topics: EngineTopics,
    inbox: Inbox,
    ledger: Arc<Ledger>,
    wakes: Appender,
    ends: Ends,
    watermark: LowWatermark,
    progress: Progress,
    confirmed: Confirmed,
    looker: Looker,
    look_back: LookBack,
    /// The topics of users that are written to.
    written: BTreeSet<Topic>,
    /// What hung was ended.
    is_swept: bool,
    /// The producer has committed nothing yet.
    is_fresh: bool,
    /// The last transaction may still be answered twice: the next one needs a new producer (R1).
    doubtful: bool,
    /// The inbox positions that the group was not told, at least once.
    untold: Option<TopicPartitionList>,
    /// When it was last told.
    told: Instant,
}

impl KafkaBroker {
    /// Joins the owners' group and takes over the transactions of an earlier pipeline of the
    /// same name, which had this confirmed; `written` are the topics of users that are written to.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn open(
        connection: &Connection,
        membership: &Membership,
        written: BTreeSet<Topic>,
        confirmed: &Confirmed,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let topics = EngineTopics::new(&membership.app);
        let topics = topics.map_err(|e| Error::Client(e.to_string()))?;
        let client = membership.client();
        // The transactions first: what a predecessor left open is ended before shards come.
        let opened = progress.during(|| Ledger::open(connection, membership, &topics));
        let ledger = Arc::new(opened?);
        let look_back = LookBack::new(connection, &client, &topics.changelog, confirmed);
        let under_way = Arc::new(UnderWay::new(progress));
        let committer = Committer::start(progress, &under_way);
        Ok(Self {
            committer: committer.map_err(|e| Error::Client(e.to_string()))?,
            ledger,
            look_back,
            inbox: Inbox::join(connection, membership, &topics.inbox, under_way)?,
            wakes: Appender::open(connection, &format!("{client}.wakes"), &topics)?,
            ends: Ends::open(connection, &client)?,
            watermark: LowWatermark::start(connection, membership)?,
            connection: connection.clone(),
            membership: membership.clone(),
            topics,
            progress: progress.clone(),
            confirmed: confirmed.clone(),
            looker: Looker::new(connection, &client),
            written,
            is_swept: false,
            is_fresh: true,
            doubtful: false,
            untold: None,
            told: Instant::now(),
        })
    }

    /// The shards' inbox positions, and our place in the group, read afresh (R6). At least once
    /// nothing but this look keeps a node that was cut off from writing.
    fn footing(&self, batch: &Batch) -> Result<(TopicPartitionList, ConsumerGroupMetadata), Lost> {
        let positions = batch.shards.iter().map(|(shard, part)| (shard, part.inbox));
        Ok((self.inbox.offsets(positions)?, self.inbox.generation()?))
    }

    fn renew(&mut self) -> Result<(), Lost> {
        tracing::debug!(client = self.membership.client(), "producer renewed");
        let open = || Ledger::open(&self.connection, &self.membership, &self.topics);
        let opened = self.progress.during(open);
        self.ledger = Arc::new(opened.map_err(|error| passing(error.to_string()))?);
        self.progress.during(|| self.look_back.until_known())?;
        self.doubtful = false;
        self.is_fresh = true;
        Ok(())
    }

    /// Whether what is undecided in a changelog ends with a transaction of ours that is aborted. If
    /// it does not, it is of somebody else, who may be at it or dead, and is waited for.
    fn hangs_by_us(&self, shard: Shard) -> Result<bool, Lost> {
        if self.membership.delivery == Delivery::AtLeastOnce {
            return Ok(false);
        }
        let place = (self.topics.changelog.clone(), partition(shard));
        let (client, limit) = (self.membership.client(), self.membership.transaction);
        let alone = std::slice::from_ref(&place);
        self.progress.during(|| self.ledger.take_back(alone, limit))?;
        let wanted = BTreeSet::from([place]);
        let look = || undecided(&self.connection, &client, &self.ends, &wanted);
        Ok(self.progress.during(look)?.is_empty())
    }

    /// Takes back what hangs of an earlier transaction of this pipeline's name, wherever it writes;
    /// not what users see of one whose changelog stands in part, for that counts as sent.
    fn end_hanging(&mut self) -> Result<(), Lost> {
        if self.is_swept || self.membership.delivery == Delivery::AtLeastOnce {
            return Ok(());
        }
        self.is_swept = true;
        let client = self.membership.client();
        let mut topics = BTreeSet::new();
        if !self.confirmed_stands()? {
            topics.extend(self.written.iter().cloned());
        }
        let EngineTopics { changelog, history, inbox, dead_letters, questions, .. } = &self.topics;
        topics.extend([changelog, history, inbox, dead_letters, questions].map(Topic::clone));
        let wanted = all_partitions(&self.connection, &self.ends, &topics);
        let look = || undecided(&self.connection, &client, &self.ends, &wanted);
        let hanging = self.progress.during(look)?;
        if hanging.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            partitions = listed(&hanging),
            "kafka.transaction_lost: its end was confirmed and lost; taken back, decided again"
        );
        let limit = self.membership.transaction;
        self.progress.during(|| self.ledger.take_back(&hanging, limit))
    }

    /// Whether any changelog has the last commit that was confirmed.
    fn confirmed_stands(&mut self) -> Result<bool, Lost> {
        let progress = self.progress.clone();
        for (shard, behind) in self.confirmed.all() {
            let at = (partition(shard), Offset(behind.0 - 1));
            let topic = &self.topics.changelog;
            let look = || self.looker.is_seen(Isolation::Committed, topic, at);
            if progress.during(look)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes the loss of a refused transactional call, after asking who fenced us if someone did.
    fn refused(&self, call: Call, error: &KafkaError) -> Lost {
        let doing = call.doing();
        if let KafkaError::Transaction(inner) = error {
            tracing::debug!(
                doing,
                code = %inner.code(),
                requires_abort = inner.txn_requires_abort(),
                retriable = inner.is_retriable(),
                fatal = inner.is_fatal(),
                "transaction failed"
            );
        }
        if call == Call::AddPositions {
            self.inbox.follow();
        }
        if meaning_of(error) == Meaning::Fenced
            && let Some(fenced) = self.inbox.fence()
        {
            return fenced;
        }
        lost(doing, error)
    }

    /// At least once, tells the group now and then where we are.
    fn tell_group(&mut self) -> Result<(), Lost> {
        if let Some(offsets) = self.untold.take().filter(|_| self.told.elapsed() >= TELL_EVERY) {
            self.inbox.commit(&offsets)?;
            self.told = Instant::now();
        }
        Ok(())
    }
}

impl Broker for KafkaBroker {
    type Reader = Changelog;

    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Polled, Lost> {
        self.wakes.check()?;
        let is_idle = !self.committer.is_under_way();
        if is_idle && self.look_back.is_due() && self.ledger.is_disrupted(Duration::ZERO) {
            self.progress.during(|| self.look_back.look())?;
        }
        self.inbox.poll(wait, records_max)
    }

    fn resume(&mut self, positions: &BTreeMap<Shard, Offset>) -> Result<(), Lost> {
        self.inbox.resume(positions)
    }

    fn changelog(&mut self, shard: Shard, from: Offset) -> Result<Changelog, Lost> {
        let limit = 2 * self.membership.transaction;
        let client = self.membership.client();
        let topic = self.topics.changelog.clone();
        // A transaction of the last owner adds its offsets only when its changelog records are
        // written, so the end of the log, uncommitted, stands behind every transaction whose
        // offsets the group took while the shard was not ours (R3).
        let connection = self.connection.clone();
        let progress = self.progress.clone();
        let on = (&topic, shard);
        let at = (&self.ends, &mut self.looker);
        let mut opened =
            progress.during(|| Changelog::open(&connection, &client, at, on, from, HANGS_AFTER));
        if matches!(opened, Err(Unopened::Undecided(_))) {
            if self.hangs_by_us(shard)? {
                self.end_hanging()?;
            }
            let at = (&self.ends, &mut self.looker);
            opened = Changelog::open(&connection, &client, at, on, from, limit);
        }
        let reader = opened.map_err(|unopened| match unopened {
            Unopened::Undecided(reason) => passing(reason),
            Unopened::Lost(lost) => lost,
        })?;
        let taken_back = self.confirmed.all().get(&shard).map_or(Ok(false), |behind| {
            let at = (partition(shard), Offset(behind.0 - 1));
            progress.during(|| self.looker.is_taken_back(&topic, at))
        });
        if taken_back? || !reader.stands() {
            self.end_hanging()?;
        }
        Ok(reader)
    }

    fn read_up_to(&mut self, topics: &BTreeSet<Topic>, wanted: Timestamp) -> ReadUpTo {
        self.watermark.of(topics, wanted)
    }

    fn begin(&mut self, batch: Batch) -> Result<(), Lost> {
        // A connection that was lost during the last commit may be told only now.
        if self.doubtful || self.ledger.is_disrupted(Duration::ZERO) {
            self.renew()?;
        }
        if std::mem::take(&mut self.is_fresh) && self.membership.delivery == Delivery::ExactlyOnce {
            self.inbox.await_coordinator(&self.topics.changelog)?;
        }
        let (offsets, generation) = self.footing(&batch)?;
        let transaction = match self.membership.delivery {
            Delivery::ExactlyOnce => Some((offsets, generation)),
            Delivery::AtLeastOnce => {
                self.untold = Some(offsets);
                None
            }
        };
        let (ledger, limit) = (Arc::clone(&self.ledger), self.membership.transaction);
        let back = self.look_back.afresh();
        self.committer.begin(Job { ledger, batch, transaction, back, limit })
    }

    fn is_concluded(&mut self, wait: Duration) -> bool {
        self.committer.is_concluded(wait)
    }

    fn conclude(&mut self) -> Result<BTreeMap<Shard, Offset>, Lost> {
        match self.committer.conclude()? {
            Answer::Committed { behind, doubtful } => {
                self.doubtful = doubtful;
                self.confirmed.note(behind.clone());
                self.look_back = self.look_back.afresh();
                self.tell_group()?;
                Ok(behind)
            }
            Answer::Refused { call, error } => Err(self.refused(call, &error)),
            Answer::Lost(lost) if self.ledger.is_fenced() => {
                Err(self.inbox.fence().unwrap_or(lost))
            }
            Answer::Lost(lost) => Err(lost),
        }
    }
}

impl Waker for KafkaBroker {
    fn append(&mut self, append: Append, at: Timestamp) -> Result<(), Lost> {
        self.wakes.append(&append, Some(at), None)
    }
}

fn listed(partitions: &[(Topic, i32)]) -> String {
    let one = |(topic, partition): &(Topic, i32)| format!("{topic}[{partition}]");
    partitions.iter().map(one).collect::<Vec<_>>().join(", ")
}

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::Producer;
use rdkafka::util::Timeout;

use super::appender::Appender;
use super::changelog::{Changelog, Ends};
use super::engine_topics::EngineTopics;
use super::faults::{Meaning, lost, meaning_of, passing, replaced};
use super::inbox::Inbox;
use super::ledger::Ledger;
use super::membership::{Delivery, Membership};
use super::progress::Progress;
use super::{Connection, Error};
use crate::message::{Offset, Shard, Timestamp};
use crate::runtime::{Append, Batch, Broker, Lost, Polled, Waker};

/// How long librdkafka waits for an answer before it asks again: an outcome that took as long is
/// in doubt (R1).
const SOCKET_TIMEOUT: Duration = Duration::from_secs(60);
const ABORT_WAIT: Duration = Duration::from_secs(5);
/// How often at-least-once delivery tells the group where it is; the changelog knows it exactly.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// A pipeline's connection to a Kafka cluster.
///
/// ```text
/// exactly once    begin ─ messages ─ changelog ─ history ─ inbox positions ─ flush ─ commit
/// at least once   messages ─ history ─ flush ─ changelog, the position last ─ flush
/// ```
pub struct KafkaBroker {
    connection: Connection,
    membership: Membership,
    topics: EngineTopics,
    inbox: Inbox,
    ledger: Ledger,
    wakes: Appender,
    ends: Ends,
    progress: Progress,
    /// The last transaction may still be answered twice: the next one needs a new producer (R1).
    doubtful: bool,
    /// The last time that at-least-once delivery committed its inbox positions.
    committed: Instant,
}

impl KafkaBroker {
    /// Joins the owners' group and takes over the transactions of an earlier pipeline of the
    /// same name.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn open(
        connection: &Connection,
        membership: &Membership,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let topics = EngineTopics::new(&membership.app);
        let topics = topics.map_err(|e| Error::Client(e.to_string()))?;
        let client = membership.client();
        // The transactions first: what a predecessor left open is ended before shards come.
        let opened = progress.during(|| Ledger::open(connection, membership, &topics));
        Ok(Self {
            ledger: opened?,
            inbox: Inbox::join(connection, membership, &topics.inbox)?,
            wakes: Appender::open(connection, &format!("{client}.wakes"), &topics)?,
            ends: Ends::open(connection, &client)?,
            connection: connection.clone(),
            membership: membership.clone(),
            topics,
            progress: progress.clone(),
            doubtful: false,
            committed: Instant::now(),
        })
    }

    fn commit_exactly_once(&mut self, batch: &Batch) -> Result<(), Lost> {
        if self.doubtful {
            self.renew()?;
        }
        let positions = batch.shards.iter().map(|(shard, part)| (shard, part.inbox));
        let offsets = self.inbox.offsets(positions)?;
        let generation = self.inbox.generation()?;
        let disruptions = self.ledger.disruptions();
        let start = Instant::now();
        let producer = &self.ledger.producer;
        self.judged("beginning a transaction", producer.begin_transaction())?;
        let limit = self.membership.transaction;
        let sent = self.send_all(batch).and_then(|()| {
            // Right behind the messages, so that the two overlap.
            let sent = producer.send_offsets_to_transaction(&offsets, &generation, limit);
            if sent.is_err() {
                self.inbox.follow();
            }
            self.judged("adding the inbox positions to a transaction", sent)?;
            self.ledger.settle(limit)
        });
        if let Err(lost) = sent {
            self.ledger.abort(ABORT_WAIT);
            return Err(lost);
        }
        let committed = producer.commit_transaction(Timeout::Never);
        self.judged("committing a transaction", committed)?;
        self.doubtful =
            start.elapsed() >= SOCKET_TIMEOUT || self.ledger.disruptions() != disruptions;
        Ok(())
    }

    fn send_all(&self, batch: &Batch) -> Result<(), Lost> {
        self.send_outwards(batch)?;
        self.send_changelog(batch)
    }

    fn commit_at_least_once(&mut self, batch: &Batch) -> Result<(), Lost> {
        let positions = batch.shards.iter().map(|(shard, part)| (shard, part.inbox));
        let offsets = self.inbox.offsets(positions)?;
        // Without transactions nothing else keeps a node that was cut off from writing.
        self.inbox.generation()?;
        let limit = self.membership.transaction;
        // History goes with the messages: a step that the changelog knows is never missing in it.
        self.send_outwards(batch)?;
        self.ledger.settle(limit)?;
        self.send_changelog(batch)?;
        self.ledger.settle(limit)?;
        if self.committed.elapsed() >= COMMIT_EVERY {
            self.inbox.commit(&offsets)?;
            self.committed = Instant::now();
        }
        Ok(())
    }

    fn send_outwards(&self, batch: &Batch) -> Result<(), Lost> {
        batch.messages.iter().try_for_each(|message| self.ledger.message(message))?;
        batch.dead_letters.iter().try_for_each(|letter| self.ledger.dead_letter(letter))?;
        batch.letters.iter().try_for_each(|letter| self.ledger.letter(letter))?;
        for (shard, part) in &batch.shards {
            part.history.iter().try_for_each(|record| self.ledger.history(*shard, record))?;
        }
        Ok(())
    }

    fn send_changelog(&self, batch: &Batch) -> Result<(), Lost> {
        for (shard, part) in &batch.shards {
            for (key, value) in &part.changelog {
                self.ledger.changelog(*shard, key, value.as_deref())?;
            }
        }
        Ok(())
    }

    fn renew(&mut self) -> Result<(), Lost> {
        tracing::info!(client = self.membership.client(), "producer renewed");
        let opened = Ledger::open(&self.connection, &self.membership, &self.topics);
        self.ledger = opened.map_err(|error| passing(error.to_string()))?;
        self.doubtful = false;
        Ok(())
    }

    /// Makes the loss of a failed transactional call, after asking who fenced us if someone did.
    fn judged(&self, doing: &str, result: KafkaResult<()>) -> Result<(), Lost> {
        let Err(error) = result else { return Ok(()) };
        if let KafkaError::Transaction(inner) = &error {
            tracing::warn!(
                doing,
                code = %inner.code(),
                requires_abort = inner.txn_requires_abort(),
                retriable = inner.is_retriable(),
                fatal = inner.is_fatal(),
                "transaction failed"
            );
        }
        if meaning_of(&error) == Meaning::Fenced && self.inbox.is_replaced() {
            return Err(Lost { reason: replaced(), fatal: true });
        }
        Err(lost(doing, &error))
    }
}

impl Broker for KafkaBroker {
    type Reader = Changelog;

    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Polled, Lost> {
        self.wakes.check()?;
        self.inbox.poll(wait, records_max)
    }

    fn resume(&mut self, positions: &BTreeMap<Shard, Offset>) -> Result<(), Lost> {
        self.inbox.resume(positions)
    }

    fn changelog(&mut self, shard: Shard, from: Offset) -> Result<Changelog, Lost> {
        let limit = 2 * self.membership.transaction;
        let client = self.membership.client();
        let topic = &self.topics.changelog;
        self.progress.during(|| {
            // A transaction of the last owner whose offsets are in may still be writing: only when
            // the group's offset is stable does the changelog's end stand behind all of it.
            self.inbox.settle(shard, limit)?;
            Changelog::open(&self.connection, &client, &self.ends, topic, shard, from, limit)
        })
    }

    fn commit(&mut self, batch: Batch) -> Result<BTreeMap<Shard, Offset>, Lost> {
        let progress = self.progress.clone();
        progress.during(|| match self.membership.delivery {
            Delivery::ExactlyOnce => self.commit_exactly_once(&batch),
            Delivery::AtLeastOnce => self.commit_at_least_once(&batch),
        })?;
        let mut behind = self.ledger.behind();
        behind.retain(|shard, _| batch.shards.contains_key(shard));
        Ok(behind)
    }
}

impl Waker for KafkaBroker {
    fn append(&mut self, append: Append, at: Timestamp) -> Result<(), Lost> {
        self.wakes.append(&append, Some(at), None)
    }
}

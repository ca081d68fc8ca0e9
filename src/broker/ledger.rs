use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::connection::{ANSWER_MAX, pass_on, report};
use super::dead_letter;
use super::faults::{Meaning, lost, meaning, meaning_of, passing};
use super::membership::{Delivery, Membership};
use super::native::flush;
use super::record::{owned_headers, partition};
use super::writer::{discard, enqueue};
use super::{Connection, Error};
use crate::message::{EngineTopics, Offset, Outgoing, Shard, Topic};
use crate::runtime::{Append, DeadLetter, HistoryRecord, Lost};

/// What librdkafka calls a lost connection in its log.
const LOST_CONNECTION: &str = "FAIL";

/// Writes batches: users' messages, dead letters, changelog and history.
pub(super) struct Ledger {
    pub(super) producer: ThreadedProducer<Deliveries>,
    topics: EngineTopics,
}

impl Ledger {
    /// Makes the producer; a transactional one ends whatever an earlier producer of the same id
    /// left open, and fences it.
    pub(super) fn open(
        connection: &Connection,
        membership: &Membership,
        topics: &EngineTopics,
    ) -> Result<Self, Error> {
        let client = membership.client();
        let config = connection.committer(membership)?;
        let made = ThreadedProducer::from_config_and_context(&config, Deliveries::default());
        let producer: ThreadedProducer<Deliveries> =
            made.map_err(|e| Error::Client(e.to_string()))?;
        if membership.delivery == Delivery::ExactlyOnce {
            let doing = format!("taking over the transactions of {client}");
            let ready = producer.init_transactions(ANSWER_MAX);
            ready.map_err(|e| connection.unanswered(&doing, &e))?;
        }
        Ok(Self { producer, topics: topics.clone() })
    }

    pub(super) fn message(&self, message: &Outgoing) -> Result<(), Lost> {
        let record = BaseRecord::with_opaque_to(message.topic.as_str(), 0)
            .key(message.key.as_bytes())
            .payload(message.body.as_ref())
            .headers(owned_headers(&message.headers));
        self.send(record)
    }

    pub(super) fn dead_letter(&self, letter: &DeadLetter) -> Result<(), Lost> {
        self.send(dead_letter::record(letter, self.topics.dead_letters.as_str(), 0))
    }

    pub(super) fn history(&self, shard: Shard, record: &HistoryRecord) -> Result<(), Lost> {
        let record = BaseRecord::with_opaque_to(self.topics.history.as_str(), 0)
            .partition(partition(shard))
            .key(record.key.as_ref())
            .payload(record.value.as_ref());
        self.send(record)
    }

    pub(super) fn letter(&self, letter: &Append) -> Result<(), Lost> {
        let record = BaseRecord::with_opaque_to(self.topics.inbox.as_str(), 0)
            .partition(partition(letter.shard))
            .payload(letter.value.as_ref());
        let record: BaseRecord<'_, [u8], [u8], usize> = record;
        self.send(record)
    }

    pub(super) fn changelog(
        &self,
        shard: Shard,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), Lost> {
        let opaque = usize::try_from(shard.0).expect("a u32 fits") + 1;
        let mut record = BaseRecord::with_opaque_to(self.topics.changelog.as_str(), opaque)
            .partition(partition(shard))
            .key(key);
        if let Some(value) = value {
            record = record.payload(value);
        }
        self.producer.context().receipts().open += 1;
        self.send(record)
    }

    /// Waits until every changelog record that was sent is acknowledged.
    pub(super) fn settle_changelog(&self, wait: Duration) -> Result<(), Lost> {
        let deliveries = self.producer.context();
        let open = |receipts: &mut Receipts| receipts.failure.is_none() && receipts.open > 0;
        let waited = deliveries.changed.wait_timeout_while(deliveries.receipts(), wait, open);
        let (receipts, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(receipts);
        self.check()?;
        if timeout.timed_out() {
            let waited = wait.as_millis();
            return Err(passing(format!("no acknowledgement of the changelog in {waited} ms")));
        }
        Ok(())
    }

    /// Waits until everything is acknowledged.
    pub(super) fn settle(&self, wait: Duration) -> Result<(), Lost> {
        let done = flush(&self.producer, wait);
        self.check()?;
        if !done {
            return Err(passing(format!("no acknowledgement in {} ms", wait.as_millis())));
        }
        Ok(())
    }

    /// Why a record was refused, as far as that is known within `wait`.
    pub(super) fn failure(&self, wait: Duration) -> Option<Lost> {
        flush(&self.producer, wait);
        self.check().err()
    }

    /// The changelog offset behind what was sent, for each shard.
    pub(super) fn behind(&self) -> BTreeMap<Shard, Offset> {
        self.producer.context().receipts().behind.clone()
    }

    /// Ends an open transaction of which nothing may become true; what fails is left to the
    /// producer that takes over.
    pub(super) fn abort(&self, wait: Duration) {
        discard(&self.producer);
        flush(&self.producer, wait);
        if let Err(error) = self.producer.abort_transaction(wait) {
            tracing::warn!(%error, "transaction not aborted");
        }
    }

    /// Ends by an aborted transaction what hangs in these partitions of an earlier one of the same
    /// transactional id.
    pub(super) fn take_back(
        &self,
        partitions: &[(Topic, i32)],
        wait: Duration,
    ) -> Result<(), Lost> {
        let failed = |e: KafkaError| lost("taking back what hangs", &e);
        self.producer.begin_transaction().map_err(failed)?;
        for (topic, partition) in partitions {
            // A compacted topic takes no record without a key; this one is never seen.
            let record = BaseRecord::with_opaque_to(topic.as_str(), 0).partition(*partition);
            let record: BaseRecord<'_, [u8], [u8], usize> = record.key(b"aborted");
            self.send(record)?;
        }
        self.settle(wait)?;
        self.producer.abort_transaction(wait).map_err(failed)
    }

    /// Whether the producer has ever lost a connection, as far as it is told within `wait`: an end
    /// of a transaction that it sent may still arrive (R1).
    pub(super) fn is_disrupted(&self, wait: Duration) -> bool {
        let deliveries = self.producer.context();
        let calm = |_: &mut Receipts| deliveries.disruptions.load(Ordering::Acquire) == 0;
        let waited = deliveries.changed.wait_timeout_while(deliveries.receipts(), wait, calm);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        deliveries.disruptions.load(Ordering::Acquire) > 0
    }

    /// Whether another producer has our transactional id, or a transaction of ours took too long.
    pub(super) fn is_fenced(&self) -> bool {
        let fatal = self.producer.client().fatal_error();
        fatal.is_some_and(|(code, _)| meaning(code) == Meaning::Fenced)
    }

    fn check(&self) -> Result<(), Lost> {
        let receipts = self.producer.context().receipts();
        let Some((topic, error)) = &receipts.failure else {
            return Ok(());
        };
        let doing = format!("writing to {topic}");
        // What was purged behind a fatal error says less than that error.
        match self.producer.client().fatal_error() {
            Some((code, _)) => Err(lost(&doing, &KafkaError::Global(code))),
            None => Err(lost(&doing, error)),
        }
    }

    fn send(&self, record: BaseRecord<'_, [u8], [u8], usize>) -> Result<(), Lost> {
        enqueue(
            &self.producer,
            record,
            || self.check(),
            |topic, error| lost(&format!("writing to {topic}"), error),
        )
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        discard(&self.producer);
    }
}

/// Remembers where changelog records went, and the first delivery that failed.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    receipts: Mutex<Receipts>,
    /// Something was acknowledged, or failed.
    changed: Condvar,
    disruptions: AtomicU64,
}

#[derive(Debug, Default)]
struct Receipts {
    behind: BTreeMap<Shard, Offset>,
    /// How many changelog records are not acknowledged.
    open: usize,
    failure: Option<(String, KafkaError)>,
}

impl Deliveries {
    fn receipts(&self) -> std::sync::MutexGuard<'_, Receipts> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // A connection that is closed is told in the log alone.
        if facility == LOST_CONNECTION {
            self.disruptions.fetch_add(1, Ordering::AcqRel);
            self.changed.notify_all();
        }
        pass_on(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        if matches!(
            code,
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::OperationTimedOut
            )
        ) {
            self.disruptions.fetch_add(1, Ordering::AcqRel);
        }
        report(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    /// 0, or for a changelog record its shard plus 1.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        match result {
            Ok(record) => {
                let shard = opaque.checked_sub(1).and_then(|shard| u32::try_from(shard).ok());
                if let Some(shard) = shard {
                    let next = Offset(record.offset()).next();
                    let mut receipts = self.receipts();
                    let behind = receipts.behind.entry(Shard(shard)).or_default();
                    *behind = next.max(*behind);
                    receipts.open = receipts.open.saturating_sub(1);
                    if receipts.open == 0 {
                        self.changed.notify_all();
                    }
                }
            }
            Err((error, record)) => {
                let mut receipts = self.receipts();
                let better = |(_, first): &(String, KafkaError)| {
                    // What was purged or timed out behind the cause says less than the cause.
                    meaning_of(first) == Meaning::Again && meaning_of(error) != Meaning::Again
                };
                if receipts.failure.as_ref().is_none_or(better) {
                    receipts.failure = Some((record.topic().to_owned(), error.clone()));
                }
                self.changed.notify_all();
            }
        }
    }
}

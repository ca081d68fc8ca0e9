use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::connection::{pass_on, report};
use super::dead_letter;
use super::faults::lost;
use super::native::flush;
use super::record::partition;
use super::writer::{discard, enqueue};
use super::{Connection, Error};
use crate::message::{EngineTopics, Timestamp};
use crate::runtime::{Append, DeadLetter, Lost};

/// How many records of one call are not acknowledged yet.
pub(super) type Unacknowledged = Arc<AtomicUsize>;

/// Appends to the inbox with an idempotent producer, which never reorders and never repeats.
pub(super) struct Appender {
    producer: ThreadedProducer<Acknowledgements>,
    topics: EngineTopics,
}

impl Appender {
    pub(super) fn open(
        connection: &Connection,
        client: &str,
        topics: &EngineTopics,
    ) -> Result<Self, Error> {
        let config = connection.appender(client)?;
        let made = ThreadedProducer::from_config_and_context(&config, Acknowledgements::default());
        let producer = made.map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { producer, topics: topics.clone() })
    }

    /// Queues a record for the inbox; what `count` counts goes down with its acknowledgement.
    pub(super) fn append(
        &self,
        append: &Append,
        at: Option<Timestamp>,
        count: Option<&Unacknowledged>,
    ) -> Result<(), Lost> {
        let mut record = BaseRecord::with_opaque_to(self.topics.inbox.as_str(), counted(count))
            .partition(partition(append.shard))
            .payload(append.value.as_ref());
        if let Some(at) = at {
            record = record.timestamp(at.0);
        }
        self.send(record)
    }

    pub(super) fn dead_letter(
        &self,
        letter: &DeadLetter,
        count: &Unacknowledged,
    ) -> Result<(), Lost> {
        let topic = self.topics.dead_letters.as_str();
        self.send(dead_letter::record(letter, topic, counted(Some(count))))
    }

    /// # Errors
    /// When a record was given up.
    pub(super) fn check(&self) -> Result<(), Lost> {
        match &*self.producer.context().failure() {
            None => Ok(()),
            Some((topic, error)) => Err(lost(&format!("appending to {topic}"), error)),
        }
    }

    /// Waits until everything is acknowledged; answers whether it is.
    pub(super) fn settle(&self, wait: Duration) -> bool {
        flush(&self.producer, wait)
    }

    fn send(&self, record: BaseRecord<'_, [u8], [u8], Unacknowledged>) -> Result<(), Lost> {
        self.check()?;
        enqueue(
            &self.producer,
            record,
            || self.check(),
            |topic, error| lost(&format!("appending to {topic}"), error),
        )
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        discard(&self.producer);
    }
}

fn counted(count: Option<&Unacknowledged>) -> Unacknowledged {
    count.map_or_else(Arc::default, |count| {
        count.fetch_add(1, Ordering::AcqRel);
        Arc::clone(count)
    })
}

/// Counts acknowledgements and remembers the first failure.
#[derive(Debug, Default)]
struct Acknowledgements {
    failure: Mutex<Option<(String, KafkaError)>>,
}

impl Acknowledgements {
    fn failure(&self) -> MutexGuard<'_, Option<(String, KafkaError)>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Acknowledgements {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        pass_on(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = Unacknowledged;

    fn delivery(&self, result: &DeliveryResult<'_>, count: Unacknowledged) {
        match result {
            Ok(_) => {
                // A record that nobody counts has a counter of its own, at 0.
                let less = |open: usize| open.checked_sub(1);
                count.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).ok();
            }
            Err((error, record)) => {
                let topic = record.topic().to_owned();
                self.failure().get_or_insert_with(|| (topic, error.clone()));
            }
        }
    }
}

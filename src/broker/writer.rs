use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig, ThreadedProducer,
};

use super::connection::{describe, pass_on, report};
use super::native::flush;
use super::record::owned_headers;
use super::{Connection, Error};
use crate::message::{Outgoing, RawRecord, Timestamp};

/// Writes messages with an idempotent producer (linger 0, acks all).
pub struct Writer {
    producer: ThreadedProducer<Receipts>,
}

impl Writer {
    /// Makes a producer; it connects when it first sends.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn open(connection: &Connection, client: &str) -> Result<Self, Error> {
        let producer = connection.producer(client)?;
        let producer = ThreadedProducer::from_config_and_context(&producer, Receipts::default());
        Ok(Self { producer: producer.map_err(|e| Error::Client(e.to_string()))? })
    }

    /// Queues a message, stamped with `at` or else with the time of sending; waits while the
    /// queue is full.
    ///
    /// # Errors
    /// When an earlier message failed, or this one never can be sent.
    pub fn send(&self, message: &Outgoing, at: Option<Timestamp>) -> Result<(), Error> {
        self.producer.context().check()?;
        let mut record = BaseRecord::to(message.topic.as_str())
            .key(message.key.as_bytes())
            .payload(message.body.as_ref())
            .headers(owned_headers(&message.headers));
        if let Some(at) = at {
            record = record.timestamp(at.0);
        }
        enqueue(
            &self.producer,
            record,
            || Ok(()),
            |topic, error| Error::NotAcknowledged(failed(error, topic)),
        )
    }

    /// Queues a record byte for byte, stamped with the time of sending; waits while the queue is
    /// full.
    ///
    /// # Errors
    /// When an earlier message failed, or this one never can be sent.
    pub fn send_raw(&self, raw: &RawRecord) -> Result<(), Error> {
        self.producer.context().check()?;
        let mut record = BaseRecord::to(raw.topic.as_str())
            .payload(raw.body.as_ref())
            .headers(owned_headers(&raw.headers));
        if let Some(key) = &raw.key {
            record = record.key(key.as_ref());
        }
        if let Some(partition) = raw.partition {
            record = record.partition(partition);
        }
        enqueue(
            &self.producer,
            record,
            || Ok(()),
            |topic, error| Error::NotAcknowledged(failed(error, topic)),
        )
    }

    /// Waits until all that was sent is acknowledged.
    ///
    /// # Errors
    /// When something was not acknowledged within `wait`, or failed before.
    pub fn flush(&self, wait: Duration) -> Result<(), Error> {
        let done = flush(&self.producer, wait);
        self.producer.context().check()?;
        if done {
            return Ok(());
        }
        let open = self.producer.in_flight_count();
        Err(Error::NotAcknowledged(format!("{open} messages after {} ms", wait.as_millis())))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        discard(&self.producer);
    }
}

/// Gives up what a producer still holds, so that closing it does not wait.
pub(super) fn discard<C: ProducerContext + 'static>(producer: &ThreadedProducer<C>) {
    producer.purge(PurgeConfig::default().queue().inflight());
}

/// Queues a record; waits while the queue is full, as long as `check` finds nothing wrong.
pub(super) fn enqueue<C, E>(
    producer: &ThreadedProducer<C>,
    record: BaseRecord<'_, [u8], [u8], C::DeliveryOpaque>,
    check: impl Fn() -> Result<(), E>,
    refused: impl Fn(&str, &KafkaError) -> E,
) -> Result<(), E>
where
    C: ProducerContext + 'static,
{
    let mut waiting = QueueFull::default();
    let mut record = record;
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((error, back)) if waiting.again(&error) => {
                check()?;
                record = back;
            }
            Err((error, back)) => return Err(refused(back.topic, &error)),
        }
    }
}

/// Waits for room in a producer's queue.
#[derive(Debug, Default)]
struct QueueFull {
    times: u32,
}

impl QueueFull {
    /// Pauses if that is what went wrong; answers whether to send again. The queue empties even
    /// with the cluster away: its records are given up in time.
    fn again(&mut self, error: &KafkaError) -> bool {
        if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1 << self.times.min(4)));
        self.times += 1;
        true
    }
}

/// Remembers the first delivery that failed.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    failure: Mutex<Option<String>>,
}

impl Receipts {
    /// # Errors
    /// When a delivery has failed.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => Err(Error::NotAcknowledged(reason.clone())),
            None => Ok(()),
        }
    }
}

impl ClientContext for Receipts {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        pass_on(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl ProducerContext for Receipts {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, record)) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| failed(error, record.topic()));
        }
    }
}

fn failed(error: &KafkaError, topic: &str) -> String {
    format!("a record for {topic}: {}", describe(error))
}

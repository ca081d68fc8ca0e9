use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::broker::{Connection, Error, Writer};
use crate::message::{Outgoing, RawRecord, Topic};
use crate::node::{ActKeys, MachineClock};
use crate::runtime::Clock as _;

/// How long the cluster may take to acknowledge what was sent.
const FLUSH_MAX: Duration = Duration::from_secs(10);

/// Where what people do is written: to Kafka, or to a list of a test.
pub trait Outbox: Send + Sync {
    /// Writes a message and waits for its acknowledgement.
    ///
    /// # Errors
    /// When it was not acknowledged, in words; it may stand there all the same.
    fn write(&self, message: &Outgoing) -> Result<(), String>;

    /// Writes a record byte for byte and waits for its acknowledgement.
    ///
    /// # Errors
    /// When it was not acknowledged, in words; it may stand there all the same.
    fn write_raw(&self, record: &RawRecord) -> Result<(), String>;
}

/// Signs acts; all else is written as it is.
pub(super) struct Signer {
    /// The topic of acts.
    pub operator: Topic,
    /// The keys; without them acts need no signature.
    pub keys: Option<ActKeys>,
    pub clock: MachineClock,
}

impl Signer {
    /// The message as it is written.
    ///
    /// # Errors
    /// When it must be signed and cannot be, in words.
    fn signed(&self, message: &Outgoing) -> Result<Outgoing, String> {
        match &self.keys {
            Some(keys) if message.topic == self.operator => {
                keys.sign(message.clone(), self.clock.now())
            }
            Some(_) | None => Ok(message.clone()),
        }
    }
}

/// Writes to Kafka.
pub(super) struct KafkaOutbox {
    connection: Connection,
    client: String,
    signer: Signer,
    /// Made when it is first needed; one that failed is dropped, since it keeps its failure.
    writer: Mutex<Option<Writer>>,
}

impl KafkaOutbox {
    pub fn new(connection: Connection, client: String, signer: Signer) -> Self {
        Self { connection, client, signer, writer: Mutex::default() }
    }
}

impl Outbox for KafkaOutbox {
    fn write(&self, message: &Outgoing) -> Result<(), String> {
        let message = &self.signer.signed(message)?;
        self.written(|writer| writer.send(message, None))
    }

    fn write_raw(&self, record: &RawRecord) -> Result<(), String> {
        self.written(|writer| writer.send_raw(record))
    }
}

impl KafkaOutbox {
    /// Sends something and waits for its acknowledgement.
    fn written(&self, send: impl Fn(&Writer) -> Result<(), Error>) -> Result<(), String> {
        let mut kept = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = match kept.take() {
            Some(writer) => writer,
            None => Writer::open(&self.connection, &self.client).map_err(|e| e.to_string())?,
        };
        let written = send(&writer).and_then(|()| writer.flush(FLUSH_MAX));
        written.map_err(|e| e.to_string())?;
        *kept = Some(writer);
        Ok(())
    }
}

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::broker::{Connection, Error, Writer};
use crate::message::{Outgoing, RawRecord};

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

/// Writes to Kafka.
pub(super) struct KafkaOutbox {
    connection: Connection,
    client: String,
    /// Made when it is first needed; one that failed is dropped, since it keeps its failure.
    writer: Mutex<Option<Writer>>,
}

impl KafkaOutbox {
    pub fn new(connection: Connection, client: String) -> Self {
        Self { connection, client, writer: Mutex::default() }
    }
}

impl Outbox for KafkaOutbox {
    fn write(&self, message: &Outgoing) -> Result<(), String> {
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

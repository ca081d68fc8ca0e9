//! Finds the first record of a partition that is there from an offset on.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message as _;

use super::assign::{read_from, unassign};
use super::closing::close_aside;
use super::connection::{Quiet, is_passing};
use super::faults::{lost, passing};
use super::reader::made;
use super::{Connection, Isolation};
use crate::message::{Offset, Timestamp, Topic};
use crate::runtime::Lost;

/// A reader that is made when it is first needed, and kept: a look costs some milliseconds, a
/// client a tenth of a second.
pub(super) struct FirstRecord {
    connection: Connection,
    client: String,
    isolation: Isolation,
    /// How long it may take to find a record or the end.
    patience: Duration,
    reader: Option<BaseConsumer<Quiet>>,
}

impl FirstRecord {
    pub(super) fn new(
        connection: &Connection,
        client: String,
        isolation: Isolation,
        patience: Duration,
    ) -> Self {
        Self { connection: connection.clone(), client, isolation, patience, reader: None }
    }

    /// Where it stands; none if there is none up to the end.
    pub(super) fn find(
        &mut self,
        topic: &Topic,
        partition: i32,
        from: Offset,
    ) -> KafkaResult<Option<Offset>> {
        Ok(self.look(topic, partition, from)?.map(|(offset, _)| offset))
    }

    /// When it was written; none if there is none up to the end, or it does not say.
    pub(super) fn written(
        &mut self,
        topic: &Topic,
        partition: i32,
        from: Offset,
    ) -> KafkaResult<Option<Timestamp>> {
        Ok(self.look(topic, partition, from)?.and_then(|(_, written)| written))
    }

    fn look(
        &mut self,
        topic: &Topic,
        partition: i32,
        from: Offset,
    ) -> KafkaResult<Option<(Offset, Option<Timestamp>)>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(reader(&self.connection, &self.client, self.isolation)?),
        };
        // Nobody is told of an end who begins behind it, as where nothing is decided yet.
        let (_, end) = reader.fetch_watermarks(topic.as_str(), partition, self.patience)?;
        if from.0 >= end {
            return Ok(None);
        }
        read_from(reader, topic, partition, from)?;
        let found = next(reader, self.patience);
        // Nothing is fetched between two looks.
        unassign(reader)?;
        found
    }
}

impl Drop for FirstRecord {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            close_aside(reader);
        }
    }
}

fn reader(
    connection: &Connection,
    client: &str,
    isolation: Isolation,
) -> KafkaResult<BaseConsumer<Quiet>> {
    let failed = |e: super::Error| KafkaError::ClientCreation(e.to_string());
    let mut config = connection.log_reader(client).map_err(failed)?;
    config.set("isolation.level", isolation.as_str()).set("queued.min.messages", "1");
    // Followers may lag behind the end that the leader tells.
    config.remove("client.rack");
    made(&config).map_err(failed)
}

/// Where the next record of a reader stands that is told of ends, and when it was written, if it
/// says so; none at the end.
///
/// # Errors
/// When the cluster refuses, or says nothing for so long.
fn next<C: ConsumerContext>(
    reader: &BaseConsumer<C>,
    patience: Duration,
) -> KafkaResult<Option<(Offset, Option<Timestamp>)>> {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        match reader.poll(Duration::from_millis(50)) {
            Some(Ok(record)) => {
                let written = record.timestamp().to_millis().map(Timestamp);
                return Ok(Some((Offset(record.offset()), written)));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error)) if !error.rdkafka_error_code().is_some_and(is_passing) => {
                return Err(error);
            }
            Some(Err(_)) | None => {}
        }
    }
    Err(KafkaError::NoMessageReceived)
}

/// A pipeline is lost by what a look at a partition came to.
pub(super) fn unheard(name: &str, error: &KafkaError) -> Lost {
    match error {
        KafkaError::NoMessageReceived => passing(format!("{name} was silent for too long")),
        error => lost(&format!("reading {name}"), error),
    }
}

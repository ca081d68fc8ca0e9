//! Drains what a consumer has fetched.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;

use super::connection::is_passing;
use super::record::source_record;
use super::{Connection, Error};
use crate::runtime::SourceRecord;

/// Hands out what there is, at most `max` records, waiting at most `wait` for the first. Ends
/// early when `stop` says so, which is asked whenever there was no record.
pub(super) fn drain<C: ConsumerContext, E: From<KafkaError>>(
    consumer: &BaseConsumer<C>,
    wait: Duration,
    max: usize,
    stop: impl Fn() -> bool,
    mut take: impl FnMut(&BorrowedMessage<'_>) -> Result<(), E>,
) -> Result<usize, E> {
    let until = Instant::now() + wait;
    let mut count = 0;
    while count < max {
        // Behind the first record nothing waits: the clock, which costs something, is not read.
        let rest = match count {
            0 => until.saturating_duration_since(Instant::now()),
            _ => Duration::ZERO,
        };
        match consumer.poll(rest) {
            Some(Ok(record)) => {
                take(&record)?;
                count += 1;
            }
            Some(Err(error)) if is_noise(&error) => {}
            Some(Err(error)) => return Err(error.into()),
            None if count > 0 || rest.is_zero() || stop() => break,
            None => {}
        }
    }
    Ok(count)
}

/// The records that there are, as [`drain`] hands them out.
///
/// # Errors
/// When the connection is refused or lost for good, in the words for reading `what`.
pub(super) fn records<C: ConsumerContext>(
    connection: &Connection,
    consumer: &BaseConsumer<C>,
    wait: Duration,
    max: usize,
    what: &str,
) -> Result<Vec<SourceRecord>, Error> {
    let mut found = Vec::new();
    let drained = drain(
        consumer,
        wait,
        max,
        || false,
        |record| {
            found.push(source_record(record).map_err(Fault::Record)?);
            Ok(())
        },
    );
    match drained {
        Ok(_) => Ok(found),
        Err(Fault::Client(error)) => Err(connection.unserved("reading", what, &error)),
        Err(Fault::Record(error)) => Err(error),
    }
}

/// Why a poll ended early.
pub(super) enum Fault {
    /// The client cannot go on.
    Client(KafkaError),
    /// A record cannot be taken.
    Record(Error),
}

impl From<KafkaError> for Fault {
    fn from(error: KafkaError) -> Self {
        Self::Client(error)
    }
}

/// Whether the client reports something that it goes on from by itself.
fn is_noise(error: &KafkaError) -> bool {
    match error {
        KafkaError::PartitionEOF(_) => true,
        KafkaError::MessageConsumptionFatal(_) => false,
        _ => error.rdkafka_error_code().is_some_and(is_passing),
    }
}

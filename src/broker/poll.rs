//! Drains what a consumer has fetched.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;

use super::connection::is_passing;

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

/// Whether the client reports something that it goes on from by itself.
fn is_noise(error: &KafkaError) -> bool {
    match error {
        KafkaError::PartitionEOF(_) => true,
        KafkaError::MessageConsumptionFatal(_) => false,
        _ => error.rdkafka_error_code().is_some_and(is_passing),
    }
}

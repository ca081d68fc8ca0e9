use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::{Connection, Error, Isolation};

/// The most of what a client has to say that is listened to after a failure.
const EVENTS_MAX: usize = 50;

/// Keeps the last failure of a client that only asks questions, for whoever asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    failure: Mutex<Option<(RDKafkaErrorCode, String)>>,
}

impl ClientContext for Asking {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // That no broker is left follows from each one's own failure.
        let code = error.rdkafka_error_code().filter(|c| *c != RDKafkaErrorCode::AllBrokersDown);
        if let Some(code) = code {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            *failure = Some((code, reason.to_owned()));
        }
    }
}

impl ConsumerContext for Asking {}

/// A client that only asks for offsets and topics; it sees records of open transactions.
pub(super) fn end_finder(
    connection: &Connection,
    client: &str,
) -> Result<BaseConsumer<Asking>, Error> {
    let mut config = connection.config(&format!("{client}.ends"))?;
    config.set("isolation.level", Isolation::Uncommitted.as_str());
    // Nobody polls it, so what it logs would gather for ever; its failures are asked for.
    config.set_log_level(RDKafkaLogLevel::Emerg);
    BaseConsumer::from_config_and_context(&config, Asking::default())
        .map_err(|e| Error::Client(e.to_string()))
}

/// What a failed question means, with the reason why its client has no connection. A login or a
/// certificate that is refused now will be refused again.
pub(super) fn failed(
    connection: &Connection,
    client: &BaseConsumer<Asking>,
    doing: &str,
    error: &KafkaError,
) -> Error {
    for _ in 0..EVENTS_MAX {
        drop(client.poll(Duration::from_millis(1)));
    }
    let failure = client.context().failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (failure, connection.unanswered(doing, error)) {
        (
            Some((RDKafkaErrorCode::SSL | RDKafkaErrorCode::Authentication, reason)),
            Error::Unanswered { doing, .. },
        ) => Error::Refused { doing, reason },
        (Some((_, reason)), Error::Unanswered { brokers, doing, .. }) => {
            Error::Unanswered { brokers, doing, reason }
        }
        (_, error) => error,
    }
}

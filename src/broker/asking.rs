use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::connection::ANSWER_MAX;
use super::{Connection, Error};

/// The most of what a client has to say that is listened to after a failure.
const EVENTS_MAX: usize = 50;

/// Keeps the last failure of a client that only asks questions, for whoever asked; a refusal is
/// kept before all others.
#[derive(Debug, Default)]
pub(super) struct Asking {
    failure: Mutex<Option<Failure>>,
}

#[derive(Debug)]
struct Failure {
    is_refusal: bool,
    reason: String,
}

impl Failure {
    fn new(code: RDKafkaErrorCode, reason: &str) -> Self {
        // librdkafka calls a handshake that fails at once a matter of transport.
        let unverified = reason.contains("certificate verify failed");
        let refusals = [RDKafkaErrorCode::SSL, RDKafkaErrorCode::Authentication];
        let mut reason = reason.to_owned();
        if unverified {
            reason.push_str("; `kafka.security.ca-file` names the authorities to trust");
        }
        Self { is_refusal: unverified || refusals.contains(&code), reason }
    }
}

impl ClientContext for Asking {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // That no broker is left follows from each one's own failure.
        let code = error.rdkafka_error_code().filter(|c| *c != RDKafkaErrorCode::AllBrokersDown);
        if let Some(code) = code {
            let mut last = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            let failure = Failure::new(code, reason);
            if failure.is_refusal || last.as_ref().is_none_or(|last| !last.is_refusal) {
                *last = Some(failure);
            }
        }
    }
}

impl ConsumerContext for Asking {}

/// A client that only asks for offsets and topics; it sees records of open transactions.
pub(super) fn end_finder(
    connection: &Connection,
    client: &str,
) -> Result<BaseConsumer<Asking>, Error> {
    let config = connection.asker(&format!("{client}.ends"))?;
    BaseConsumer::from_config_and_context(&config, Asking::default())
        .map_err(|e| Error::Client(e.to_string()))
}

/// Where a partition begins, and where it ends for the client that is asked.
///
/// # Errors
/// When the cluster does not answer.
pub(super) fn edges<C: ConsumerContext>(
    connection: &Connection,
    client: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), Error> {
    let doing = || format!("asking for the end of {topic}[{partition}]");
    let found = client.fetch_watermarks(topic, partition, ANSWER_MAX);
    found.map_err(|e| connection.unanswered(&doing(), &e))
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
        (Some(Failure { is_refusal: true, reason }), Error::Unanswered { doing, .. }) => {
            Error::Refused { doing, reason }
        }
        (Some(Failure { reason, .. }), Error::Unanswered { brokers, doing, .. }) => {
            Error::Unanswered { brokers, doing, reason }
        }
        (_, error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(failures: &[(RDKafkaErrorCode, &str)]) -> (bool, String) {
        let asking = Asking::default();
        for (code, reason) in failures {
            asking.error(KafkaError::Global(*code), reason);
        }
        let last = asking.failure.into_inner().expect("nobody panicked").expect("a failure");
        (last.is_refusal, last.reason)
    }

    #[test]
    fn a_refusal_is_kept_and_an_unknown_authority_is_one() {
        use RDKafkaErrorCode::{Authentication, BrokerTransportFailure, SSL};

        let gone = (BrokerTransportFailure, "connection refused");
        assert_eq!(last(&[gone]), (false, "connection refused".to_owned()));
        assert_eq!(last(&[(Authentication, "wrong"), gone]), (true, "wrong".to_owned()));
        assert_eq!(last(&[gone, (SSL, "no cipher")]), (true, "no cipher".to_owned()));
        let words = "error:0A000086:SSL routines::certificate verify failed";
        let (is_refusal, reason) = last(&[(BrokerTransportFailure, words)]);
        assert!(is_refusal && reason.ends_with("names the authorities to trust"), "{reason}");
    }
}

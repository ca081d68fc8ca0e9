use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::{Error, outage};

/// How long a question about topics and offsets may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The settings of librdkafka that users may pass on. Others either belong to the engine or are
/// dangerous: some of them load code or run commands.
pub const SETTINGS: [&str; 42] = [
    "broker.address.family",
    "broker.address.ttl",
    "client.dns.lookup",
    "client.rack",
    "compression.codec",
    "compression.level",
    "compression.type",
    "connections.max.idle.ms",
    "debug",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "log.connection.close",
    "max.partition.fetch.bytes",
    "message.max.bytes",
    "metadata.max.age.ms",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
];

/// How to reach the cluster: brokers and the librdkafka settings for security and the
/// allow-listed options.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Connection {
    /// Bootstrap addresses, `host:port`, separated by commas.
    pub brokers: String,
    /// Settings by librdkafka's names, out of [`SETTINGS`].
    pub settings: BTreeMap<String, String>,
}

impl Connection {
    /// A connection without encryption or authentication.
    #[must_use]
    pub fn plain(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), settings: BTreeMap::new() }
    }

    /// Checks that every setting may be passed on.
    ///
    /// # Errors
    /// When one may not.
    pub fn check(&self) -> Result<(), Error> {
        match self.settings.keys().find(|name| !SETTINGS.contains(&name.as_str())) {
            Some(name) => Err(Error::Setting(name.clone(), SETTINGS.join(", "))),
            None => Ok(()),
        }
    }

    pub(super) fn unanswered(&self, doing: &str, error: &KafkaError) -> Error {
        let reason = describe(error);
        match error.rdkafka_error_code() {
            Some(code) if !is_passing(code) => Error::Refused { doing: doing.to_owned(), reason },
            _ => {
                Error::Unanswered { brokers: self.brokers.clone(), doing: doing.to_owned(), reason }
            }
        }
    }

    /// The same for a question about a topic that there is: a broker that does not know it has
    /// not heard of it yet.
    pub(super) fn unserved(&self, doing: &str, topic: &str, error: &KafkaError) -> Error {
        match error.rdkafka_error_code() {
            Some(code) if is_unknown_topic(code) => Error::Unanswered {
                brokers: self.brokers.clone(),
                doing: doing.to_owned(),
                reason: format!("{topic} is not known everywhere yet: {}", describe(error)),
            },
            _ => self.unanswered(doing, error),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.settings.keys().collect();
        f.debug_struct("Connection")
            .field("brokers", &self.brokers)
            .field("settings", &names)
            .finish_non_exhaustive()
    }
}

/// Which records of transactions a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Only those of committed transactions.
    Committed,
    /// All of them, of aborted and open transactions too.
    Uncommitted,
}

impl Isolation {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

/// Takes what librdkafka says by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        pass_on(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl rdkafka::consumer::ConsumerContext for Quiet {}

/// Passes a line of librdkafka's own log on. Its lines speak of connections and requests, which the
/// engine makes anew by itself; what a person should know is said where it is understood.
pub(super) fn pass_on(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        // What is fatal to a client is an answer to whoever uses it.
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical
            if facility != "FATAL" =>
        {
            tracing::warn!(target: "librdkafka", facility, message, "client warned");
        }
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning
        | RDKafkaLogLevel::Notice
        | RDKafkaLogLevel::Info
        | RDKafkaLogLevel::Debug => {
            tracing::debug!(target: "librdkafka", facility, message, "client traced");
        }
    }
}

/// Takes an error that a client reports beside its answers.
pub(super) fn report(error: &KafkaError, reason: &str) {
    let Some(code) = error.rdkafka_error_code() else {
        tracing::warn!(target: "librdkafka", %error, reason, "client failed");
        return;
    };
    if is_passing(code) {
        outage::notice(reason);
    }
    if is_passing(code) || is_answered_elsewhere(code) {
        tracing::debug!(target: "librdkafka", %error, reason, "client failed");
    } else {
        tracing::warn!(target: "librdkafka", %error, reason, "client failed");
    }
}

/// Whether whoever uses the client gets the same error as an answer, and says what it means.
fn is_answered_elsewhere(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::PartitionEOF
            | Code::AutoOffsetReset
            | Code::Fatal
            | Code::Fenced
            | Code::FencedInstanceId
            | Code::InvalidProducerEpoch
            | Code::ProducerFenced
    )
}

/// The error in librdkafka's words, without the crate's wrapping where there is a code.
pub(super) fn describe(error: &KafkaError) -> String {
    match error {
        KafkaError::Transaction(inner) => inner.string(),
        _ => error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string()),
    }
}

/// Whether a broker says that it does not know a topic.
pub(super) fn is_unknown_topic(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(code, Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition)
}

/// Whether asking again later may help.
pub(super) fn is_passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::RequestTimedOut
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::ReplicaNotAvailable
            | Code::KafkaStorageError
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotController
            | Code::WaitingForCoordinator
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::RebalanceInProgress
            | Code::ConcurrentTransactions
            | Code::UnstableOffsetCommit
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_settings_reach_the_client() {
        let mut connection = Connection::plain("127.0.0.1:9092");
        assert_eq!(connection.check(), Ok(()));
        connection.settings.insert("plugin.library.paths".to_owned(), "evil".to_owned());
        let error = connection.check().expect_err("it loads code").to_string();
        assert!(error.starts_with("`plugin.library.paths` is not a setting"), "{error}");
    }

    #[test]
    fn a_password_is_never_printed() {
        let mut connection = Connection::plain("127.0.0.1:9092");
        connection.settings.insert("sasl.password".to_owned(), "hunter2".to_owned());
        assert!(!format!("{connection:?}").contains("hunter2"));
    }
}

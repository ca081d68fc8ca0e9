use super::retry;

/// What can go wrong between the engine and the cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting is not among those that may be passed on; see [`super::SETTINGS`].
    #[error("`{0}` is not a setting that may be passed to the Kafka client; allowed are {1}")]
    Setting(String, String),
    /// The client could not be made: a setting's value is wrong. Correct the configuration.
    #[error("the Kafka client was not made: {0}; correct the kafka section of the configuration")]
    Client(String),
    /// The cluster did not answer. Check that it runs and that the address is right.
    #[error("no answer from Kafka at {brokers} while {doing}: {reason}")]
    Unanswered {
        /// The bootstrap addresses.
        brokers: String,
        /// What was asked.
        doing: String,
        /// What the client says.
        reason: String,
    },
    /// The cluster answered with a refusal. Do what the reason says.
    #[error("Kafka refused while {doing}: {reason}")]
    Refused {
        /// What was asked.
        doing: String,
        /// What the broker says.
        reason: String,
    },
    /// A record that was sent is not known to be written. Send again, if the reader drops repeats.
    #[error("not acknowledged by Kafka: {0}")]
    NotAcknowledged(String),
    /// The topics are not as they must be; every problem is listed with its next step.
    #[error("the topics are not as they must be:\n{0}")]
    Topics(String),
    /// What was read is not what the engine writes there. Find out who else writes to that topic.
    #[error("{place} holds something that the engine did not write: {reason}")]
    Foreign {
        /// Topic, partition and offset.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The process was asked to stop while it waited for the cluster.
    #[error("stopped while waiting for Kafka")]
    Stopped,
}

impl retry::Classified for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Unanswered { .. } | Self::NotAcknowledged(_))
    }
}

//! Decides what an error means for a pipeline.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::connection::{describe, is_unknown_topic};
use crate::runtime::Lost;

/// What an error says about the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A new pipeline may do better.
    Again,
    /// Another producer has our transactional id, or our own transaction took too long.
    Fenced,
    /// Our place in the group was taken: by another process of our name, or by ourselves.
    Replaced,
    /// The configuration or the cluster must be changed by a person.
    Final,
}

pub(super) fn meaning(code: Code) -> Meaning {
    match code {
        Code::FencedInstanceId => Meaning::Replaced,
        Code::Fenced | Code::InvalidProducerEpoch | Code::ProducerFenced => Meaning::Fenced,
        Code::MessageSizeTooLarge
        | Code::InvalidMessageSize
        | Code::InvalidRecord
        | Code::PolicyViolation
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicOrPartition
        | Code::InvalidTopic
        | Code::InvalidTransactionTimeout
        | Code::InvalidSessionTimeout
        | Code::InconsistentGroupProtocol
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::SaslAuthenticationFailed
        | Code::UnsupportedSASLMechanism
        | Code::UnsupportedVersion
        | Code::UnsupportedFeature => Meaning::Final,
        _ => Meaning::Again,
    }
}

pub(super) fn meaning_of(error: &KafkaError) -> Meaning {
    error.rdkafka_error_code().map_or(Meaning::Again, meaning)
}

/// Reading is lost by an error. A topic that a broker does not know may be a new one: topics are
/// looked at before anything starts, so a new pipeline may find it.
pub(super) fn unread(doing: &str, error: &KafkaError) -> Lost {
    let unknown = error.rdkafka_error_code().is_some_and(is_unknown_topic);
    let lost = lost(doing, error);
    Lost { fatal: lost.fatal && !unknown, ..lost }
}

/// The pipeline is lost by an error; being fenced is judged by whoever knows the group.
pub(super) fn lost(doing: &str, error: &KafkaError) -> Lost {
    let meaning = meaning_of(error);
    let reason = format!("{doing}: {}", describe(error));
    Lost { reason, fatal: meaning == Meaning::Final }
}

pub(super) fn replaced() -> String {
    "another process runs under this node's name; give every node a name of its own".to_owned()
}

pub(super) fn passing(reason: String) -> Lost {
    Lost { reason, fatal: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_must_mend_is_fatal() {
        for (code, fatal) in [
            (Code::FencedInstanceId, false),
            (Code::TopicAuthorizationFailed, true),
            (Code::MessageSizeTooLarge, true),
            (Code::Fenced, false),
            (Code::BrokerTransportFailure, false),
            (Code::IllegalGeneration, false),
            (Code::MessageTimedOut, false),
        ] {
            assert_eq!(lost("testing", &KafkaError::Global(code)).fatal, fatal, "{code}");
        }
    }

    #[test]
    fn a_topic_that_a_reader_does_not_find_may_be_a_new_one() {
        let unknown = KafkaError::Global(Code::UnknownTopicOrPartition);
        assert!(lost("sending", &unknown).fatal && !unread("reading", &unknown).fatal);
        assert!(unread("reading", &KafkaError::Global(Code::TopicAuthorizationFailed)).fatal);
    }
}

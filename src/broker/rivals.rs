//! Tells a second process of our name from the fence that our own return puts up.
//!
//! A static member whose coordinator moves joins again, and an older request of its own is then
//! refused as if another process had taken its place (librdkafka #3437). So being fenced says
//! little. What says it is a token: every process writes its own under the node's name when it
//! starts, and whoever is fenced looks whether its token still stands there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::asking::Asking;
use super::connection::{Connection, Isolation};
use super::faults::{passing, replaced};
use super::membership::Membership;
use super::retry::insist;
use super::{Error, closing::close_aside};
use crate::message::EngineTopics;
use crate::runtime::Lost;

/// A name for one life of a node, and whether it was written under the node's name.
#[derive(Debug, Clone)]
pub struct Token {
    text: String,
    claimed: Arc<AtomicBool>,
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Token {}

impl Token {
    /// A token that no other process, nor a later one, has.
    pub(super) fn fresh() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = (std::process::id(), now.as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed));
        let text = blake3::hash(format!("{seed:?}").as_bytes()).to_hex()[..16].to_owned();
        Self { text, claimed: Arc::default() }
    }
}

/// Writes the token under the node's name, once in its life: whoever wrote before is told by it
/// that another process has taken the name.
///
/// # Errors
/// When the cluster does not take it.
pub(super) fn claim(connection: &Connection, membership: &Membership) -> Result<(), Error> {
    let token = &membership.token;
    if token.claimed.load(Ordering::Acquire) {
        return Ok(());
    }
    let name = Name::open(connection, membership)?;
    let written = insist(|_| name.write(&token.text));
    written.map_err(|e| connection.unanswered("taking the node's name", &e))?;
    token.claimed.store(true, Ordering::Release);
    name.close();
    Ok(())
}

/// What it means that a static member was fenced: the end, if another process has taken the name
/// since, else a reason to join again.
pub(super) fn judge(connection: &Connection, membership: &Membership) -> Lost {
    let read = Name::open(connection, membership).and_then(|name| {
        let read = insist(|wait| name.read(wait));
        name.close();
        read.map_err(|e| connection.unanswered("asking who has the node's name", &e))
    });
    match read {
        Ok(Some(token)) if token != membership.token.text => {
            Lost { reason: replaced(), fatal: true }
        }
        Ok(_) => passing("fenced by our own return to the group; joining again".to_owned()),
        Err(error) => passing(format!("fenced, and by whom is not known: {error}")),
    }
}

/// Where a node's token stands: the metadata of an offset of a group of its own, which has no
/// members and whose offset nobody reads by.
struct Name {
    consumer: BaseConsumer<Asking>,
    topic: String,
}

impl Name {
    fn open(connection: &Connection, membership: &Membership) -> Result<Self, Error> {
        let topics = EngineTopics::new(&membership.app);
        let topics = topics.map_err(|e| Error::Client(e.to_string()))?;
        let client = membership.client();
        let group = format!("{}.name.{}", membership.app, membership.node);
        let mut config =
            connection.consumer(&format!("{client}.name"), &group, Isolation::Committed)?;
        config.set_log_level(RDKafkaLogLevel::Emerg);
        let consumer = BaseConsumer::from_config_and_context(&config, Asking::default());
        let consumer = consumer.map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { consumer, topic: topics.inbox.as_str().to_owned() })
    }

    fn write(&self, token: &str) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        let mut place = list.add_partition(&self.topic, 0);
        place.set_offset(Place::Offset(0))?;
        place.set_metadata(token);
        self.consumer.commit(&list, CommitMode::Sync)
    }

    fn read(&self, wait: Duration) -> KafkaResult<Option<String>> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, 0);
        let found = self.consumer.committed_offsets(list, wait)?;
        let elements = found.elements();
        let found = elements.first().ok_or(KafkaError::NoMessageReceived)?;
        found.error()?;
        Ok(Some(found.metadata().to_owned()).filter(|token| !token.is_empty()))
    }

    fn close(self) {
        close_aside(self.consumer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_has_a_token_of_its_own() {
        let (one, other) = (Token::fresh(), Token::fresh());
        assert_ne!(one, other);
        assert_eq!(one, one.clone());
        one.claimed.store(true, Ordering::Release);
        assert!(one.clone().claimed.load(Ordering::Acquire), "a clone knows of the claim");
    }
}

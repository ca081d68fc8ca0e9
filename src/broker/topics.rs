use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::asking::{Asking, end_finder, failed};
use super::connection::{ANSWER_MAX, Quiet, is_passing};
use super::retry::{Patience, patiently};
use super::{Connection, Error};
use crate::message::Topic;

/// A topic to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: Topic,
    /// How many partitions it gets.
    pub partitions: u32,
    /// How many copies of each record the cluster keeps; -1 is the cluster's default.
    pub replication: i32,
    /// Kafka's settings of the topic, by their names.
    pub settings: Vec<(String, String)>,
}

/// The cluster's own id: what tells it from another at the same address.
///
/// # Errors
/// When the cluster does not answer.
pub fn cluster_id(connection: &Connection) -> Result<String, Error> {
    let admin = admin(connection)?;
    admin.inner().fetch_cluster_id(ANSWER_MAX).ok_or_else(|| Error::Unanswered {
        brokers: connection.brokers.clone(),
        doing: "asking for the cluster's id".to_owned(),
        reason: format!("it did not come within {} s", ANSWER_MAX.as_secs()),
    })
}

/// Makes the topics that are missing, and waits until they can be used; existing ones are left
/// as they are.
///
/// # Errors
/// When the cluster does not answer or refuses one; all refusals are told.
pub fn create_topics(connection: &Connection, topics: &[TopicSpec]) -> Result<(), Error> {
    if topics.is_empty() {
        return Ok(());
    }
    let doing = "creating topics";
    let admin = admin(connection)?;
    let wanted: Vec<NewTopic<'_>> = topics.iter().map(new_topic).collect();
    let answers = wait_for(admin.create_topics(&wanted, &options()));
    let answers = answers.map_err(|e| connection.unanswered(doing, &e))?;
    let mut refused = Vec::new();
    let mut passing = true;
    for answer in answers {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                passing &= is_passing(code);
                refused.push(format!("{name}: {code}"));
            }
        }
    }
    let (doing, reason) = (doing.to_owned(), refused.join("; "));
    match (refused.is_empty(), passing) {
        (true, _) => {
            let names: Vec<Topic> = topics.iter().map(|spec| spec.name.clone()).collect();
            await_topics(connection, &names, &AtomicBool::new(false))
        }
        (false, true) => {
            Err(Error::Unanswered { brokers: connection.brokers.clone(), doing, reason })
        }
        (false, false) => Err(Error::Refused { doing, reason }),
    }
}

/// Deletes a topic, as somebody may at any time.
#[cfg(test)]
pub(crate) fn delete_topic(connection: &Connection, topic: &Topic) {
    let admin = admin(connection).expect("a client");
    let answers = wait_for(admin.delete_topics(&[topic.as_str()], &options()));
    answers.expect("an answer").remove(0).expect("it is deleted");
}

/// Gives a topic more partitions, as somebody may at any time.
#[cfg(test)]
pub(crate) fn grow_topic(connection: &Connection, topic: &Topic, partitions: usize) {
    let admin = admin(connection).expect("a client");
    let grown = rdkafka::admin::NewPartitions::new(topic.as_str(), partitions);
    let answers = wait_for(admin.create_partitions(&[grown], &options()));
    answers.expect("an answer").remove(0).expect("it has grown");
}

/// What a cluster has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Inventory {
    /// How many brokers it has now.
    pub brokers: usize,
    pub topics: BTreeMap<Topic, Layout>,
}

/// How a topic is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub partitions: u32,
    /// The copies of the partition that has the fewest.
    pub copies: usize,
    /// Whether every partition has a leader now.
    pub led: bool,
}

/// What the cluster has, topics without a leader too: their broker may be away.
pub(super) fn inventory(connection: &Connection) -> Result<Inventory, Error> {
    let doing = "asking which topics there are";
    let client = end_finder(connection, "segue.topics")?;
    known(&client).map_err(|e| failed(connection, &client, doing, &e))
}

/// What the cluster has, as one broker tells.
fn known(client: &BaseConsumer<Asking>) -> Result<Inventory, KafkaError> {
    let metadata = client.fetch_metadata(None, ANSWER_MAX)?;
    let mut topics = BTreeMap::new();
    for topic in metadata.topics() {
        if let (Ok(name), None) = (Topic::new(topic.name()), topic.error()) {
            let partitions = topic.partitions();
            let layout = Layout {
                partitions: u32::try_from(partitions.len()).unwrap_or(u32::MAX),
                copies: partitions.iter().map(|p| p.replicas().len()).min().unwrap_or(0),
                led: partitions.iter().all(|p| p.leader() >= 0),
            };
            topics.insert(name, layout);
        }
    }
    Ok(Inventory { brokers: metadata.brokers().len(), topics })
}

/// Waits for topics until every one of their partitions answers; a minute long, then says which
/// does not. A new topic is not at once known to every broker, nor is it at once served by those
/// that tell of it.
///
/// # Errors
/// When the time is up, the cluster refuses, or `stopped` is set.
pub fn await_topics(
    connection: &Connection,
    topics: &[Topic],
    stopped: &AtomicBool,
) -> Result<(), Error> {
    let doing = "waiting for topics";
    let client = end_finder(connection, "segue.topics")?;
    let first = Duration::from_millis(10);
    let patience = Patience { first, ..Patience::default() };
    patiently(doing, patience, stopped, || {
        let known = known(&client).map_err(|e| failed(connection, &client, doing, &e))?;
        for topic in topics {
            let unanswered = |reason| Error::Unanswered {
                brokers: connection.brokers.clone(),
                doing: doing.to_owned(),
                reason,
            };
            let Some(layout) = known.topics.get(topic) else {
                return Err(unanswered(format!("there is no topic {topic}")));
            };
            if !layout.led {
                return Err(unanswered(format!("a partition of {topic} has no leader")));
            }
            for partition in 0..i32::try_from(layout.partitions).unwrap_or(i32::MAX) {
                let asked = client.fetch_watermarks(topic.as_str(), partition, ANSWER_MAX);
                asked.map_err(|e| connection.unserved(doing, topic.as_str(), &e))?;
            }
        }
        Ok(())
    })
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    let partitions = i32::try_from(spec.partitions).unwrap_or(i32::MAX);
    let replication = TopicReplication::Fixed(spec.replication);
    let topic = NewTopic::new(spec.name.as_str(), partitions, replication);
    spec.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

pub(super) fn admin(connection: &Connection) -> Result<AdminClient<Quiet>, Error> {
    let config = connection.config("segue.admin")?;
    AdminClient::from_config_and_context(&config, Quiet).map_err(|e| Error::Client(e.to_string()))
}

pub(super) fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ANSWER_MAX)).request_timeout(Some(ANSWER_MAX))
}

/// Waits for one of the admin client's answers without an async runtime.
pub(super) fn wait_for<T>(question: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut question = pin!(question);
    loop {
        match question.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

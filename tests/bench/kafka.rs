//! Plain Kafka clients with the settings that DESIGN found fastest, engine-neutral.

use std::ffi::c_int;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, DefaultConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// A producer that can abort: the bare one cannot.
pub type Writer = ThreadedProducer<DefaultProducerContext>;
/// A consumer that is polled.
pub type Reader = BaseConsumer<DefaultConsumerContext>;

/// Where users' facts of orders stand.
pub const ORDERS: &str = "shop.orders";
/// Where the end of an order is told.
pub const ENDS: &str = "shop.completions";
/// What participants are asked to do.
pub const COMMANDS: [&str; 3] = ["inventory.commands", "payments.commands", "shipping.commands"];
/// What participants answer.
pub const EVENTS: [&str; 3] = ["inventory.events", "payments.events", "shipping.events"];

/// All topics of the users.
pub fn users_topics() -> Vec<&'static str> {
    [&[ORDERS, ENDS][..], &COMMANDS, &EVENTS].concat()
}

fn client(brokers: &str, name: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", name)
        .set("socket.nagle.disable", "true");
    config
}

fn reading(brokers: &str, name: &str, committed: bool) -> ClientConfig {
    let mut config = client(brokers, name);
    config
        .set("group.id", name)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", if committed { "read_committed" } else { "read_uncommitted" })
        .set("fetch.wait.max.ms", "50")
        .set("fetch.queue.backoff.ms", "5")
        .set("queued.min.messages", "20000");
    config
}

fn writing(brokers: &str, name: &str) -> ClientConfig {
    let mut config = client(brokers, name);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "0")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", "500000")
        .set("retry.backoff.ms", "1")
        .set("retry.backoff.max.ms", "5");
    config
}

/// Reads all partitions of topics from their beginning, in no group.
pub fn reader(brokers: &str, name: &str, topics: &[&str], committed: bool) -> Result<Reader> {
    let reader: Reader = reading(brokers, name, committed).create()?;
    let mut all = TopicPartitionList::new();
    for topic in topics {
        let found = reader.fetch_metadata(Some(topic), Duration::from_secs(10))?;
        let partitions = found.topics().first().map_or(0, |t| t.partitions().len());
        if partitions == 0 {
            bail!("topic {topic} does not exist on {brokers}");
        }
        for partition in 0..partitions {
            all.add_partition_offset(topic, i32::try_from(partition)?, Offset::Beginning)?;
        }
    }
    reader.assign(&all)?;
    Ok(reader)
}

/// Reads topics as the member of a group.
pub fn member(brokers: &str, group: &str, topics: &[&str], committed: bool) -> Result<Reader> {
    let mut config = reading(brokers, group, committed);
    config.set("partition.assignment.strategy", "cooperative-sticky");
    let reader: Reader = config.create()?;
    reader.subscribe(topics)?;
    Ok(reader)
}

/// Writes without transactions.
pub fn writer(brokers: &str, name: &str, linger_ms: u32) -> Result<Writer> {
    let mut config = writing(brokers, name);
    config.set("linger.ms", linger_ms.to_string());
    Ok(config.create()?)
}

/// Writes in transactions.
pub fn transactional(brokers: &str, id: &str) -> Result<Writer> {
    let mut config = writing(brokers, id);
    config.set("transactional.id", id);
    let writer: Writer = config.create()?;
    writer.init_transactions(Duration::from_secs(30))?;
    Ok(writer)
}

/// Queues a record, waiting for room when the queue is full.
pub fn send(writer: &Writer, record: BaseRecord<'_, [u8], [u8]>) -> Result<()> {
    let mut record = record;
    loop {
        match writer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                record = again;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

/// Waits until everything queued is acknowledged.
///
/// The crate's own flush polls in steps of 100 ms, which would be the largest part of a commit.
#[allow(unsafe_code)]
pub fn flush(writer: &Writer, wait: Duration) -> Result<()> {
    let wait_ms = c_int::try_from(wait.as_millis())?;
    // SAFETY: the client lives as long as `writer`, and librdkafka's flush may be called from any
    // thread while another one polls.
    let code = unsafe { rdkafka::bindings::rd_kafka_flush(writer.client().native_ptr(), wait_ms) };
    if code != rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err(anyhow!("records were not acknowledged in {wait_ms} ms: {code:?}"));
    }
    Ok(())
}

/// The text of a header; empty if there is none.
pub fn header<'m>(message: &'m BorrowedMessage<'_>, name: &str) -> &'m str {
    message
        .headers()
        .and_then(|all| all.iter().find(|h| h.key == name).and_then(|h| h.value))
        .and_then(|value| std::str::from_utf8(value).ok())
        .unwrap_or_default()
}

/// Makes topics, which must be new: old messages would be taken for this run's.
pub fn create_topics(brokers: &str, topics: &[&str], partitions: i32) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = client(brokers, "bench-admin").create()?;
    let new: Vec<NewTopic<'_>> =
        topics.iter().map(|t| NewTopic::new(t, partitions, TopicReplication::Fixed(1))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(20)));
    let made = runtime
        .block_on(admin.create_topics(&new, &options))
        .with_context(|| format!("no Kafka answers at {brokers}"))?;
    for one in made {
        one.map_err(|(topic, code)| {
            anyhow!("topic {topic} could not be made ({code}); the benchmark needs a fresh Kafka")
        })?;
    }
    Ok(())
}

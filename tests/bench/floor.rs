//! The floor: the same messages through the same two hops of Kafka without any saga logic.
//!
//! ```text
//! users' topics ─▶ gateway ─▶ inbox ─▶ pipeline ─▶ next command, changelog, history, offsets
//! ```
//!
//! What an engine that costs nothing would reach with these clients on this machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::Delivery;
use crate::kafka::{self, Reader, Writer};

/// The floor's own topics, one partition a shard.
pub const OWN_TOPICS: [&str; 3] = [INBOX, CHANGELOG, HISTORY];
const INBOX: &str = "floor.inbox";
const CHANGELOG: &str = "floor.changelog";
const HISTORY: &str = "floor.history";

/// What the engine adds to a user's message on its way into the inbox.
const INBOX_ADDED_BYTES: usize = 120;
/// An order's state after its second step.
const CHANGELOG_BYTES: usize = 600;
/// One transition in a person's words.
const HISTORY_BYTES: usize = 200;

/// How the pipeline makes a batch.
#[derive(Debug, Clone, Copy)]
pub struct Gathering {
    /// The most records in a batch.
    pub records_max: usize,
    /// From this many waiting records on, the batch waits for more.
    pub crowd: usize,
    /// For how long it waits, and at least half of the last commit's time.
    pub wait: Duration,
    /// How many transactional producers take turns.
    pub producers: usize,
}

/// Runs the two hops until the process is stopped.
pub fn run(brokers: &str, delivery: Delivery, gathering: Gathering) -> Result<()> {
    let gateway = {
        let brokers = brokers.to_owned();
        std::thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || run_gateway(&brokers, delivery))?
    };
    let mut pipeline = Pipeline::open(brokers, delivery, gathering)?;
    while !gateway.is_finished() {
        pipeline.turn()?;
    }
    match gateway.join() {
        Ok(result) => result,
        Err(_) => bail!("the gateway's thread panicked"),
    }
}

fn run_gateway(brokers: &str, delivery: Delivery) -> Result<()> {
    let mut topics = vec![kafka::ORDERS];
    topics.extend(kafka::EVENTS);
    let committed = delivery == Delivery::ExactlyOnce;
    let source = kafka::member(brokers, "floor.gateway", &topics, committed)?;
    let inbox = kafka::writer(brokers, "floor-gateway", 0)?;
    let mut added = Vec::new();
    let mut committed_at = Instant::now();
    loop {
        if let Some(message) = source.poll(Duration::from_millis(50)) {
            let message = message?;
            // The saga's own fact comes back on the orders' topic; nothing waits for it.
            if kafka::header(&message, "ce_type") != "OrderShipped" {
                append(&inbox, &message, &mut added)?;
            }
        }
        if committed_at.elapsed() > Duration::from_secs(1) {
            committed_at = Instant::now();
            kafka::flush(&inbox, Duration::from_secs(30))?;
            // Nothing was read yet: nothing to commit.
            let _ = source.commit_consumer_state(CommitMode::Async);
        }
    }
}

fn append(inbox: &Writer, message: &BorrowedMessage<'_>, added: &mut Vec<u8>) -> Result<()> {
    added.clear();
    added.extend_from_slice(message.payload().unwrap_or_default());
    added.resize(added.len() + INBOX_ADDED_BYTES, b'.');
    let mut headers = OwnedHeaders::new_with_capacity(1);
    let kind = kafka::header(message, "ce_type");
    headers = headers.insert(Header { key: "ce_type", value: Some(kind) });
    let key = message.key().unwrap_or_default();
    let record = BaseRecord::to(INBOX).key(key).payload(added.as_slice()).headers(headers);
    kafka::send(inbox, record)
}

struct Pipeline {
    delivery: Delivery,
    gathering: Gathering,
    inbox: Reader,
    producers: Vec<Writer>,
    turn: usize,
    last_commit: Duration,
}

impl Pipeline {
    fn open(brokers: &str, delivery: Delivery, gathering: Gathering) -> Result<Self> {
        let open = |number: usize| match delivery {
            Delivery::ExactlyOnce => kafka::transactional(brokers, &format!("floor.{number}")),
            Delivery::AtLeastOnce => kafka::writer(brokers, &format!("floor.{number}"), 0),
        };
        Ok(Self {
            delivery,
            gathering,
            inbox: kafka::member(brokers, "floor.owner", &[INBOX], false)?,
            producers: (0..gathering.producers).map(open).collect::<Result<_>>()?,
            turn: 0,
            last_commit: Duration::ZERO,
        })
    }

    /// One batch: read, answer, commit.
    fn turn(&mut self) -> Result<()> {
        self.turn += 1;
        let producer = &self.producers[self.turn % self.producers.len()];
        let Some(first) = self.inbox.poll(Duration::from_millis(50)) else { return Ok(()) };
        if self.delivery == Delivery::ExactlyOnce {
            producer.begin_transaction()?;
        }
        let mut offsets = BTreeMap::new();
        let mut step = |message: BorrowedMessage<'_>| -> Result<()> {
            offsets.insert(message.partition(), message.offset() + 1);
            answer(producer, &message)
        };
        step(first?)?;
        let mut count = 1;
        let begun = Instant::now();
        let gather = self.gathering.wait.max(self.last_commit / 2);
        while count < self.gathering.records_max {
            let waiting = count >= self.gathering.crowd;
            let left =
                if waiting { gather.saturating_sub(begun.elapsed()) } else { Duration::ZERO };
            let Some(next) = self.inbox.poll(left) else {
                if left.is_zero() {
                    break;
                }
                continue;
            };
            step(next?)?;
            count += 1;
        }
        let positions = positions(&offsets)?;
        let begun = Instant::now();
        self.commit(producer, &positions)?;
        self.last_commit = begun.elapsed();
        Ok(())
    }

    fn commit(&self, producer: &Writer, positions: &TopicPartitionList) -> Result<()> {
        let wait = Duration::from_secs(30);
        match self.delivery {
            Delivery::ExactlyOnce => {
                let group =
                    self.inbox.group_metadata().context("the inbox's reader has a group")?;
                producer.send_offsets_to_transaction(positions, &group, wait)?;
                kafka::flush(producer, wait)?;
                producer.commit_transaction(None)?;
            }
            Delivery::AtLeastOnce => {
                kafka::flush(producer, wait)?;
                self.inbox.commit(positions, CommitMode::Async)?;
            }
        }
        Ok(())
    }
}

fn positions(offsets: &BTreeMap<i32, i64>) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(INBOX, *partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

/// What comes after a message, by its type alone; state and history of the same size each time.
fn answer(producer: &Writer, message: &BorrowedMessage<'_>) -> Result<()> {
    let key = message.key().unwrap_or_default();
    let kind = kafka::header(message, "ce_type");
    let next: &[(&str, &str)] = match kind {
        "OrderPlaced" => &[("inventory.commands", "ReserveStock")],
        "StockReserved" => &[("payments.commands", "ChargeCard")],
        "PaymentCaptured" => &[("shipping.commands", "CreateShipment")],
        "ShipmentCreated" => &[(kafka::ORDERS, "OrderShipped"), (kafka::ENDS, "OrderCompleted")],
        other => bail!("an event of type '{other}', which the floor does not know"),
    };
    let id = String::from_utf8_lossy(key);
    for (topic, kind) in next {
        let body = format!("{{\"order_id\":\"{id}\",\"amount\":53.00,\"reference\":\"r-{id}\"}}");
        let headers = headers(&id, kind);
        let record = BaseRecord::to(topic).key(key).payload(body.as_bytes()).headers(headers);
        kafka::send(producer, record)?;
    }
    // One partition of each for a shard: the inbox record's own.
    for (topic, bytes) in [(CHANGELOG, CHANGELOG_BYTES), (HISTORY, HISTORY_BYTES)] {
        let value = [b'.'; CHANGELOG_BYTES];
        let record =
            BaseRecord::to(topic).key(key).payload(&value[..bytes]).partition(message.partition());
        kafka::send(producer, record)?;
    }
    Ok(())
}

/// The headers that the engine gives to a command.
fn headers(id: &str, kind: &str) -> OwnedHeaders {
    let command = format!("{kind:.<16}{id:.>16}");
    let instance = format!("order-fulfilment/{id}");
    let time = "2026-01-01T00:00:00.000Z";
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut headers = OwnedHeaders::new_with_capacity(12);
    for (key, value) in [
        ("ce_specversion", "1.0"),
        ("ce_id", command.as_str()),
        ("ce_type", kind),
        ("ce_source", "segue/bench"),
        ("ce_time", time),
        ("content-type", "application/json"),
        ("ce_correlationid", instance.as_str()),
        ("ce_causationid", command.as_str()),
        ("segue-command", command.as_str()),
        ("idempotency-key", command.as_str()),
        ("traceparent", trace),
    ] {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    headers
}

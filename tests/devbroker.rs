//! The development broker as librdkafka sees it.
#![cfg(feature = "server")]
#![allow(clippy::disallowed_methods)] // Patience with a real client needs a clock.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use segue::devbroker::{Api, DevBroker, Error, Fault, Options, Trouble};

const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(20);

fn start() -> DevBroker {
    DevBroker::start(Options::default()).expect("a free port")
}

fn config(broker: &DevBroker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address());
    config
}

fn create(broker: &DevBroker, name: &str, partitions: i32, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = config(broker).create().expect("a client");
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    for (key, value) in settings {
        topic = topic.set(key, value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let created = runtime
        .expect("a runtime")
        .block_on(admin.create_topics([&topic], &AdminOptions::new()))
        .expect("an answer");
    assert_eq!(created, vec![Ok(name.to_owned())]);
}

/// Hands each delivery to the test.
struct Deliveries(std::sync::mpsc::Sender<Result<(i32, i64), KafkaError>>);

impl rdkafka::ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        // The test may have ended.
        let _ = self.0.send(outcome);
    }
}

struct Sender {
    producer: ThreadedProducer<Deliveries>,
    delivered: std::sync::mpsc::Receiver<Result<(i32, i64), KafkaError>>,
}

fn sender(broker: &DevBroker, settings: &[(&str, &str)]) -> Sender {
    let mut config = config(broker);
    config.set("linger.ms", "0").set("message.max.bytes", "10000000");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    let (report, delivered) = std::sync::mpsc::channel();
    let producer = config.create_with_context(Deliveries(report)).expect("a producer");
    Sender { producer, delivered }
}

impl Sender {
    fn post(&self, topic: &str, key: &str, value: &str) {
        self.post_at(topic, key, value.as_bytes(), None);
    }

    fn post_at(&self, topic: &str, key: &str, value: &[u8], timestamp: Option<i64>) {
        let mut record = BaseRecord::to(topic).key(key).payload(value).partition(0);
        record.timestamp = timestamp;
        self.producer.send(record).map_err(|(e, _)| e).expect("room in the queue");
    }

    fn delivery(&self) -> Result<(i32, i64), KafkaError> {
        self.delivered.recv_timeout(PATIENCE).expect("a delivery report")
    }

    fn send(&self, topic: &str, key: &str, value: &str) -> i64 {
        self.post(topic, key, value);
        self.delivery().expect("delivered").1
    }

    fn transactional(broker: &DevBroker, id: &str) -> Self {
        let sender = sender(broker, &[("transactional.id", id)]);
        sender.producer.init_transactions(PATIENCE).expect("a producer id");
        sender
    }
}

/// Reads all of partition 0 up to its end for this isolation.
fn read_all(broker: &DevBroker, topic: &str, isolation: &str) -> Vec<(String, String)> {
    let mut config = config(broker);
    config
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation);
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).expect("an offset");
    consumer.assign(&list).expect("assigned");
    let mut read = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "no end of {topic}; read {read:?}");
        match consumer.poll(STEP) {
            None => {}
            Some(Err(KafkaError::PartitionEOF(_))) => return read,
            Some(Err(error)) => panic!("{error}"),
            Some(Ok(message)) => {
                let text = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                read.push((text(message.key()), text(message.payload())));
            }
        }
    }
}

fn values(broker: &DevBroker, topic: &str, isolation: &str) -> Vec<String> {
    read_all(broker, topic, isolation).into_iter().map(|(_, value)| value).collect()
}

fn member(broker: &DevBroker, group: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config(broker);
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("heartbeat.interval.ms", "50")
        .set("session.timeout.ms", "6000")
        .set("partition.assignment.strategy", "cooperative-sticky");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create().expect("a consumer")
}

/// Polls the members until they hold these numbers of partitions.
fn settle(members: &[&BaseConsumer], shares: &[usize]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        for member in members {
            if let Some(Err(error)) = member.poll(STEP) {
                panic!("{error}");
            }
        }
        let held: Vec<usize> =
            members.iter().map(|m| m.assignment().expect("an assignment").count()).collect();
        if held == shares {
            return;
        }
        assert!(Instant::now() < deadline, "shares are {held:?}, not {shares:?}");
    }
}

fn code(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    error.rdkafka_error_code()
}

#[test]
fn what_is_produced_is_consumed_in_order() {
    let broker = start();
    create(&broker, "orders", 1, &[]);
    let sender = sender(&broker, &[("compression.type", "lz4")]);
    for number in 0..1_000 {
        sender.post("orders", "k", &number.to_string());
    }
    for number in 0..1_000 {
        assert_eq!(sender.delivery(), Ok((0, number)));
    }
    let expected: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    assert_eq!(values(&broker, "orders", "read_committed"), expected);
}

#[test]
fn two_members_share_and_the_survivor_takes_all() {
    let broker = start();
    create(&broker, "orders", 4, &[]);
    let first = member(&broker, "g", &[]);
    first.subscribe(&["orders"]).expect("subscribed");
    settle(&[&first], &[4]);
    let second = member(&broker, "g", &[]);
    second.subscribe(&["orders"]).expect("subscribed");
    settle(&[&first, &second], &[2, 2]);
    drop(second);
    settle(&[&first], &[4]);
}

#[test]
fn a_group_goes_on_where_it_committed() {
    let broker = start();
    create(&broker, "orders", 1, &[]);
    let sender = sender(&broker, &[]);
    for value in ["a", "b", "c"] {
        sender.send("orders", "k", value);
    }
    let first = member(&broker, "g", &[]);
    first.subscribe(&["orders"]).expect("subscribed");
    settle(&[&first], &[1]);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("orders", 0, Offset::Offset(2)).expect("an offset");
    first.commit(&list, CommitMode::Sync).expect("committed");
    drop(first);
    let second = member(&broker, "g", &[]);
    second.subscribe(&["orders"]).expect("subscribed");
    let deadline = Instant::now() + PATIENCE;
    let message = loop {
        assert!(Instant::now() < deadline, "nothing came");
        if let Some(message) = second.poll(STEP) {
            break message.expect("a message").detach();
        }
    };
    assert_eq!(message.payload(), Some(&b"c"[..]));
}

#[test]
fn committed_readers_see_only_what_was_committed() {
    let broker = start();
    create(&broker, "orders", 1, &[]);
    let sender = Sender::transactional(&broker, "t");
    for (value, commit) in [("yes", true), ("no", false), ("again", true)] {
        sender.producer.begin_transaction().expect("begun");
        sender.send("orders", "k", value);
        if commit {
            sender.producer.commit_transaction(PATIENCE).expect("committed");
        } else {
            sender.producer.abort_transaction(PATIENCE).expect("aborted");
        }
    }
    sender.producer.begin_transaction().expect("begun");
    sender.send("orders", "k", "open");
    assert_eq!(values(&broker, "orders", "read_committed"), ["yes", "again"]);
    let everything = ["yes", "no", "again", "open"];
    assert_eq!(values(&broker, "orders", "read_uncommitted"), everything);
    sender.producer.commit_transaction(PATIENCE).expect("committed");
    assert_eq!(values(&broker, "orders", "read_committed"), ["yes", "again", "open"]);
}

#[test]
fn a_successor_fences_the_zombie_and_undoes_its_transaction() {
    let broker = start();
    create(&broker, "orders", 1, &[]);
    let zombie = Sender::transactional(&broker, "t");
    zombie.producer.begin_transaction().expect("begun");
    zombie.send("orders", "k", "zombie");
    let successor = Sender::transactional(&broker, "t");
    successor.producer.begin_transaction().expect("begun");
    successor.send("orders", "k", "successor");
    let refused = zombie.producer.commit_transaction(PATIENCE).expect_err("it is fenced");
    assert_eq!(code(&refused), Some(RDKafkaErrorCode::Fenced), "{refused}");
    successor.producer.commit_transaction(PATIENCE).expect("committed");
    assert_eq!(values(&broker, "orders", "read_committed"), ["successor"]);
}

fn committed(consumer: &BaseConsumer, topic: &str) -> Offset {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    let found = consumer.committed_offsets(list, PATIENCE).expect("offsets");
    found.elements()[0].offset()
}

#[test]
fn offsets_of_a_transaction_live_and_die_with_it() {
    let broker = start();
    create(&broker, "in", 1, &[]);
    create(&broker, "out", 1, &[]);
    let consumer = member(&broker, "g", &[]);
    consumer.subscribe(&["in"]).expect("subscribed");
    settle(&[&consumer], &[1]);
    let sender = Sender::transactional(&broker, "t");
    let metadata = consumer.group_metadata().expect("metadata");
    for (offset, commit) in [(5, true), (9, false)] {
        sender.producer.begin_transaction().expect("begun");
        sender.send("out", "k", &offset.to_string());
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("in", 0, Offset::Offset(offset)).expect("an offset");
        sender
            .producer
            .send_offsets_to_transaction(&list, &metadata, PATIENCE)
            .expect("offsets taken");
        if commit {
            sender.producer.commit_transaction(PATIENCE).expect("committed");
        } else {
            sender.producer.abort_transaction(PATIENCE).expect("aborted");
        }
    }
    assert_eq!(committed(&consumer, "in"), Offset::Offset(5));
    assert_eq!(values(&broker, "out", "read_committed"), ["5"]);
}

#[test]
fn offsets_of_another_generation_are_refused() {
    let broker = start();
    create(&broker, "in", 2, &[]);
    let first = member(&broker, "g", &[]);
    first.subscribe(&["in"]).expect("subscribed");
    settle(&[&first], &[2]);
    let stale = first.group_metadata().expect("metadata");
    let second = member(&broker, "g", &[]);
    second.subscribe(&["in"]).expect("subscribed");
    settle(&[&first, &second], &[1, 1]);
    let sender = Sender::transactional(&broker, "t");
    sender.producer.begin_transaction().expect("begun");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("in", 0, Offset::Offset(1)).expect("an offset");
    let refused = sender
        .producer
        .send_offsets_to_transaction(&list, &stale, PATIENCE)
        .expect_err("another generation");
    assert_eq!(code(&refused), Some(RDKafkaErrorCode::IllegalGeneration), "{refused}");
    sender.producer.abort_transaction(PATIENCE).expect("aborted");
    assert_eq!(committed(&first, "in"), Offset::Invalid);
}

#[test]
fn a_lost_answer_does_not_double_an_idempotent_message() {
    let fault = Fault { api: Api::PRODUCE, nth: 2, trouble: Trouble::LoseAnswer };
    let options = Options { faults: vec![fault], ..Options::default() };
    let broker = DevBroker::start(options).expect("a free port");
    create(&broker, "orders", 1, &[]);
    let sender = sender(&broker, &[("enable.idempotence", "true"), ("retry.backoff.ms", "10")]);
    for value in ["a", "b", "c"] {
        sender.send("orders", "k", value);
    }
    assert_eq!(broker.faults_fired(), 1);
    assert_eq!(values(&broker, "orders", "read_committed"), ["a", "b", "c"]);
}

#[test]
fn compaction_keeps_the_last_value_of_each_key() {
    let broker = start();
    create(&broker, "state", 1, &[("cleanup.policy", "compact")]);
    let sender = sender(&broker, &[]);
    let ballast = "x".repeat(20_000);
    for round in 0..100 {
        for key in ["a", "b"] {
            sender.post("state", key, &format!("{round} {ballast}"));
        }
    }
    for _ in 0..200 {
        sender.delivery().expect("delivered");
    }
    let deadline = Instant::now() + PATIENCE;
    let read = loop {
        let read = read_all(&broker, "state", "read_committed");
        if read.len() < 150 {
            break read;
        }
        assert!(Instant::now() < deadline, "{} records remain", read.len());
    };
    for key in ["a", "b"] {
        let last = read.iter().rfind(|(k, _)| k == key).expect("the key survives");
        assert!(last.1.starts_with("99 "), "{key} is {}", &last.1[..3]);
    }
}

#[test]
fn offsets_are_found_by_time() {
    let broker = start();
    create(&broker, "orders", 1, &[("retention.ms", "-1")]);
    let sender = sender(&broker, &[]);
    for time in [1_000, 2_000, 3_000] {
        sender.post_at("orders", "k", b"v", Some(time));
        sender.delivery().expect("delivered");
    }
    let consumer = member(&broker, "g", &[]);
    let at = |time| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("orders", 0, Offset::Offset(time)).expect("an offset");
        let found = consumer.offsets_for_times(list, PATIENCE).expect("offsets");
        found.elements()[0].offset()
    };
    assert_eq!([at(0), at(1_500), at(3_000)], [0, 1, 2].map(Offset::Offset));
    assert_eq!(at(3_001), Offset::End);
    assert_eq!(consumer.fetch_watermarks("orders", 0, PATIENCE), Ok((0, 3)));
}

#[test]
fn an_unknown_topic_is_an_error() {
    let broker = start();
    let sender = sender(&broker, &[("topic.metadata.propagation.max.ms", "10")]);
    sender.post("nowhere", "k", "v");
    let refused = sender.delivery().expect_err("there is no such topic");
    let unknown = [RDKafkaErrorCode::UnknownTopic, RDKafkaErrorCode::UnknownTopicOrPartition];
    assert!(code(&refused).is_some_and(|c| unknown.contains(&c)), "{refused}");
}

#[test]
fn a_topic_comes_into_being_only_when_that_is_wanted() {
    let options = Options { auto_create: true, partitions_default: 3, ..Options::default() };
    let broker = DevBroker::start(options).expect("a free port");
    let sender = sender(&broker, &[]);
    assert_eq!(sender.send("fresh", "k", "v"), 0);
    let metadata = sender.producer.client().fetch_metadata(Some("fresh"), PATIENCE);
    assert_eq!(metadata.expect("metadata").topics()[0].partitions().len(), 3);
}

#[test]
fn a_large_message_needs_a_topic_that_allows_it() {
    let broker = start();
    create(&broker, "small", 1, &[]);
    create(&broker, "large", 1, &[("max.message.bytes", "3000000")]);
    let sender = sender(&broker, &[]);
    let value = vec![b'x'; 2 * 1024 * 1024];
    sender.post_at("small", "k", &value, None);
    let refused = sender.delivery().expect_err("too large");
    assert_eq!(code(&refused), Some(RDKafkaErrorCode::MessageSizeTooLarge));
    sender.post_at("large", "k", &value, None);
    assert_eq!(sender.delivery(), Ok((0, 0)));
    assert_eq!(values(&broker, "large", "read_committed")[0].len(), value.len());
}

#[test]
fn a_static_member_returns_without_a_rebalance_and_its_double_is_fenced() {
    let broker = start();
    create(&broker, "orders", 2, &[]);
    let one = member(&broker, "g", &[("group.instance.id", "one")]);
    one.subscribe(&["orders"]).expect("subscribed");
    let two = member(&broker, "g", &[("group.instance.id", "two")]);
    two.subscribe(&["orders"]).expect("subscribed");
    settle(&[&one, &two], &[1, 1]);
    drop(two);
    let again = member(&broker, "g", &[("group.instance.id", "two")]);
    again.subscribe(&["orders"]).expect("subscribed");
    settle(&[&one, &again], &[1, 1]);
    let double = member(&broker, "g", &[("group.instance.id", "two")]);
    double.subscribe(&["orders"]).expect("subscribed");
    let deadline = Instant::now() + PATIENCE;
    while again.client().fatal_error().is_none() {
        assert!(Instant::now() < deadline, "nobody was fenced");
        let _ = again.poll(STEP);
        let _ = double.poll(STEP);
    }
    let (fatal, _) = again.client().fatal_error().expect("it was just there");
    assert_eq!(fatal, RDKafkaErrorCode::FencedInstanceId);
}

/// Sends a request with an empty body and returns the answer behind its length.
fn raw(broker: &DevBroker, api: i16, version: i16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(broker.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut frame = vec![0, 0, 0, 10];
    frame.extend(api.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(7_i32.to_be_bytes());
    frame.extend((-1_i16).to_be_bytes());
    stream.write_all(&frame)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length")];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn what_is_not_supported_is_answered_at_once() {
    let broker = start();
    let versions = raw(&broker, 18, 99).expect("an answer");
    assert_eq!(versions[0..6], [0, 0, 0, 7, 0, 35], "UNSUPPORTED_VERSION, in version 0");
    for (api, version) in [(68, 0), (3, 99), (999, 0), (-5, -5)] {
        let closed = raw(&broker, api, version).expect_err("the connection closes");
        let kinds = [std::io::ErrorKind::UnexpectedEof, std::io::ErrorKind::ConnectionReset];
        assert!(kinds.contains(&closed.kind()), "{closed}");
    }
}

/// Starts a broker that keeps its data here, on the port of the one before it if there was one.
fn start_in(folder: &Path, address: Option<&str>) -> DevBroker {
    let port = address
        .and_then(|a| a.rsplit_once(':'))
        .map_or(0, |(_, port)| port.parse().expect("a port"));
    let options = Options { port, data: Some(folder.to_owned()), ..Options::default() };
    DevBroker::start(options).expect("the data of the last time")
}

/// Ends a broker as a kill would: another one goes on with what the system has at this moment.
fn killed(broker: &DevBroker, folder: &Path) -> tempfile::TempDir {
    assert!(broker.address().starts_with("127.0.0.1:"), "it still runs");
    let copy = tempfile::tempdir().expect("a folder");
    fs::copy(folder.join("journal"), copy.path().join("journal")).expect("a copy");
    copy
}

fn restart(broker: DevBroker, folder: &Path) -> DevBroker {
    let address = broker.address();
    broker.stop();
    start_in(folder, Some(&address))
}

#[test]
fn a_restart_keeps_topics_settings_records_and_offsets() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = start_in(folder.path(), None);
    create(&broker, "orders", 3, &[("max.message.bytes", "3000000")]);
    let sender = sender(&broker, &[]);
    for value in ["a", "b", "c"] {
        sender.send("orders", "k", value);
    }
    let consumer = member(&broker, "g", &[]);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("orders", 0, Offset::Offset(2)).expect("an offset");
    consumer.commit(&list, CommitMode::Sync).expect("committed");
    drop((consumer, sender));
    let copy = killed(&broker, folder.path());
    let after_kill = start_in(copy.path(), None);
    for broker in [&restart(broker, folder.path()), &after_kill] {
        assert_eq!(values(broker, "orders", "read_committed"), ["a", "b", "c"]);
        let consumer = member(broker, "g", &[]);
        assert_eq!(committed(&consumer, "orders"), Offset::Offset(2));
        let metadata = consumer.fetch_metadata(Some("orders"), PATIENCE).expect("metadata");
        assert_eq!(metadata.topics()[0].partitions().len(), 3);
        let sender = self::sender(broker, &[]);
        sender.post_at("orders", "k", &vec![b'x'; 2 * 1024 * 1024], None);
        assert_eq!(sender.delivery(), Ok((0, 3)));
    }
}

#[test]
fn a_restart_keeps_producers_and_their_sequences() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = start_in(folder.path(), None);
    create(&broker, "orders", 1, &[]);
    let settings = [("enable.idempotence", "true"), ("reconnect.backoff.ms", "10")];
    let old = sender(&broker, &settings);
    old.send("orders", "k", "a");
    let broker = restart(broker, folder.path());
    assert_eq!(old.send("orders", "k", "b"), 1);
    let new = sender(&broker, &settings);
    assert_eq!(new.send("orders", "k", "c"), 2);
    assert_eq!(values(&broker, "orders", "read_committed"), ["a", "b", "c"]);
}

#[test]
fn a_zombie_is_fenced_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = start_in(folder.path(), None);
    create(&broker, "orders", 1, &[]);
    let zombie = Sender::transactional(&broker, "t");
    zombie.producer.begin_transaction().expect("begun");
    zombie.send("orders", "k", "zombie");
    let successor = Sender::transactional(&broker, "t");
    successor.producer.begin_transaction().expect("begun");
    successor.send("orders", "k", "successor");
    let broker = restart(broker, folder.path());
    let refused = zombie.producer.commit_transaction(PATIENCE).expect_err("it is fenced");
    assert_eq!(code(&refused), Some(RDKafkaErrorCode::Fenced), "{refused}");
    successor.producer.commit_transaction(PATIENCE).expect("committed");
    assert_eq!(values(&broker, "orders", "read_committed"), ["successor"]);
}

#[test]
fn a_transaction_that_a_restart_left_open_is_undone_after_its_timeout() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = start_in(folder.path(), None);
    create(&broker, "orders", 1, &[]);
    let lost = sender(&broker, &[("transactional.id", "t"), ("transaction.timeout.ms", "2000")]);
    lost.producer.init_transactions(PATIENCE).expect("a producer id");
    lost.producer.begin_transaction().expect("begun");
    lost.send("orders", "k", "lost");
    sender(&broker, &[]).send("orders", "k", "kept");
    let copy = killed(&broker, folder.path());
    let after = start_in(copy.path(), None);
    drop((lost, broker));
    assert_eq!(values(&after, "orders", "read_uncommitted"), ["lost", "kept"]);
    let deadline = Instant::now() + PATIENCE;
    while values(&after, "orders", "read_committed") != ["kept"] {
        assert!(Instant::now() < deadline, "the transaction is still open");
    }
}

#[test]
fn a_torn_tail_is_cut_and_damage_further_inside_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = start_in(folder.path(), None);
    create(&broker, "orders", 1, &[]);
    let sender = sender(&broker, &[]);
    for value in ["a", "b", "c"] {
        sender.send("orders", "k", value);
    }
    drop(sender);
    broker.stop();
    let journal = folder.path().join("journal");
    let whole = fs::read(&journal).expect("the journal");
    fs::write(&journal, &whole[..whole.len() - 3]).expect("written");
    let broker = start_in(folder.path(), None);
    assert_eq!(values(&broker, "orders", "read_committed"), ["a", "b"]);
    assert_eq!(self::sender(&broker, &[]).send("orders", "k", "d"), 2);
    let broker = restart(broker, folder.path());
    assert_eq!(values(&broker, "orders", "read_committed"), ["a", "b", "d"]);
    broker.stop();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&journal, damaged).expect("written");
    let options = Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let refused = DevBroker::start(options).expect_err("the journal is damaged");
    assert!(matches!(refused, Error::Damaged { .. }), "{refused}");
    let message = refused.to_string();
    let delete = format!("delete {} to start anew", folder.path().display());
    assert!(message.contains(&*journal.to_string_lossy()), "{message}");
    assert!(message.ends_with(&delete), "{message}");
}

#[test]
fn a_second_broker_is_kept_off_the_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = start_in(folder.path(), None);
    let options = Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let refused = DevBroker::start(options.clone()).expect_err("the folder is in use");
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    drop(first);
    DevBroker::start(options).expect("the folder is free");
}

#[test]
fn a_journal_that_outgrew_its_data_is_rewritten_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = start_in(folder.path(), None);
    create(&broker, "state", 1, &[("cleanup.policy", "compact")]);
    create(&broker, "orders", 1, &[]);
    let transactional = Sender::transactional(&broker, "t");
    transactional.producer.begin_transaction().expect("begun");
    transactional.send("orders", "k", "done");
    transactional.producer.commit_transaction(PATIENCE).expect("committed");
    let ballast = "x".repeat(500_000);
    let sender = sender(&broker, &[("linger.ms", "0"), ("batch.num.messages", "1")]);
    for round in 0..40 {
        sender.send("state", "k", &format!("{round} {ballast}"));
    }
    let size = || fs::metadata(folder.path().join("journal")).expect("the journal").len();
    let before = size();
    let broker = restart(broker, folder.path());
    assert!(size() < before / 2, "{} of {before} bytes remain", size());
    // Once more: the rewritten journal is read, and what was added to it since.
    assert_eq!(sender.send("state", "k", "last"), 40);
    let broker = restart(broker, folder.path());
    assert_eq!(values(&broker, "state", "read_committed").last(), Some(&"last".to_owned()));
    transactional.producer.begin_transaction().expect("begun");
    transactional.send("orders", "k", "more");
    transactional.producer.commit_transaction(PATIENCE).expect("committed");
    assert_eq!(values(&broker, "orders", "read_committed"), ["done", "more"]);
}

/// What the Java client prints, and nothing else.
const JAVA_SEES: &str = "\
topics [in, out]
read {good=1000}
committed {0=500, 1=500}
shares 1 1
the zombie is fenced
the new group protocol is refused
";

#[test]
#[ignore = "needs Java, and kafka-clients with its codecs in SEGUE_TEST_CLASSPATH"]
fn the_java_client_agrees() {
    let classpath = std::env::var("SEGUE_TEST_CLASSPATH").expect("SEGUE_TEST_CLASSPATH is set");
    let broker = start();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/devbroker/Check.java");
    let java = std::process::Command::new("java")
        .args(["-cp", &classpath, program, &broker.address()])
        .output()
        .expect("java starts");
    let log = String::from_utf8_lossy(&java.stderr);
    assert_eq!(String::from_utf8_lossy(&java.stdout), JAVA_SEES, "{log}");
}

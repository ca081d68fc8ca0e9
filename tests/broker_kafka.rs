//! The broker room against a real Kafka, whose address stands in `SEGUE_TEST_KAFKA`.
#![cfg(feature = "server")]
#![allow(clippy::disallowed_methods, reason = "waiting for a cluster is measured by a clock")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use segue::broker::{
    Confirmed, Connection, Delivery, Isolation, KafkaBroker, KafkaSource, Membership, Mode, Plan,
    Progress, Reader, Replication, TopicSpec, Writer, create_topics, definitions, provision,
};
use segue::definition::Starts;
use segue::devbroker::{self, Api, DevBroker, Fault, Trouble};
use segue::message::{Headers, Offset, Outgoing, Shard, Timestamp, Topic};
use segue::runtime::{
    Append, Batch, Broker as _, ChangelogReader as _, ChangelogRecord, DeadLetter, Forward,
    HistoryRecord, InboxRecord, Lost, ShardBatch, Source as _, SourceRecord, Waker as _,
};

const PATIENCE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_millis(100);

fn connection() -> Connection {
    let brokers = std::env::var("SEGUE_TEST_KAFKA").expect("SEGUE_TEST_KAFKA holds host:port");
    Connection::plain(&brokers)
}

/// A name that no other run has used.
fn fresh(name: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    format!("{name}-{}", now.as_nanos())
}

fn topic(name: &str) -> Topic {
    Topic::new(name).expect("a legal name")
}

fn made(connection: &Connection, name: &str, partitions: u32) -> Topic {
    let name = topic(name);
    let spec = TopicSpec {
        name: name.clone(),
        partitions,
        replication: 1,
        settings: vec![("max.message.bytes".to_owned(), "1048588".to_owned())],
    };
    create_topics(connection, std::slice::from_ref(&spec)).expect("a topic");
    create_topics(connection, &[spec]).expect("an existing topic is left as it is");
    name
}

fn message(topic: &Topic, key: &str, body: &str) -> Outgoing {
    let mut headers = Headers::default();
    headers.push("ce_type", "Tried");
    let body = Bytes::copy_from_slice(body.as_bytes());
    Outgoing { topic: topic.clone(), key: key.to_owned(), headers, body }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come in {PATIENCE:?}");
    }
}

fn all_of(connection: &Connection, topics: &[Topic], isolation: Isolation) -> Vec<SourceRecord> {
    let mut reader = Reader::all(connection, "test", topics, isolation).expect("a reader");
    let mut found = Vec::new();
    until("the end", || {
        found.extend(reader.poll(WAIT, 1000).expect("records"));
        reader.is_at_end().expect("an answer").then_some(())
    });
    found
}

fn bodies(records: &[SourceRecord]) -> Vec<String> {
    let text = |r: &SourceRecord| {
        String::from_utf8_lossy(r.body.as_deref().unwrap_or_default()).into_owned()
    };
    records.iter().map(text).collect()
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn what_is_written_is_read() {
    let connection = connection();
    let (one, two) = (made(&connection, &fresh("one"), 1), made(&connection, &fresh("two"), 3));
    let writer = Writer::open(&connection, "test").expect("a writer");
    writer.send(&message(&one, "a", "1"), Some(Timestamp(1234))).expect("queued");
    writer.send(&message(&two, "a", "2"), None).expect("queued");
    writer.flush(PATIENCE).expect("acknowledged");

    let found = all_of(&connection, &[one.clone(), two.clone()], Isolation::Committed);
    let first = found.iter().find(|r| r.origin.topic == one).expect("a record of each topic");
    assert_eq!(found.len(), 2);
    assert_eq!(first.timestamp, Timestamp(1234));
    assert_eq!(first.key.as_deref(), Some(b"a".as_slice()));
    assert_eq!(first.headers.text("ce_type"), Some("Tried"));
    assert_eq!(first.body.as_deref(), Some(b"1".as_slice()));
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_group_goes_on_where_it_committed() {
    let connection = connection();
    let (group, name) = (fresh("group"), fresh("topic"));
    let topic = made(&connection, &name, 2);
    let writer = Writer::open(&connection, "test").expect("a writer");
    let member = || {
        let topics = std::slice::from_ref(&topic);
        Reader::member(&connection, &group, "test", topics, Isolation::Committed).expect("a member")
    };
    let read = |reader: &mut Reader, count: usize| {
        let mut found = Vec::new();
        until("records", || {
            found.extend(reader.poll(WAIT, 1).expect("records"));
            (found.len() >= count && reader.is_at_end().expect("an answer")).then_some(())
        });
        bodies(&found)
    };
    writer.send(&message(&topic, "a", "1"), None).expect("queued");
    writer.flush(PATIENCE).expect("acknowledged");
    let mut first = member();
    assert_eq!(read(&mut first, 1), ["1"]);
    first.commit().expect("committed");
    drop(first);

    let mut second = member();
    assert!(read(&mut second, 0).is_empty());
    writer.send(&message(&topic, "a", "2"), None).expect("queued");
    writer.flush(PATIENCE).expect("acknowledged");
    assert_eq!(read(&mut second, 1), ["2"]);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_missing_topic_is_named() {
    let connection = connection();
    let missing = topic(&fresh("missing"));
    let asked = std::slice::from_ref(&missing);
    let Err(error) = Reader::all(&connection, "test", asked, Isolation::Committed) else {
        panic!("there is no such topic")
    };
    assert!(error.to_string().contains(missing.as_str()), "{error}");
}

/// An application of its own, with its topics.
struct App {
    connection: Connection,
    name: String,
    users: Topic,
}

impl App {
    fn new(name: &str, shards: u32) -> Self {
        Self::on(connection(), name, shards)
    }

    fn on(connection: Connection, name: &str, shards: u32) -> Self {
        let name = fresh(name);
        let users = made(&connection, &format!("{name}.users"), 1);
        let mut plan = Plan::new(&name, shards, Mode::Create, BTreeSet::from([users.clone()]));
        plan.replication = Replication::Copies(1);
        provision(&connection, &plan).expect("topics");
        Self { connection, name, users }
    }

    fn member(&self, node: &str) -> Membership {
        Membership::new(&self.name, node)
    }

    fn node(&self, node: &str) -> KafkaBroker {
        self.open(&self.member(node))
    }

    fn open(&self, membership: &Membership) -> KafkaBroker {
        self.open_after(membership, &Confirmed::default())
    }

    /// A pipeline whose process had this confirmed before.
    fn open_after(&self, membership: &Membership, confirmed: &Confirmed) -> KafkaBroker {
        let written = BTreeSet::from([self.users.clone()]);
        let progress = Progress::default();
        let opened = KafkaBroker::open(&self.connection, membership, written, confirmed, &progress);
        opened.expect("a broker")
    }

    fn topic(&self, what: &str) -> Topic {
        topic(&format!("{}.{what}", self.name))
    }

    fn read(&self, what: &str) -> Vec<SourceRecord> {
        all_of(&self.connection, &[self.topic(what)], Isolation::Committed)
    }

    fn users_read(&self) -> Vec<String> {
        bodies(&all_of(&self.connection, std::slice::from_ref(&self.users), Isolation::Committed))
    }

    /// A batch that moves one shard to an inbox position and says so everywhere.
    fn batch(&self, shard: Shard, inbox: i64, word: &str) -> Batch {
        let bytes = || Bytes::copy_from_slice(word.as_bytes());
        let part = ShardBatch {
            inbox: Offset(inbox),
            changelog: vec![
                (Bytes::from_static(b"i/order/o-1"), Some(bytes())),
                (Bytes::from_static(b"i/order/o-0"), None),
                (Bytes::from(format!("p/{shard}")), Some(bytes())),
            ],
            history: vec![HistoryRecord { key: Bytes::from_static(b"order/o-1"), value: bytes() }],
        };
        let letter = DeadLetter {
            reason: "tried".to_owned(),
            origin: None,
            instance: None,
            key: None,
            headers: Headers::default(),
            body: bytes(),
        };
        Batch {
            shards: BTreeMap::from([(shard, part)]),
            messages: vec![message(&self.users, "a", word)],
            dead_letters: vec![letter],
            letters: Vec::new(),
        }
    }
}

/// Polls until these many shards are ours, and starts each where its map says, else at 0.
fn joined(broker: &mut KafkaBroker, count: usize, from: &BTreeMap<Shard, Offset>) -> Vec<Shard> {
    let mut mine = BTreeSet::new();
    until("an assignment", || {
        let polled = broker.poll(WAIT, 100).expect("a poll");
        mine.extend(polled.assigned);
        (mine.len() >= count).then_some(())
    });
    let start = |s: &Shard| (*s, from.get(s).copied().unwrap_or_default());
    broker.resume(&mine.iter().map(start).collect()).expect("started");
    mine.into_iter().collect()
}

fn inbox_of(broker: &mut KafkaBroker, count: usize) -> Vec<InboxRecord> {
    let mut found = Vec::new();
    until("inbox records", || {
        found.extend(broker.poll(WAIT, 3).expect("a poll").records);
        (found.len() >= count).then_some(())
    });
    found
}

fn append(broker: &mut KafkaBroker, shard: Shard, words: std::ops::Range<i64>) {
    for word in words {
        let append = Append { shard, value: Bytes::from(word.to_string()) };
        broker.append(append, Timestamp(1000 + word)).expect("queued");
    }
}

fn restored(broker: &mut KafkaBroker, shard: Shard, from: i64) -> (Vec<ChangelogRecord>, Offset) {
    let mut reader = broker.changelog(shard, Offset(from)).expect("a reader");
    let mut found = Vec::new();
    loop {
        let records = reader.next().expect("records");
        if records.is_empty() {
            return (found, reader.position());
        }
        found.extend(records);
    }
}

fn values(records: &[ChangelogRecord]) -> Vec<Option<&[u8]>> {
    records.iter().map(|r| r.value.as_deref()).collect()
}

const ONE: Shard = Shard(0);

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_committed_batch_is_seen_whole() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let app = App::new("whole", 1);
        let mut broker = app.open(&Membership { delivery, ..app.member("a") });
        joined(&mut broker, 1, &BTreeMap::new());
        let behind = broker.commit(app.batch(ONE, 0, "x")).expect("committed");
        assert_eq!(behind, BTreeMap::from([(ONE, Offset(3))]));
        assert_eq!(app.users_read(), ["x"]);
        assert_eq!(bodies(&app.read("history")), ["x"]);
        let letters = app.read("dead-letters");
        assert_eq!(bodies(&letters), ["x"]);
        assert_eq!(letters[0].headers.text("segue-reason"), Some("tried"));
        let (records, position) = restored(&mut broker, ONE, 0);
        assert_eq!(values(&records), [Some(b"x".as_slice()), None, Some(b"x".as_slice())]);
        let marker = i64::from(delivery == Delivery::ExactlyOnce);
        assert_eq!(position, Offset(3 + marker), "{delivery:?}");
        assert_eq!(restored(&mut broker, ONE, 3 + marker), (vec![], Offset(3 + marker)));
        assert_eq!(restored(&mut broker, ONE, 3), (vec![], Offset(3 + marker)));
    }
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_failed_batch_is_not_seen_at_all() {
    let app = App::new("failed", 1);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::new());
    broker.commit(app.batch(ONE, 0, "good")).expect("committed");
    let mut bad = app.batch(ONE, 0, "bad");
    bad.messages.push(message(&app.users, "b", &"x".repeat(2_000_000)));
    let lost = broker.commit(bad).expect_err("the topic takes 1 MB");
    assert!(lost.fatal, "{lost}");
    assert!(lost.reason.contains(app.users.as_str()), "{lost}");
    drop(broker);

    assert_eq!(app.users_read(), ["good"]);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::new());
    let (records, position) = restored(&mut broker, ONE, 0);
    assert_eq!(records.len(), 3);
    // Aborted records and their marker lie behind the last one that counts.
    assert!(position > Offset(4), "{position}");
    broker.commit(app.batch(ONE, 0, "better")).expect("the name works again");
    assert_eq!(app.users_read(), ["good", "better"]);
}

/// The second commit is confirmed and forgotten (KAFKA-20734), then `follows` happens.
fn forgotten(trouble: Trouble, follows: impl FnOnce(&App, &mut KafkaBroker)) {
    let fault = Fault { api: Api::END_TXN, nth: 2, trouble };
    forgotten_among(vec![fault], follows);
}

fn forgotten_among(faults: Vec<Fault>, follows: impl FnOnce(&App, &mut KafkaBroker)) {
    let options = devbroker::Options { faults, ..devbroker::Options::default() };
    let cluster = DevBroker::start(options).expect("a free port");
    let app = App::on(Connection::plain(&cluster.address()), "forgotten", 1);
    let (member, confirmed) = (app.member("a"), Confirmed::default());
    let mut broker = app.open_after(&member, &confirmed);
    joined(&mut broker, 1, &BTreeMap::new());
    broker.commit(app.batch(ONE, 1, "kept")).expect("committed");
    let behind = broker.commit(app.batch(ONE, 2, "forgotten")).expect("it says so");
    assert_eq!(cluster.faults_fired(), 1);
    follows(&app, &mut broker);
    drop(broker);

    let mut broker = app.open_after(&member, &confirmed);
    joined(&mut broker, 1, &BTreeMap::new());
    assert!(!broker.changelog(ONE, behind[&ONE]).expect("a reader").stands());
    let (records, _) = restored(&mut broker, ONE, 0);
    assert_eq!(values(&records), [Some(b"kept".as_slice()), None, Some(b"kept".as_slice())]);
    broker.commit(app.batch(ONE, 2, "again")).expect("committed");
    assert_eq!(app.users_read(), ["kept", "again"]);
    assert_eq!(bodies(&app.read("history")), ["kept", "again"]);
    assert_eq!(bodies(&app.read("dead-letters")), ["kept", "again"]);
}

#[test]
fn what_is_confirmed_and_forgotten_is_taken_back() {
    forgotten(Trouble::ForgetMarkers, |_, _| {});
}

#[test]
fn what_is_confirmed_and_forgotten_is_taken_back_where_something_else_ended_it() {
    forgotten(Trouble::ForgetMarkers, |app, broker| {
        let mut bad = app.batch(ONE, 3, "bad");
        bad.dead_letters.clear();
        bad.shards.values_mut().for_each(|part| part.history.clear());
        bad.messages = vec![message(&app.users, "b", &"x".repeat(2_000_000))];
        broker.commit(bad).expect_err("the topic takes 1 MB");
    });
}

#[test]
fn what_is_confirmed_and_forgotten_is_noticed_before_the_next_commit() {
    forgotten(Trouble::ForgetMarkersAndClose, |app, broker| {
        let lost = broker.commit(app.batch(ONE, 3, "next")).expect_err("it would end what hangs");
        assert!(!lost.fatal && lost.reason.contains("the end of a commit did not come"), "{lost}");
    });
}

#[test]
fn what_is_confirmed_and_forgotten_is_noticed_when_the_next_commit_is_under_way() {
    let faults = [
        (Api::END_TXN, 2, Trouble::ForgetMarkers),
        (Api::TXN_OFFSET_COMMIT, 3, Trouble::LoseAnswer),
    ];
    let faults = faults.map(|(api, nth, trouble)| Fault { api, nth, trouble });
    forgotten_among(faults.to_vec(), |app, broker| {
        let lost = broker.commit(app.batch(ONE, 3, "next")).expect_err("it would end what hangs");
        assert!(!lost.fatal && lost.reason.contains("the end of a commit did not come"), "{lost}");
    });
}

#[test]
fn what_is_confirmed_and_forgotten_is_noticed_where_nothing_follows() {
    forgotten(Trouble::ForgetMarkersAndClose, |_, broker| {
        let lost = until("a look back", || broker.poll(WAIT, 100).err());
        assert!(!lost.fatal && lost.reason.contains("the end of a commit did not come"), "{lost}");
    });
}

/// A reader that begins behind a marker looks in front of it first. What is told to end while it
/// still ends aborts the process in librdkafka (#5573).
#[test]
fn a_reader_is_given_up_in_the_moment_it_begins() {
    let cluster = DevBroker::start(devbroker::Options::default()).expect("a free port");
    let app = App::on(Connection::plain(&cluster.address()), "given_up", 1);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::new());
    for inbox in 1..3 {
        broker.commit(app.batch(ONE, inbox, "x")).expect("committed");
    }
    let behind_the_marker = Offset(4);
    for _ in 0..40 {
        assert!(broker.changelog(ONE, behind_the_marker).expect("a reader").stands());
    }
    assert_eq!(restored(&mut broker, ONE, 4).0.len(), 3);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn without_transactions_state_never_runs_ahead_of_messages() {
    let app = App::new("order", 1);
    let delivery = Delivery::AtLeastOnce;
    let mut broker = app.open(&Membership { delivery, ..app.member("a") });
    joined(&mut broker, 1, &BTreeMap::new());
    let mut bad = app.batch(ONE, 1, "bad");
    bad.messages.push(message(&app.users, "b", &"x".repeat(2_000_000)));
    broker.commit(bad).expect_err("the topic takes 1 MB");
    assert_eq!(restored(&mut broker, ONE, 0), (vec![], Offset(0)));
    assert_eq!(app.users_read(), ["bad"], "what was sent before may be seen");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn an_inbox_is_read_exactly_from_its_position() {
    let app = App::new("position", 2);
    let mut broker = app.node("a");
    let (first, second) = (Shard(0), Shard(1));
    append(&mut broker, first, 0..10);
    append(&mut broker, second, 0..10);
    until("the appends", || (app.read("inbox").len() == 20).then_some(()));
    joined(&mut broker, 2, &BTreeMap::from([(first, Offset(4)), (second, Offset(10))]));
    append(&mut broker, second, 10..12);
    let found = inbox_of(&mut broker, 8);
    let places = |shard| {
        let of = found.iter().filter(|r| r.shard == shard);
        of.map(|r| (r.offset.0, r.timestamp.0)).collect::<Vec<_>>()
    };
    assert_eq!(places(first), (4..10).map(|n| (n, 1000 + n)).collect::<Vec<_>>());
    assert_eq!(places(second), [(10, 1010), (11, 1011)]);
    assert_eq!(found.iter().find(|r| r.offset.0 == 11).expect("read").value.as_ref(), b"11");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_position_outside_the_inbox_is_refused() {
    let app = App::new("outside", 1);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::from([(ONE, Offset(100))]));
    let lost = until("a refusal", || broker.poll(WAIT, 10).err());
    assert!(lost.fatal && lost.reason.contains("shard 0 at 100"), "{lost}");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_second_process_of_the_same_name_ends_the_first() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let app = App::new("zombie", 1);
        let membership = Membership { delivery, ..app.member("a") };
        let mut first = app.open(&membership);
        joined(&mut first, 1, &BTreeMap::new());
        first.commit(app.batch(ONE, 0, "first")).expect("committed");
        let mut second = app.open(&Membership { delivery, ..app.member("a") });
        joined(&mut second, 1, &BTreeMap::new());
        second.commit(app.batch(ONE, 0, "second")).expect("committed");
        let lost =
            until("the end of the first", || first.commit(app.batch(ONE, 0, "zombie")).err());
        assert!(lost.fatal && lost.reason.contains("this node's name"), "{delivery:?}: {lost}");
        if delivery == Delivery::ExactlyOnce {
            assert_eq!(app.users_read(), ["first", "second"]);
        }
    }
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn shards_move_to_a_node_that_joins_and_back_from_one_that_ends() {
    let app = App::new("rebalance", 4);
    let mut first = app.node("a");
    let all = joined(&mut first, 4, &BTreeMap::new());
    for shard in &all {
        append(&mut first, *shard, 0..5);
    }
    assert_eq!(inbox_of(&mut first, 20).len(), 20);
    for shard in &all {
        first.commit(app.batch(*shard, 5, "first")).expect("committed");
    }

    let mut second = app.node("b");
    let all: BTreeSet<Shard> = all.into_iter().collect();
    let (mut kept, mut won) = (all.clone(), BTreeSet::new());
    until("two shards each", || {
        let polled = first.poll(WAIT, 10).expect("a poll");
        kept.retain(|shard| !polled.revoked.contains(shard));
        kept.extend(polled.assigned);
        won.extend(second.poll(WAIT, 10).expect("a poll").assigned);
        (kept.len() == 2 && won.len() == 2).then_some(())
    });
    assert!(kept.is_disjoint(&won), "{kept:?} {won:?}");
    let gone = *won.first().expect("two of them");
    let refused = first.commit(app.batch(gone, 6, "zombie")).expect_err("it is not ours");
    assert!(!refused.fatal, "{refused}");
    second.resume(&won.iter().map(|s| (*s, Offset(5))).collect()).expect("started");
    append(&mut second, gone, 5..7);
    let offsets: Vec<i64> = inbox_of(&mut second, 2).iter().map(|r| r.offset.0).collect();
    assert_eq!(offsets, [5, 6]);
    second.commit(app.batch(gone, 7, "second")).expect("committed");

    drop(second);
    // A named member keeps its shards until its session is over.
    until("the shards back", || {
        let polled = first.poll(WAIT, 10).expect("a poll");
        kept.retain(|shard| !polled.revoked.contains(shard));
        kept.extend(polled.assigned);
        (kept == all).then_some(())
    });
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_restarted_node_has_its_shards_back_at_once() {
    let app = App::new("restart", 2);
    let mut broker = app.node("a");
    joined(&mut broker, 2, &BTreeMap::new());
    drop(broker);
    let start = Instant::now();
    let mut broker = app.node("a");
    joined(&mut broker, 2, &BTreeMap::new());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_restore_waits_for_an_open_transaction() {
    let app = App::new("open", 1);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::new());
    broker.commit(app.batch(ONE, 0, "x")).expect("committed");
    let changelog = app.topic("changelog");
    let other = transaction(&app, "other");
    let record = BaseRecord::to(changelog.as_str()).partition(0).key("k").payload("open");
    other.send(record).map_err(|(e, _)| e).expect("queued");
    other.flush(PATIENCE).expect("written");

    std::thread::scope(|scope| {
        let restore = scope.spawn(|| restored(&mut broker, ONE, 0));
        // The restore cannot end before this; when it begins does not matter.
        other.commit_transaction(PATIENCE).expect("committed");
        let (records, position) = restore.join().expect("restored");
        assert_eq!(records.len(), 4);
        assert!(position >= Offset(5), "{position}");
    });
    let aborted = transaction(&app, "other");
    let record = BaseRecord::to(changelog.as_str()).partition(0).key("k").payload("gone");
    aborted.send(record).map_err(|(e, _)| e).expect("queued");
    aborted.flush(PATIENCE).expect("written");
    aborted.abort_transaction(PATIENCE).expect("aborted");
    let (records, position) = restored(&mut broker, ONE, 0);
    assert_eq!(records.len(), 4);
    // The abort is answered before its marker is written, so that may come behind the end.
    assert!(position == Offset(7) || position == Offset(8), "{position}");
}

fn transaction(app: &App, id: &str) -> ThreadedProducer<DefaultProducerContext> {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", &app.connection.brokers)
        .set("transactional.id", format!("{}.{id}", app.name))
        .create()
        .expect("a producer");
    producer.init_transactions(PATIENCE).expect("ready");
    producer.begin_transaction().expect("begun");
    producer
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_hanging_transaction_ends_the_restore_with_a_reason() {
    let app = App::new("hanging", 1);
    let transaction_max = Duration::from_secs(1);
    let mut broker = app.open(&Membership { transaction: transaction_max, ..app.member("a") });
    joined(&mut broker, 1, &BTreeMap::new());
    let other = transaction(&app, "other");
    let changelog = app.topic("changelog");
    let record = BaseRecord::to(changelog.as_str()).partition(0).key("k").payload("open");
    other.send(record).map_err(|(e, _)| e).expect("queued");
    other.flush(PATIENCE).expect("written");
    let Err(lost) = broker.changelog(ONE, Offset(0)) else { panic!("it is still open") };
    assert!(!lost.fatal && lost.reason.contains("still open"), "{lost}");
    assert!(lost.reason.contains("abort --topic") && lost.reason.contains("--start-offset"));
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_checkpoint_of_another_log_is_not_believed() {
    let app = App::new("other-log", 1);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::new());
    broker.commit(app.batch(ONE, 0, "x")).expect("committed");
    let reader = broker.changelog(ONE, Offset(1000)).expect("a reader");
    assert_eq!(reader.position(), Offset(0), "reading starts from the beginning instead");
    assert_eq!(restored(&mut broker, ONE, 1000).0.len(), 3);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_gateway_goes_on_behind_what_was_acknowledged() {
    let app = App::new("gateway", 1);
    let writer = Writer::open(&app.connection, "test").expect("a writer");
    let send = |words: &[&str]| {
        for word in words {
            writer.send(&message(&app.users, "a", word), None).expect("queued");
        }
        writer.flush(PATIENCE).expect("acknowledged");
    };
    send(&["1", "2"]);
    let mut source = gateway(&app);
    for record in sourced(&mut source, 2) {
        source.forward(forwarded(&record)).expect("queued");
    }
    drop(source);
    assert_eq!(bodies(&app.read("inbox")), ["1", "2"]);

    send(&["3"]);
    let mut source = gateway(&app);
    assert_eq!(bodies(&sourced(&mut source, 1)), ["3"], "it was not forwarded");
    drop(source);
    let mut source = gateway(&app);
    assert_eq!(bodies(&sourced(&mut source, 1)), ["3"], "so it comes again");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_topic_counts_as_read_when_all_that_it_holds_was_passed_on() {
    let app = App::new("watermark", 1);
    let mut broker = app.node("a");
    joined(&mut broker, 1, &BTreeMap::new());
    // Two records, then two markers and what was aborted between them: none of it is ever read.
    let writer = Writer::open(&app.connection, "test").expect("a writer");
    writer.send(&message(&app.users, "a", "1"), None).expect("queued");
    writer.flush(PATIENCE).expect("acknowledged");
    for (word, is_kept) in [("2", true), ("gone", false)] {
        let other = transaction(&app, "other");
        let record = BaseRecord::to(app.users.as_str()).key("a").payload(word);
        other.send(record).map_err(|(e, _)| e).expect("queued");
        other.flush(PATIENCE).expect("written");
        let ended = if is_kept {
            other.commit_transaction(PATIENCE)
        } else {
            other.abort_transaction(PATIENCE)
        };
        ended.expect("ended");
    }
    let topics = BTreeSet::from([app.users.clone()]);
    let wanted = now();
    let read = |broker: &mut KafkaBroker| broker.read_up_to(&topics, wanted).until >= wanted;
    // A gateway reads, and passes on the first record alone.
    let mut source = gateway(&app);
    let records = sourced(&mut source, 2);
    source.forward(forwarded(&records[0])).expect("queued");
    let mut looks = 0;
    until("looks at what is not passed on", || {
        source.poll(WAIT, 100).expect("a poll");
        assert!(!read(&mut broker), "one record is not passed on");
        looks += 1;
        (looks == 20).then_some(())
    });
    source.forward(forwarded(&records[1])).expect("queued");
    until("all of it passed on", || {
        source.poll(WAIT, 100).expect("a poll");
        read(&mut broker).then_some(())
    });
    let later = now();
    until("a topic in which nothing happens", || {
        (broker.read_up_to(&topics, later).until >= later).then_some(())
    });
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp(i64::try_from(since.as_millis()).expect("before the year 292 million"))
}

fn gateway(app: &App) -> KafkaSource {
    let users = BTreeSet::from([app.users.clone()]);
    KafkaSource::open(&app.connection, &app.member("a"), &users).expect("a source")
}

fn sourced(source: &mut KafkaSource, count: usize) -> Vec<SourceRecord> {
    let mut found = Vec::new();
    until("source records", || {
        found.extend(source.poll(WAIT, 100).expect("a poll"));
        (found.len() >= count).then_some(())
    });
    found
}

fn forwarded(record: &SourceRecord) -> Forward {
    let value = record.body.clone().unwrap_or_default();
    let place = (record.origin.topic.clone(), record.origin.partition);
    Forward {
        appends: vec![Append { shard: ONE, value }],
        dead_letters: vec![],
        positions: BTreeMap::from([(place, record.origin.offset.next())]),
    }
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_failed_append_ends_the_gateway_and_loses_nothing() {
    let connection = connection();
    let name = fresh("append");
    let users = made(&connection, &format!("{name}.users"), 1);
    let small = TopicSpec {
        name: topic(&format!("{name}.inbox")),
        partitions: 1,
        replication: 1,
        settings: vec![("max.message.bytes".to_owned(), "1000".to_owned())],
    };
    create_topics(&connection, &[small]).expect("an inbox");
    made(&connection, &format!("{name}.sources"), 1);
    let app = App { connection, name, users };
    let writer = Writer::open(&app.connection, "test").expect("a writer");
    for word in ["1".to_owned(), "x".repeat(10_000), "3".to_owned()] {
        writer.send(&message(&app.users, "a", &word), None).expect("queued");
    }
    writer.flush(PATIENCE).expect("acknowledged");

    let mut source = gateway(&app);
    let records = sourced(&mut source, 3);
    let forward = |source: &mut KafkaSource, record: &SourceRecord| -> Result<(), Lost> {
        source.forward(forwarded(record))
    };
    forward(&mut source, &records[0]).expect("queued");
    until("the first append", || (bodies(&app.read("inbox")) == ["1"]).then_some(()));
    forward(&mut source, &records[1]).expect("queued");
    let lost = until("the failure", || source.poll(Duration::ZERO, 10).err());
    assert!(lost.fatal && lost.reason.contains("inbox"), "{lost}");
    forward(&mut source, &records[2]).expect_err("there would be a gap");
    drop(source);
    assert_eq!(bodies(&app.read("inbox")), ["1"]);
    let mut source = gateway(&app);
    let again = sourced(&mut source, 2);
    assert_eq!(again[0].origin.offset, Offset(1), "behind what was acknowledged");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn wrong_topics_are_refused_all_at_once() {
    let app = App::new("provision", 2);
    let missing = topic(&fresh("missing"));
    let users = BTreeSet::from([app.users.clone(), missing.clone()]);
    let mut plan = Plan::new(&app.name, 2, Mode::Require, BTreeSet::from([app.users.clone()]));
    provision(&app.connection, &plan).expect("everything is as it must be");
    plan.shards = 3;
    plan.users = users;
    let text = provision(&app.connection, &plan).expect_err("three problems").to_string();
    assert!(text.contains("inbox has 2 partitions, not 3"), "{text}");
    assert!(text.contains("changelog has 2 partitions, not 3"), "{text}");
    assert!(text.contains(missing.as_str()), "{text}");
    let app = fresh("nothing");
    let plan = Plan::new(&app, 2, Mode::Require, BTreeSet::new());
    let text = provision(&connection(), &plan).expect_err("nothing is there").to_string();
    assert!(text.contains(&format!("{app}.definitions does not exist")), "{text}");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn definitions_are_kept_by_key() {
    let app = App::new("definitions", 1);
    let stored = definitions::read(&app.connection, &app.name).expect("an empty topic");
    assert_eq!((stored.starts(), stored.texts), (None, BTreeMap::new()));
    let texts = BTreeMap::from([("order/1".to_owned(), "saga: order".to_owned())]);
    definitions::publish(&app.connection, &app.name, &texts).expect("published");
    definitions::publish(&app.connection, &app.name, &texts).expect("published again");
    let said = Starts { offset: Offset(0), node: "n1".into(), sagas: BTreeMap::new() };
    definitions::announce(&app.connection, &app.name, &said).expect("said");
    let stored = definitions::read(&app.connection, &app.name).expect("both");
    assert_eq!(stored.starts(), Some(Starts { offset: Offset(2), ..said }));
    assert_eq!(stored.texts, texts);
}

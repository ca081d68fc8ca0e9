//! The broker room against a real Kafka, whose address stands in `SEGUE_TEST_KAFKA`.
#![cfg(feature = "server")]
#![allow(clippy::disallowed_methods, reason = "waiting for a cluster is measured by a clock")]

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use segue::broker::{Connection, Isolation, Reader, TopicSpec, Writer, create_topics};
use segue::message::{Headers, Outgoing, Timestamp, Topic};
use segue::runtime::SourceRecord;

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
    let spec = TopicSpec { name: name.clone(), partitions, replication: 1, settings: vec![] };
    create_topics(connection, &[spec.clone()]).expect("a topic");
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

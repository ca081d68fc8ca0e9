//! Single records are read back, and topics are followed from given places.

use std::time::{Duration, Instant};

use crate::broker::{Connection, Follower, Lookup, Places, TopicSpec, Writer, create_topics};
use crate::devbroker::DevBroker;
use crate::message::{Headers, Offset, Outgoing, Topic};

const PATIENCE: Duration = Duration::from_secs(60);

/// A topic of one partition with so many records, each the number of its offset.
fn written(records: i64) -> (DevBroker, Connection, Topic) {
    let broker = DevBroker::start(crate::devbroker::Options::default()).expect("a broker");
    let connection = Connection::plain(&broker.address());
    let topic = Topic::new("numbers").expect("a topic");
    let (name, settings) = (topic.clone(), Vec::new());
    let spec = TopicSpec { name, partitions: 1, replication: 1, settings };
    create_topics(&connection, &[spec]).expect("a topic");
    let writer = Writer::open(&connection, "numbers").expect("a client");
    for number in 0..records {
        let (key, headers) = ("k".to_owned(), Headers::default());
        let body = number.to_string().into_bytes().into();
        let message = Outgoing { topic: topic.clone(), key, headers, body };
        writer.send(&message, None).expect("it can be sent");
    }
    writer.flush(PATIENCE).expect("it is written");
    (broker, connection, topic)
}

#[test]
fn records_are_read_back_by_their_places_near_and_far_apart() {
    let (_broker, connection, topic) = written(5_000);
    let mut lookup = Lookup::open(&connection, "test").expect("a client");
    for (asked, found) in [
        (&[17][..], &[17][..]),
        (&[4_999, 0, 3, 3, 2_600], &[0, 3, 2_600, 4_999]),
        (&[4_999, 5_000, 1 << 40], &[4_999]),
        (&[-1], &[]),
        (&[], &[]),
        (&[0], &[0]),
    ] {
        let offsets: Vec<Offset> = asked.iter().map(|offset| Offset(*offset)).collect();
        let records = lookup.read(&topic, 0, &offsets).expect("an answer");
        let read: Vec<(i64, Vec<u8>)> = records
            .iter()
            .map(|record| (record.origin.offset.0, record.body.as_deref().unwrap_or(&[]).to_vec()))
            .collect();
        let expected: Vec<(i64, Vec<u8>)> =
            found.iter().map(|offset: &i64| (*offset, offset.to_string().into_bytes())).collect();
        assert_eq!(read, expected, "{asked:?}");
    }
}

/// The offsets that a follower reads from there on.
fn followed(connection: &Connection, topic: &Topic, from: i64, until: i64) -> Vec<i64> {
    let from = Places::from([((topic.clone(), 0), Offset(from))]);
    let topics = std::slice::from_ref(topic);
    let mut follower = Follower::open(connection, "test", topics, &from).expect("a client");
    assert!(!follower.is_misplaced());
    let (mut read, start) = (Vec::new(), Instant::now());
    while follower.positions().expect("an answer")[&(topic.clone(), 0)] < Offset(until) {
        let records = follower.poll(Duration::from_secs(1), 100).expect("records");
        read.extend(records.iter().map(|record| record.origin.offset.0));
        assert!(start.elapsed() < PATIENCE, "it does not get on: {read:?}");
    }
    assert_eq!(follower.ends().expect("an answer")[&(topic.clone(), 0)], Offset(until));
    read
}

#[test]
fn a_topic_is_followed_from_where_it_was_read() {
    let (_broker, connection, topic) = written(300);
    assert_eq!(followed(&connection, &topic, 0, 300), (0..300).collect::<Vec<_>>());
    assert_eq!(followed(&connection, &topic, 297, 300), [297, 298, 299]);
    assert_eq!(followed(&connection, &topic, 300, 300), Vec::<i64>::new());
}

#[test]
fn a_topic_that_pauses_is_read_on_where_it_was() {
    let (_broker, connection, topic) = written(300);
    let topics = std::slice::from_ref(&topic);
    let follower = Follower::open(&connection, "test", topics, &Places::new());
    let mut follower = follower.expect("a client");
    follower.pause(&topic).expect("it pauses");
    let while_paused = follower.poll(Duration::from_millis(200), 100).expect("an answer");
    assert_eq!(while_paused.len(), 0);
    follower.resume(&topic).expect("it goes on");
    let (mut read, start) = (Vec::new(), Instant::now());
    while read.len() < 300 {
        let records = follower.poll(Duration::from_secs(1), 100).expect("records");
        read.extend(records.iter().map(|record| record.origin.offset.0));
        if read.len() == 100 {
            follower.pause(&topic).expect("it pauses");
            follower.resume(&topic).expect("it goes on");
        }
        assert!(start.elapsed() < PATIENCE, "it does not get on");
    }
    assert_eq!(read, (0..300).collect::<Vec<_>>());
}

#[test]
fn a_place_behind_the_end_is_of_another_topic() {
    let (_broker, connection, topic) = written(3);
    let from = Places::from([((topic.clone(), 0), Offset(4))]);
    let topics = std::slice::from_ref(&topic);
    let follower = Follower::open(&connection, "test", topics, &from).expect("a client");
    assert!(follower.is_misplaced());
    assert_eq!(follower.lows()[&(topic, 0)], Offset(0));
}

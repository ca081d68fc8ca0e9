//! Topics that change while they are followed, and records that cannot be read.

use std::time::{Duration, Instant};

use super::following::{APP, PATIENCE, Viewing};
use super::{Folder, id};
use crate::broker::{Connection, TopicSpec, Writer, create_topics, delete_topic, grow_topic};
use crate::definition::{Catalog, parse};
use crate::devbroker::DevBroker;
use crate::engine::{Input, Instance, step};
use crate::format::changelog;
use crate::message::{
    EngineTopics, Event, EventSource, Headers, Outgoing, Timestamp, Topic, header,
};
use crate::view::{Filter, LetterState, Sort};

/// A broker with the topics that the view reads.
struct Cluster {
    connection: Connection,
    topics: EngineTopics,
    _broker: DevBroker,
}

impl Cluster {
    fn start() -> Self {
        let broker = DevBroker::start(crate::devbroker::Options::default()).expect("a broker");
        let connection = Connection::plain(&broker.address());
        let topics = EngineTopics::new(APP).expect("topics");
        let cluster = Self { connection, topics, _broker: broker };
        let EngineTopics { changelog, history, dead_letters, definitions, operator, .. } =
            &cluster.topics;
        for topic in [changelog, history, dead_letters, definitions, operator] {
            cluster.make(topic);
        }
        cluster
    }

    fn make(&self, topic: &Topic) {
        let name = topic.clone();
        let spec = TopicSpec { name, partitions: 1, replication: 1, settings: Vec::new() };
        create_topics(&self.connection, &[spec]).expect("a topic");
    }

    fn write(&self, records: &[(&Topic, &str, &[u8])]) {
        let writer = Writer::open(&self.connection, "test").expect("a writer");
        for (topic, key, body) in records {
            let reason = (header::REASON.to_owned(), (*key).to_owned().into());
            let message = Outgoing {
                topic: (*topic).clone(),
                key: (*key).to_owned(),
                headers: Headers(vec![reason]),
                body: body.to_vec().into(),
            };
            writer.send(&message, None).expect("sent");
        }
        writer.flush(PATIENCE).expect("acknowledged");
    }

    /// Writes dead letters, each with its name as the reason.
    fn put_aside(&self, names: &[String]) {
        let topic = &self.topics.dead_letters;
        let records: Vec<_> = names.iter().map(|name| (topic, name.as_str(), &b"{}"[..])).collect();
        self.write(&records);
    }
}

/// The reasons of the dead letters, in the order of the alphabet.
fn letters(viewing: &Viewing) -> Vec<String> {
    let page = viewing.view.dead_letters(LetterState::Any, None, 1_000).expect("a page").found;
    let mut reasons: Vec<_> = page.letters.into_iter().map(|letter| letter.reason).collect();
    reasons.sort();
    reasons
}

/// Waits until these are the dead letters.
fn until_letters(viewing: &Viewing, names: &[String]) {
    let start = Instant::now();
    loop {
        let fresh = viewing.view.wait(Duration::from_millis(500));
        let found = letters(viewing);
        if found == names {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{found:?} is there, {fresh:?}");
    }
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number:02}")).collect()
}

#[test]
fn a_topic_that_grows_is_read_on_all_its_partitions() {
    let cluster = Cluster::start();
    let folder = Folder::new();
    let viewing = Viewing::start(&cluster.connection, &folder);
    cluster.put_aside(&names("a", 3));
    until_letters(&viewing, &names("a", 3));
    grow_topic(&cluster.connection, &cluster.topics.dead_letters, 3);
    cluster.put_aside(&names("b", 30));
    let all = [names("a", 3), names("b", 30)].concat();
    until_letters(&viewing, &all);
    let page = viewing.view.dead_letters(LetterState::Any, None, 1_000).expect("a page").found;
    assert!(page.letters.iter().any(|letter| letter.partition > 0), "they are on all partitions");
}

#[test]
fn a_topic_that_is_made_anew_is_another_one_however_long_it_is() {
    let cluster = Cluster::start();
    let folder = Folder::new();
    let topic = &cluster.topics.dead_letters;
    let viewing = Viewing::start(&cluster.connection, &folder);
    for (prefix, count) in [("a", 3), ("b", 2), ("c", 9)] {
        cluster.put_aside(&names(prefix, count));
        until_letters(&viewing, &names(prefix, count));
        delete_topic(&cluster.connection, topic);
        cluster.make(topic);
    }
    cluster.put_aside(&names("d", 1));
    until_letters(&viewing, &names("d", 1));
    // It is made anew while nobody looks, too.
    drop(viewing);
    delete_topic(&cluster.connection, topic);
    cluster.make(topic);
    cluster.put_aside(&names("e", 5));
    let viewing = Viewing::start(&cluster.connection, &folder);
    until_letters(&viewing, &names("e", 5));
}

/// What the engine makes of a start.
fn started(key: &str) -> Instance {
    let text = "saga: s\nversion: 1\nstart: { on: t/Placed, key: event.id }\nsteps:\n  \
                - { step: rest, sleep: 1h }\n";
    let mut catalog = Catalog::default();
    catalog.add(parse("s.yaml", text).expect("a saga")).expect("the first one");
    let event = Event {
        address: "t/Placed".parse().expect("an address"),
        source: EventSource::Unnamed,
        id: "e1".to_owned(),
        key: None,
        body: serde_json::json!({ "id": key }),
        command: None,
        trace_parent: None,
        timestamp: Timestamp(1_000),
    };
    let made = step(&catalog, &id("s", key), None, &Input::Event(event), Timestamp(1_000));
    made.expect("it starts").after.expect("it lives")
}

#[test]
fn what_cannot_be_read_is_passed_over_and_said() {
    let cluster = Cluster::start();
    let EngineTopics { changelog, history, .. } = &cluster.topics;
    let key = |name: &str| {
        let key = changelog::instance_key(&id("s", name));
        String::from_utf8(key.to_vec()).expect("UTF-8 text")
    };
    let garbage = b"no value of this build".as_slice();
    cluster.write(&[
        (changelog, &key("a"), &started("a").encode()),
        (changelog, &key("b"), garbage),
        (changelog, "i/No Name/b", garbage),
        (history, "s/a", garbage),
        (history, "nobody", garbage),
        (changelog, &key("c"), &started("c").encode()),
        (changelog, &key("a"), garbage),
    ]);
    let folder = Folder::new();
    let viewing = Viewing::start(&cluster.connection, &folder);
    viewing.catch_up();
    let page = viewing.view.instances(&Filter::default(), Sort::Oldest, None, 10);
    let page = page.expect("a page");
    let mut keys: Vec<_> = page.found.instances.iter().map(|row| row.key.as_str()).collect();
    keys.sort_unstable();
    // The last record of `a` cannot be read, and nobody knows what stood there before.
    assert_eq!(keys, ["c"]);
    assert_eq!(page.freshness.unread_records, 4, "{:?}", page.freshness);
    cluster.write(&[(changelog, &key("a"), &started("a").encode()), (history, "s/a", garbage)]);
    viewing.catch_up();
    let told = viewing.view.history(&id("s", "a"), 10).expect("an answer").found;
    let told = told.expect("it is known");
    let words: Vec<_> = told.iter().flat_map(|entry| &entry.notes).map(|n| &n.words).collect();
    assert_eq!(words.len(), 1, "{told:?}");
    assert!(words[0].starts_with("this entry cannot be read: "), "{words:?}");
}

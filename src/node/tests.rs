//! What starts, on a development broker: versions put back, files that are gone, pauses.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::{ActKeys, Callers, MachineClock, Node, Observer};
use crate::broker::{Connection, Isolation, Reader, TopicSpec, Writer, create_topics, definitions};
use crate::config::{App, Config, Node as Name};
use crate::definition::{Definition, StartsWord, parse};
use crate::devbroker::DevBroker;
use crate::engine::{NoteKind, What};
use crate::message::{Headers, Offset, Outgoing, SagaName, StartFrom, Topic, header};
use crate::runtime::{Clock as _, Observed, SourceRecord};
use crate::telemetry::Tracer;

const ONE: &str = "saga: order\nversion: 1\ntitle: one\nstart: { on: shop/Placed, after: new }\n\
                   steps:\n  - { step: tell, emit: told/Told, compensate: none }\n";
/// A saga whose command nobody answers.
const ASKS: &str = "saga: order\nversion: 1\ntitle: asks\nstart: { on: shop/Placed }\nsteps:\n  \
                    - { step: ask, command: told/Ask, done: shop/Told, compensate: none }\n";
const PATIENCE: Duration = Duration::from_secs(60);

fn two() -> String {
    ONE.replace("version: 1", "version: 2").replace("title: one", "title: two").replace(
        "compensate: none }\n",
        "compensate: none }\n  - { step: more, emit: told/More, compensate: none }\n",
    )
}

fn other() -> String {
    ONE.replace("saga: order", "saga: other").replace("title: one", "title: other")
}

/// A cluster with the topics of the shop.
struct Shop {
    broker: DevBroker,
    folder: TempDir,
}

/// A node, and what it says of the sagas that begin.
struct Running {
    node: Node,
    observed: Receiver<Observed>,
}

impl Shop {
    fn open() -> Self {
        let broker = DevBroker::start(crate::devbroker::Options::default()).expect("a broker");
        let shop = Self { broker, folder: TempDir::new().expect("a folder") };
        let spec = |name: &str| TopicSpec {
            name: Topic::new(name).expect("a topic"),
            partitions: 1,
            replication: 1,
            settings: Vec::new(),
        };
        create_topics(&shop.connection(), &[spec("shop"), spec("told")]).expect("topics");
        shop
    }

    fn connection(&self) -> Connection {
        Connection::plain(&self.broker.address())
    }

    fn config(&self, node: &str) -> Config {
        let data: PathBuf = self.folder.path().join(node);
        let mut config = Config {
            app: App::new("app").expect("a name"),
            node: Name::new(node).expect("a name"),
            data,
            ..Config::default()
        };
        config.kafka.brokers = vec![self.broker.address()];
        config.topics.shards = 2;
        config.sources.start_from = StartFrom::Earliest;
        config
    }

    fn start(&self, node: &str, texts: &[&str]) -> Result<Running, super::Error> {
        Self::start_as(&self.config(node), texts)
    }

    fn start_as(config: &Config, texts: &[&str]) -> Result<Running, super::Error> {
        let read = |text: &&str| parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
        let definitions: Vec<Definition> = texts.iter().map(read).collect();
        let (tell, observed) = channel();
        let observer: Observer = Arc::new(move |seen: &Observed| drop(tell.send(seen.clone())));
        let callers = Callers::http(config, Tracer::off()).expect("calls could be made");
        let stop = Arc::new(AtomicBool::new(false));
        let node = Node::start(config, definitions, &observer, &callers, stop)?;
        Ok(Running { node, observed })
    }

    fn run(&self, texts: &[&str]) -> Running {
        self.start("n1", texts).unwrap_or_else(|e| panic!("{e}"))
    }

    fn place(&self, key: &str) {
        let writer = Writer::open(&self.connection(), "shop").expect("a client");
        let mut headers = Headers::default();
        headers.push(header::TYPE, "Placed".to_owned());
        let (topic, key) = (Topic::new("shop").expect("a topic"), key.to_owned());
        let body = b"{}".as_slice().into();
        writer.send(&Outgoing { topic, key, headers, body }, None).expect("it can be sent");
        writer.flush(PATIENCE).expect("it is written");
    }
}

impl Running {
    /// The titles and keys of the next sagas that begin.
    fn begun(&self, count: usize) -> Vec<String> {
        let mut begun = Vec::new();
        while begun.len() < count {
            let seen = self.observed.recv_timeout(PATIENCE).expect("it begins in time");
            for note in &seen.notes {
                if let What::Started { title } = &note.what {
                    begun.push(format!("{title} {}", seen.id.key));
                }
            }
        }
        begun
    }

    /// That saga, if it begins within a time; others are not waited for.
    fn begins_within(&self, saga: &str, wait: Duration) -> Option<String> {
        while let Ok(seen) = self.observed.recv_timeout(wait) {
            for note in &seen.notes {
                if let What::Started { title } = &note.what
                    && format!("{title} {}", seen.id.key) == saga
                {
                    return Some(saga.to_owned());
                }
            }
        }
        None
    }

    fn stop(self) {
        self.node.stop();
        self.node.wait().expect("it stops well");
    }
}

#[test]
fn a_version_that_is_put_back_is_what_starts() {
    let shop = Shop::open();
    for (texts, key, begun) in
        [(ONE, "a", "one a"), (&two(), "b", "two b"), (ONE, "c", "one c"), (&two(), "d", "two d")]
    {
        let node = shop.run(&[texts]);
        shop.place(key);
        assert_eq!(node.begun(1), [begun]);
        node.stop();
    }
}

#[test]
fn a_saga_whose_file_is_gone_starts_nothing_until_it_is_back() {
    let shop = Shop::open();
    let node = shop.run(&[ONE, &other()]);
    shop.place("a");
    let begun: BTreeSet<String> = node.begun(2).into_iter().collect();
    assert_eq!(begun, BTreeSet::from(["one a".to_owned(), "other a".to_owned()]));
    node.stop();
    let node = shop.run(&[ONE]);
    shop.place("b");
    shop.place("b2");
    assert_eq!(node.begun(2), ["one b", "one b2"]);
    node.stop();
    let node = shop.run(&[&other()]);
    shop.place("c");
    assert_eq!(node.begun(1), ["other c"], "what came meanwhile is not made up for");
    node.stop();
}

#[test]
fn what_a_pause_keeps_begins_when_it_is_over() {
    let shop = Shop::open();
    let paused = ONE.replace("version: 1", "version: 1\nstate: paused");
    let node = shop.run(&[&paused, &other()]);
    for key in ["a", "b", "c"] {
        shop.place(key);
    }
    assert_eq!(node.begun(3).len(), 3, "the other saga is not paused");
    node.stop();
    let node = shop.run(&[&two(), &other()]);
    let begun: BTreeSet<String> = node.begun(3).into_iter().collect();
    assert_eq!(begun, ["two a", "two b", "two c"].map(str::to_owned).into());
    node.stop();
}

/// Says that the starts of `order` are kept, or begin again.
fn say(shop: &Shop, is_paused: bool) {
    let word = StartsWord {
        is_paused,
        id: format!("{is_paused}"),
        by: "ana".to_owned(),
        why: "the bank is down".to_owned(),
        at: MachineClock::default().now(),
        offset: Offset::default(),
    };
    let saga = SagaName::new("order").expect("a name");
    definitions::say(&shop.connection(), "app", &saga, &word).expect("it is written");
}

/// Places orders until one is kept: the nodes follow a word within moments.
fn place_until_kept(shop: &Shop, node: &Running) -> String {
    for number in 0..50 {
        let key = format!("p{number}");
        shop.place(&key);
        // The other saga begins beside it in any case.
        let mut seen = BTreeSet::new();
        while !seen.contains(&format!("other {key}")) {
            seen.extend(node.begun(1));
        }
        let own = format!("one {key}");
        if !seen.contains(&own) && node.begins_within(&own, Duration::from_secs(2)).is_none() {
            return key;
        }
    }
    panic!("no node follows the word")
}

#[test]
fn a_persons_pause_outlives_a_restart_until_a_person_ends_it() {
    let shop = Shop::open();
    let node = shop.run(&[ONE, &other()]);
    shop.place("a");
    assert_eq!(node.begun(2).len(), 2);
    say(&shop, true);
    let kept = place_until_kept(&shop, &node);
    node.stop();
    // Its file says `active`, also in another version: the person's word holds.
    let node = shop.run(&[&two(), &other()]);
    shop.place("b");
    assert_eq!(node.begun(1), ["other b"]);
    say(&shop, false);
    let begun: BTreeSet<String> = node.begun(2).into_iter().collect();
    assert_eq!(begun, [format!("two {kept}"), "two b".to_owned()].into());
    node.stop();
}

#[test]
fn nodes_that_run_follow_the_one_that_comes_up_last() {
    let shop = Shop::open();
    let first = shop.run(&[ONE]);
    shop.place("a");
    assert_eq!(first.begun(1), ["one a"]);
    let second = shop.start("n2", &[&two()]).unwrap_or_else(|e| panic!("{e}"));
    // The shards are told in front of what is read by it; until then the old version starts.
    let mut tried = 0;
    let begun = loop {
        tried += 1;
        shop.place(&format!("b{tried}"));
        let seen = [&first, &second].map(|node| node.observed.recv_timeout(Duration::from_secs(5)));
        let notes = seen.into_iter().flatten().flat_map(|seen| seen.notes);
        let titles: Vec<String> = notes
            .filter_map(
                |note| if let What::Started { title } = note.what { Some(title) } else { None },
            )
            .collect();
        if titles.iter().any(|title| title == "two") || tried == 20 {
            break titles;
        }
    };
    assert!(begun.contains(&"two".to_owned()), "{begun:?} after {tried}");
    second.stop();
    // The first node is alone again, and has seen no file of the second version.
    shop.place("c");
    let last = loop {
        let begun = first.begun(1).remove(0);
        if begun.ends_with(" c") {
            break begun;
        }
    };
    assert_eq!(last, "two c");
    first.stop();
}

#[test]
fn another_text_under_a_version_that_ran_is_refused_with_its_line() {
    let shop = Shop::open();
    let node = shop.run(&[ONE]);
    node.stop();
    let same = ONE.replace("title: one", "title: the first # one");
    shop.run(&[&same]).stop();
    let changed = ONE.replace("told/Told", "told/Said");
    let refused = shop.start("n1", &[&changed]).err().expect("it means something else");
    let words = refused.to_string();
    assert!(words.starts_with("saga.yaml:6: ") && words.contains("order version 1"), "{words}");
    assert!(words.contains("app.definitions/order/1:6"), "{words}");
}

#[test]
fn where_there_are_keys_an_act_counts_only_if_it_is_signed() {
    let shop = Shop::open();
    let keys = shop.folder.path().join("keys");
    std::fs::write(&keys, "ab".repeat(32)).expect("written");
    let config = Config { operator_key_file: Some(keys), ..shop.config("n1") };
    let keys = ActKeys::of(&config).expect("they are sound").expect("there are some");
    let node = Shop::start_as(&config, &[ASKS]).unwrap_or_else(|e| panic!("{e}"));
    shop.place("a");
    assert_eq!(node.begun(1), ["asks a"]);
    let operator = Topic::new("app.operator").expect("a topic");
    let act = |id: &str| Outgoing {
        topic: operator.clone(),
        key: "order/a".to_owned(),
        headers: Headers::default(),
        body: format!(
            r#"{{"verb":"pause","saga":"order","key":"a","by":"ana","why":"w","id":"{id}"}}"#
        )
        .into(),
    };
    let signed = keys.sign(act("signed"), MachineClock::default().now()).expect("it is signed");
    let writer = Writer::open(&shop.connection(), "act").expect("a client");
    for message in [&act("unsigned"), &signed] {
        writer.send(message, None).expect("it can be sent");
    }
    writer.flush(PATIENCE).expect("both are written");
    let paused = loop {
        let seen = node.observed.recv_timeout(PATIENCE).expect("it is obeyed in time");
        if let Some(note) = seen.notes.into_iter().find(|note| note.kind() == NoteKind::Paused) {
            break format!("{:?}", note.what);
        }
    };
    assert!(paused.contains(r#""signed""#), "{paused}");
    node.stop();
    let letters = [Topic::new("app.dead-letters").expect("a topic")];
    let reader = Reader::all(&shop.connection(), "judge", &letters, Isolation::Committed);
    let mut reader = reader.expect("a client");
    let mut reasons = Vec::new();
    while !reader.is_at_end().expect("it answers") {
        let letters = reader.poll(Duration::from_millis(100), 100).expect("it answers");
        let reason = |letter: &SourceRecord| letter.headers.text("segue-reason").map(str::to_owned);
        reasons.extend(letters.iter().filter_map(reason));
    }
    assert_eq!(reasons, ["the act is not signed: it has no header `segue-signed`"]);
}

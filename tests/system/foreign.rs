//! What other programs send: bodies that are not JSON, headers that say nothing, tombstones, keys
//! that nobody can type, ids that two sources share.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use segue::broker::{Isolation, dead_letter};
use segue::message::{CommandId, EngineTopics, Topic, header};
use segue::runtime::SourceRecord;
use serde_json::Value;

use crate::cast::Cast;
use crate::engine::Engine;
use crate::watch::{PATIENCE, Watch, until};
use crate::world::{EXACTLY_ONCE, World};

/// One command for each order, under the record's key; nobody answers.
const SAGA: &str = "
saga: simple
version: 1
start:
  - { on: APP.shop.orders/OrderPlaced, after: new, again: queue }
  - { on: APP.shop.returns/OrderReturned }
data: { order: event.order }
steps:
  - step: reserve
    command: APP.stock.commands/Reserve
    with: { order: \"${data.order}\" }
    done: APP.stock.events/Reserved
    within: 1h
    compensate: none
";

/// A record as any client can make one.
struct Foreign {
    topic: &'static str,
    key: Option<Vec<u8>>,
    headers: Vec<(&'static str, Option<Vec<u8>>)>,
    body: Option<Vec<u8>>,
}

impl Foreign {
    /// An order whose key is its name, with a type and a good body.
    fn order(name: &str) -> Self {
        Self {
            topic: "shop.orders",
            key: Some(name.into()),
            headers: vec![("ce_type", Some("OrderPlaced".into()))],
            body: Some(format!(r#"{{"order":"{name}"}}"#).into()),
        }
    }

    fn with(mut self, name: &'static str, value: Option<&[u8]>) -> Self {
        self.headers.push((name, value.map(<[u8]>::to_vec)));
        self
    }

    fn untyped(mut self) -> Self {
        self.headers.clear();
        self
    }

    fn keyed(self, key: Option<&[u8]>) -> Self {
        Self { key: key.map(<[u8]>::to_vec), ..self }
    }

    fn saying(self, body: Option<&[u8]>) -> Self {
        Self { body: body.map(<[u8]>::to_vec), ..self }
    }

    fn on(self, topic: &'static str) -> Self {
        Self { topic, ..self }
    }
}

/// A world of one saga that nobody serves, with lines for the engine's configuration.
fn world(saga: &'static str, config: &'static str, seed: u64) -> (World, Engine) {
    let cast = |app: &str, _| Cast {
        sagas: vec![("saga".to_owned(), saga.replace("APP", app))],
        scripts: Vec::new(),
        config: config.replace("APP", app),
    };
    let world = World::hermetic_of(cast, EXACTLY_ONCE, seed);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    (world, engine)
}

/// Sends records in their order, to one partition of each topic.
fn send(world: &World, records: &[Foreign]) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &world.connection.brokers);
    let producer: BaseProducer = config.create().expect("a producer");
    for record in records {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: value.as_ref() });
        }
        let topic = world.topic(record.topic);
        let mut sent = BaseRecord::<[u8], [u8]>::to(topic.as_str()).partition(0).headers(headers);
        if let Some(key) = &record.key {
            sent = sent.key(key);
        }
        if let Some(body) = &record.body {
            sent = sent.payload(body);
        }
        producer.send(sent).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(PATIENCE).expect("acknowledged");
}

fn dead_letters(world: &World) -> Topic {
    EngineTopics::new(&world.app).expect("legal names").dead_letters
}

/// What the engine has sent to a topic and put aside once it is so many records; then it is
/// stopped, so that there can be no more.
fn made(
    world: &World,
    engine: Engine,
    topic: &str,
    [sent, aside]: [usize; 2],
) -> [Vec<SourceRecord>; 2] {
    let topics = [world.topic(topic), dead_letters(world)];
    let log = world.log("a");
    let mut watch = Watch::over(&world.connection, &topics, Isolation::Committed, log.clone());
    let mut seen: BTreeMap<Topic, usize> = BTreeMap::new();
    until(&format!("{sent} messages and {aside} dead letters"), PATIENCE, || {
        for record in watch.news() {
            *seen.entry(record.origin.topic).or_default() += 1;
        }
        let seen = topics.each_ref().map(|topic| seen.get(topic).copied().unwrap_or(0));
        (seen[0] >= sent && seen[1] >= aside).then_some(())
    });
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    topics.map(|topic| {
        let mut all = Vec::new();
        world.read(&[topic], |record| all.push(record.clone()));
        all
    })
}

/// The orders of commands, in any order.
fn orders(commands: &[SourceRecord]) -> Vec<String> {
    let mut orders: Vec<String> = commands
        .iter()
        .map(|command| {
            let body = command.body.as_deref().unwrap_or_default();
            let body: Value = serde_json::from_slice(body).expect("JSON");
            body["order"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    orders.sort();
    orders
}

/// Each dead letter was expected, by its key, and says what it should.
fn told(letters: &[SourceRecord], expected: &[(&[u8], &str)]) {
    let reason = |letter: &SourceRecord| {
        letter.headers.text(dead_letter::REASON).unwrap_or_default().to_owned()
    };
    let all: Vec<String> = letters.iter().map(reason).collect();
    assert_eq!(letters.len(), expected.len(), "{all:#?}");
    for (key, words) in expected {
        let own = |letter: &&SourceRecord| letter.key.as_deref().unwrap_or_default() == *key;
        let of_key: Vec<String> = letters.iter().filter(own).map(&reason).collect();
        assert!(of_key.iter().any(|said| said.contains(words)), "{key:?}: {words}: {of_key:#?}");
    }
}

#[test]
fn a_body_that_is_no_json_is_named_as_what_it_is() {
    let utf16: Vec<u8> = "{\"order\":\"u\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: [(&str, &[u8], &str); 9] = [
        ("avro", b"\0\0\0\0\x2a\x0corder", "schema id 42"),
        ("framed", b"\0\0\0\x01\0{\"order\":\"f\"}", "schema id 256"),
        ("utf-16", &utf16, "UTF-16, little-endian"),
        ("latin-1", b"{\"order\":\"caf\xe9\"}", "the byte 0xe9 at place 13"),
        ("nan", b"{\"order\": NaN}", "JSON has no NaN"),
        ("empty", b"", "no body: 0 bytes"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "compressed by gzip"),
        ("file", b"Obj\x01\x02\x16avro.schema", "Avro object container"),
        ("text", b"order 7, please", "its body is not JSON: expected value"),
    ];
    let number = 4_711_i64.to_be_bytes();
    let keys: [(&[u8], &str); 3] = [
        (&number, "8 bytes, 0x0000000000001267; name a field of the body by `key:`"),
        (b"\xff\xfe", "2 bytes, 0xfffe"),
        (b"a\tb", "3 bytes, 0x610962"),
    ];
    let (world, engine) = world(SAGA, "", 61);
    let mut records: Vec<Foreign> =
        bodies.iter().map(|(key, body, _)| Foreign::order(key).saying(Some(body))).collect();
    records.extend(keys.iter().map(|(key, _)| Foreign::order("k").keyed(Some(key))));
    records.push(Foreign::order("marked").saying(Some(b"\xef\xbb\xbf{\"order\":\"marked\"}")));
    records.push(Foreign::order("good"));
    send(&world, &records);
    let [commands, letters] = made(&world, engine, "stock.commands", [2, 12]);
    assert_eq!(orders(&commands), ["good", "marked"]);
    let mut expected: Vec<(&[u8], &str)> =
        bodies.iter().map(|(key, _, words)| (key.as_bytes(), *words)).collect();
    expected.extend(keys);
    told(&letters, &expected);
    // A reply that names its command goes to its instance unread; it is named there.
    let mut engine = world.engine("a");
    engine.says("runs as node");
    let id = commands[0].headers.text(header::COMMAND).expect("a command id").to_owned();
    let id: CommandId = id.parse().expect("a command id");
    let reply = Foreign::order("reply").untyped().on("stock.events").keyed(Some(&number));
    let reply = reply
        .with("ce_type", Some(b"Reserved"))
        .with("segue-command", Some(id.to_string().as_bytes()))
        .with("ce_source", Some(b"/stock"))
        .saying(Some(b"\0\0\0\0\x07\x02"));
    send(&world, &[reply]);
    let [_, letters] = made(&world, engine, "stock.commands", [2, 13]);
    let letter = letters.iter().find(|l| l.body.as_deref() == Some(b"\0\0\0\0\x07\x02"));
    let letter = letter.expect("the body as it came");
    let text = |name| letter.headers.text(name).unwrap_or_default();
    assert!(text(dead_letter::REASON).contains("schema id 7"), "{}", text(dead_letter::REASON));
    let origin = format!("{}[0]@0", world.topic("stock.events"));
    assert_eq!((text(dead_letter::ORIGIN), text(header::SOURCE)), (origin.as_str(), "/stock"));
    assert_eq!(letter.key.as_deref(), Some(&number[..]));
}

#[test]
fn a_header_that_says_nothing_is_as_good_as_none() {
    let (world, engine) = world(SAGA, "", 62);
    let mut records = Vec::new();
    let mut good = Vec::new();
    let nothings: [(&str, Option<&[u8]>); 4] =
        [("null", None), ("empty", Some(b"")), ("blank", Some(b" ")), ("bytes", Some(b"\xff"))];
    for name in ["ce_id", "id", "ce_source", "segue-command", "ce_causationid", "traceparent"] {
        for (word, value) in nothings {
            let order = format!("{word}-{name}");
            records.push(Foreign::order(&order).with(name, value));
            good.push(order);
        }
    }
    for (word, value) in nothings {
        let order = format!("{word}-plain-type");
        let plain = Foreign::order(&order).untyped().with("type", Some(b"OrderPlaced"));
        records.push(plain.with("ce_type", value));
        good.push(order);
    }
    let bare = |name: &str| Foreign::order(name).untyped();
    records.push(bare("null-type").with("ce_type", None));
    records.push(bare("bytes-type").with("ce_type", Some(b"\xff")));
    records.push(bare("upper-type").with("CE_TYPE", Some(b"OrderPlaced")));
    records.push(Foreign::order("garbage").with("segue-command", Some(b"order-17")));
    send(&world, &records);
    let [commands, letters] = made(&world, engine, "stock.commands", [good.len(), 4]);
    good.sort();
    assert_eq!(orders(&commands), good);
    told(
        &letters,
        &[
            (b"null-type", "nothing says its type: `ce_type` is empty"),
            (b"bytes-type", "nothing says its type: `ce_type` is not text"),
            (b"upper-type", "nothing says its type; send it"),
            (b"garbage", "`order-17`, which is no command id"),
        ],
    );
}

#[test]
fn tombstones_are_counted_where_the_topic_s_rule_is_to_count() {
    let config = "unmatched: { topics: { APP.shop.orders: count } }\n";
    let (world, engine) = world(SAGA, config, 63);
    let useless = |topic: &'static str, kind: &[u8]| {
        let bare = || Foreign::order("gone").untyped().on(topic);
        [
            bare().with("ce_type", Some(kind)).saying(None),
            bare().saying(None),
            bare().saying(None).keyed(None),
            bare(),
            // A type that no definition reads concerns nobody.
            bare().with("ce_type", Some(b"OrderArchived")).saying(None),
            bare().with("ce_type", Some(b"OrderArchived")),
        ]
    };
    let mut records: Vec<Foreign> = useless("shop.orders", b"OrderPlaced").into();
    records.push(Foreign::order("broken").saying(Some(b"{")));
    records.push(Foreign::order("good"));
    records.extend(useless("shop.returns", b"OrderReturned"));
    send(&world, &records);
    let [commands, letters] = made(&world, engine, "stock.commands", [1, 5]);
    assert_eq!(orders(&commands), ["good"]);
    let none = "it has no body (a Kafka tombstone)";
    told(
        &letters,
        &[
            (b"broken", "EOF while parsing"),
            (b"gone", none),
            (b"gone", none),
            (b"", none),
            (b"gone", "nothing says its type"),
        ],
    );
    let counted = |letter: &SourceRecord| {
        let origin = letter.headers.text(dead_letter::ORIGIN).unwrap_or_default();
        origin.starts_with(world.topic("shop.orders").as_str())
    };
    assert_eq!(letters.iter().filter(|letter| counted(letter)).count(), 1, "the broken one");
}

#[test]
fn two_sources_number_their_orders_from_one() {
    let (world, engine) = world(SAGA, "", 64);
    let numbered = |source: &str, order: &str| {
        let body = format!(r#"{{"order":"{order}"}}"#);
        Foreign::order("k")
            .with("ce_id", Some(b"1"))
            .with("ce_source", Some(source.as_bytes()))
            .saying(Some(body.as_bytes()))
    };
    let [web, desk] = [numbered("/web", "by-web"), numbered("/desk", "by-desk")];
    let again = [numbered("/web", "again"), numbered("/desk", "again")];
    send(&world, &[web, desk]);
    send(&world, &again);
    // The second one waits for the end of the first.
    let log = world.log("a");
    let topic = world.topic("stock.commands");
    let mut watch = Watch::over(&world.connection, &[topic], Isolation::Committed, log);
    for number in 1..=2 {
        let command = until("a command", PATIENCE, || watch.news().into_iter().next());
        let text = |name| command.headers.text(name).expect("a header").to_owned();
        assert_eq!(text(header::CAUSATION), if number == 1 { "1" } else { "reply-1" });
        let reply = Foreign::order("k").untyped().on("stock.events");
        send(
            &world,
            &[reply
                .with("ce_type", Some(b"Reserved"))
                .with("ce_id", Some(format!("reply-{number}").as_bytes()))
                .with("segue-command", Some(text(header::COMMAND).as_bytes()))],
        );
    }
    let [commands, letters] = made(&world, engine, "stock.commands", [2, 0]);
    assert_eq!(orders(&commands), ["by-desk", "by-web"]);
    told(&letters, &[]);
    let lives: Vec<u64> = commands
        .iter()
        .map(|command| command.headers.text(header::COMMAND).expect("a command id"))
        .map(|id| id.parse::<CommandId>().expect("a command id").life.mark)
        .collect();
    assert_ne!(lives[0], lives[1]);
}

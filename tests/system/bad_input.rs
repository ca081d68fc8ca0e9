use std::collections::BTreeMap;

use bytes::Bytes;
use segue::broker::{Isolation, dead_letter};
use segue::message::{EngineTopics, Headers, Outgoing, header};

use crate::watch::{PATIENCE, Watch, until};
use crate::world::{EXACTLY_ONCE, World, check};

const SAGAS: u64 = 20;
const LARGE_BYTES: usize = 2 * 1024 * 1024;

/// A message that cannot be obeyed, and what its dead letter says.
struct Bad {
    topic: &'static str,
    kind: &'static str,
    command: Option<&'static str>,
    body: String,
    reason: &'static str,
}

fn bad() -> Vec<Bad> {
    let order = |body: &str, reason| {
        let body = body.to_owned();
        Bad { topic: "shop.orders", kind: "OrderPlaced", command: None, body, reason }
    };
    let answer = |command, order_id: &str, reason| Bad {
        topic: "inventory.events",
        kind: "StockReserved",
        command,
        body: format!(r#"{{ "order_id": "{order_id}", "reservation_id": "r" }}"#),
        reason,
    };
    let large = format!(r#"{{ "order_id": "o-large", "note": "{}" }}"#, "x".repeat(LARGE_BYTES));
    vec![
        order("order 7, please", "its body is not JSON"),
        order(r#"{ "order_id": "o-much", "total": "much" }"#, "event.total > 0"),
        order(r#"{ "total": 5 }"#, "order_id"),
        order(&large, "bytes; at most 1048576 are taken (`limits.event-bytes-max`)"),
        Bad { kind: "", ..order(r#"{ "order_id": "o-x", "total": 5 }"#, "nothing says its type") },
        answer(Some("what is this?"), "o-1", "is no command id"),
        answer(Some("no-such-saga/o-1/1/reserve-stock/1"), "o-1", "no-such-saga"),
        answer(Some("order-fulfilment/nobody/1/reserve-stock/1"), "nobody", "nobody"),
        answer(None, "nobody-either", "nobody-either"),
    ]
}

/// The first order once more, with another body: it means nothing and is nobody's fault.
fn second_start() -> Bad {
    let body = r#"{ "order_id": "o-1", "customer": "eve", "lines": [], "total": 1 }"#.to_owned();
    Bad { topic: "shop.orders", kind: "OrderPlaced", command: None, body, reason: "" }
}

fn message(world: &World, number: usize, bad: &Bad) -> Outgoing {
    let mut headers = Headers::default();
    headers.push(header::ID, format!("bad-{number}"));
    if !bad.kind.is_empty() {
        headers.push(header::TYPE, bad.kind);
    }
    if let Some(command) = bad.command {
        headers.push(header::COMMAND, command);
    }
    let body = Bytes::from(bad.body.clone().into_bytes());
    Outgoing { topic: world.topic(bad.topic), key: format!("k-{number}"), headers, body }
}

/// Reason and origin of every dead letter, by the id of what was put aside.
fn put_aside(world: &World, count: usize) -> BTreeMap<String, (String, String)> {
    let topics = EngineTopics::new(&world.app).expect("legal names");
    let topics = [topics.dead_letters];
    let log = world.log("a");
    let mut watch = Watch::over(&world.connection, &topics, Isolation::Committed, log);
    let mut found = BTreeMap::new();
    until(&format!("{count} dead letters"), PATIENCE, || {
        for record in watch.news() {
            let text = |name| record.headers.text(name).unwrap_or_default().to_owned();
            let (reason, origin) = (text(dead_letter::REASON), text(dead_letter::ORIGIN));
            found.insert(text(header::ID), (reason, origin));
        }
        (found.len() >= count).then_some(())
    });
    found
}

#[test]
fn bad_messages_are_put_aside_and_hold_nobody_up() {
    let mut world = World::hermetic(EXACTLY_ONCE, 31);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    world.serve();
    world.order(SAGAS, 20.0);
    world.watch().until_seen(SAGAS);
    let bad = bad();
    let mut messages: Vec<Outgoing> =
        bad.iter().enumerate().map(|(n, bad)| message(&world, n, bad)).collect();
    // As large by a header as another is by its body.
    let order = bad.iter().position(|bad| bad.reason.contains("total")).expect("an order");
    let mut laden = message(&world, bad.len() + 1, &bad[order]);
    laden.headers.push("x-notes", "n".repeat(LARGE_BYTES));
    messages.push(laden);
    messages.push(message(&world, bad.len(), &second_start()));
    world.send(&messages);
    let found = put_aside(&world, bad.len() + 1);
    for (number, bad) in bad.iter().enumerate() {
        let (reason, origin) = &found[&format!("bad-{number}")];
        assert!(reason.contains(bad.reason), "`{reason}` does not say `{}`", bad.reason);
        let topic = world.topic(bad.topic);
        assert!(origin.starts_with(&format!("{topic}[")), "{reason}: from {origin}?");
    }
    let (reason, _) = &found[&format!("bad-{}", bad.len() + 1)];
    assert!(reason.contains("at most 1048576 are taken"), "{reason}");
    assert_eq!(found.len(), bad.len() + 1, "and nothing else: {found:?}");
    world.settle(SAGAS);
    assert!(engine.lives(), "{}", engine.last_words());
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, SAGAS, &world.log("a"));
    assert_eq!(report.tally.ignored, 1, "the shop may send an order twice: {report}");
}

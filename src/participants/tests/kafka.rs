//! The runner and the load, over the development broker.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::broker::{Connection, Isolation, Reader, TopicSpec, create_topics};
use crate::devbroker::{Api, DevBroker, Fault, Options, Trouble};
use crate::runtime::SourceRecord;

/// Start events that are commands at once: nothing stands between them and the service.
const SHOP: &str = r#"
participants:
  pay/Charge:
    delay: 0ms..5ms
    duplicate: 10%
    answers:
      - { event: paid/Captured, weight: 4, body: { total: "${event.total}" } }
      - { event: paid/Declined, weight: 1, body: { total: "${event.total}" } }
starts:
  - event: pay/Charge
    key: "o-${data.n}"
    fields: { total: { from: 1, to: 99, decimals: 3 } }
    body: { total: "${data.total}" }
"#;
const ORDERS: u64 = 500;

/// Places orders and reads answers until every order has one; the services do not wait for
/// anybody to make their topics.
fn check(pace: Pace, faults: Vec<Fault>) -> (Placed, Answered, Vec<SourceRecord>) {
    let ordered = faults.len();
    let options = Options { faults, ..Options::default() };
    let broker = DevBroker::start(options).expect("a broker");
    let connection = Connection::plain(&broker.address());
    let topics = ["pay", "paid"].map(|name| Topic::new(name).expect("a topic"));
    let specs = topics.clone().map(|name| TopicSpec {
        name,
        partitions: 3,
        replication: 1,
        settings: Vec::new(),
    });
    let script = script(SHOP);
    let participants = Participants::new([&script], 1);
    let starts = Starts::new([&script], 1).expect("a start");
    let (stop, never) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|threads| {
        let running = threads.spawn(|| run(&connection, "test", participants, &stop));
        create_topics(&connection, &specs).expect("two topics");
        let load = Load { starts, orders: Some(ORDERS), pace };
        let placed = load.place(&connection, "load", &never, |_| {}).expect("orders");
        let mut seen: BTreeMap<Option<bytes::Bytes>, SourceRecord> = BTreeMap::new();
        let mut answers = Vec::new();
        let mut reader =
            Reader::member(&connection, "judge", "judge", &topics[1..], Isolation::Committed)
                .expect("a reader");
        while seen.len() < usize::try_from(ORDERS).expect("a small number") {
            for record in reader.poll(Duration::from_secs(1), 1_000).expect("answers") {
                seen.entry(record.key.clone()).or_insert_with(|| record.clone());
                answers.push(record);
            }
        }
        stop.store(true, Ordering::Relaxed);
        let answered = running.join().expect("no panic").expect("no error");
        assert_eq!(broker.faults_fired(), ordered);
        (placed, answered, answers)
    })
}

#[test]
fn every_command_is_answered_over_kafka() {
    let (placed, answered, answers) = check(Pace::Rate(0.0), Vec::new());
    assert_eq!(placed.orders, ORDERS);
    assert_eq!(answered.commands, ORDERS);
    assert!(answered.complaints.is_empty(), "{answered:?}");
    assert!(answered.answers + answered.unsent > ORDERS, "some are sent twice: {answered:?}");
    for record in &answers {
        let body = record.body.as_deref().expect("a body");
        let body = std::str::from_utf8(body).expect("text");
        let total = body.strip_prefix("{\"total\":").and_then(|b| b.strip_suffix('}'));
        let decimals = total.and_then(|t| t.split_once('.')).expect("a number").1;
        assert_eq!(decimals.len(), 3, "{body}");
    }
}

#[test]
fn a_closed_loop_waits_for_the_ends() {
    let ends = ["paid/Captured", "paid/Declined"].map(|e| e.parse().expect("an address"));
    let (placed, _, _) = check(Pace::Open { most: 50, ends: ends.to_vec() }, Vec::new());
    assert_eq!(placed.orders, ORDERS);
    assert!((ORDERS - 50..=ORDERS).contains(&placed.ended), "{placed:?}");
}

#[test]
fn services_wait_for_topics_that_not_all_of_the_cluster_knows() {
    let forgets = |api, nth| Fault { api, nth, trouble: Trouble::ForgetTopics };
    // Fewer than it takes to ask for every partition once: they hit those who wait.
    let mut faults: Vec<Fault> = (1..=8).map(|nth| forgets(Api::LIST_OFFSETS, nth)).collect();
    faults.push(forgets(Api::OFFSET_COMMIT, 1));
    let (placed, answered, _) = check(Pace::Rate(0.0), faults);
    assert_eq!((placed.orders, answered.commands), (ORDERS, ORDERS));
}

use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::drill::Drill;
use super::outcome::Outcome;
use super::proxy::{Fate, Notice, Proxy};
use super::request::{
    ADD_PARTITIONS, END_TRANSACTION, HEARTBEAT, OFFSET_COMMIT, PRODUCE, TRANSACTION_OFFSETS,
};
use super::rounds;
use crate::cast::Cast;

/// How long one request's fate may take to strike.
const STRIKE_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
const BACK_MAX: Duration = Duration::from_secs(20);
const RATE: f64 = 50.0;

/// Engines behind a proxy; everybody else reaches the broker directly.
fn behind_a_proxy(name: &str, seed: u64) -> (Proxy, Drill) {
    let proxy = Proxy::listen();
    let cluster = Cluster::proxied(proxy.port());
    proxy.open(&cluster.proxied_address());
    let mut drill = Drill::on(cluster, name, Cast::orders, seed);
    drill.world.behind(&format!("127.0.0.1:{}", proxy.port()));
    drill.begin(&["a"], RATE);
    (proxy, drill)
}

/// Waits for something while the engines are looked after; answers whether it came.
fn came(drill: &mut Drill, mut has_come: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !has_come() {
        if begun.elapsed() > STRIKE_MAX {
            return false;
        }
        drill.wait(LOOK);
    }
    true
}

/// Ends of transactions arrive in the middle of later ones.
fn late_ends(name: &str, notice: Notice, all: u32, seed: u64) -> (usize, Outcome) {
    let (proxy, mut drill) = behind_a_proxy(name, seed);
    for _ in 0..all {
        let before = proxy.verdicts().len();
        proxy.hold_back(notice);
        let struck = came(&mut drill, || proxy.verdicts().len() > before);
        assert!(struck, "no transaction followed the one whose end was held back");
    }
    let took = proxy.verdicts().iter().filter(|verdict| **verdict == 0).count();
    println!("{name}: {all} late ends, of which {took} ended a later transaction");
    (took, drill.close())
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn a_late_end_of_a_transaction_ends_no_later_one() {
    let all = rounds(20, 1_000);
    let (took, outcome) = late_ends("late ends", Notice::Doubt, all, 121);
    outcome.check(BACK_MAX);
    assert_eq!(took, 0, "a late end was taken for that of a later transaction");
}

/// The control: a client that cannot know of the doubt is harmed, and the books say so.
#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn a_late_end_that_nobody_can_know_of_is_caught_by_the_books() {
    let (took, outcome) = late_ends("late ends, unknown", Notice::None, 5, 122);
    println!("{outcome}\n{}", outcome.report);
    assert!(took > 0, "no late end has ended a later transaction: the fault is none");
    assert!(!outcome.report.balances(), "the books see nothing: {}", outcome.report);
}

/// Requests of each kind are late, lost, or lose their answers.
#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn single_requests_are_late_or_lost() {
    let kinds =
        [PRODUCE, ADD_PARTITIONS, TRANSACTION_OFFSETS, END_TRANSACTION, OFFSET_COMMIT, HEARTBEAT];
    let fates = [Fate::Delayed(Duration::from_secs(2)), Fate::Lost, Fate::Unanswered];
    let (proxy, mut drill) = behind_a_proxy("lost requests", 123);
    for _ in 0..rounds(1, 10) {
        for fate in fates {
            for kind in kinds {
                proxy.next(kind, fate);
                if !came(&mut drill, || proxy.has_struck()) {
                    drill.outcome.complaints.push(format!("no request {kind} came: {fate:?}"));
                }
            }
            drill.measure();
        }
    }
    drill.close().check(BACK_MAX);
}

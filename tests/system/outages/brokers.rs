use std::time::Duration;

use super::cluster::{Cluster, End};
use super::drill::Drill;
use super::{away, rounds};
use crate::cast::Cast;

/// How long after a lone broker's return all shards are at work at the latest.
const ONE_BACK_MAX: Duration = Duration::from_secs(10);
/// The same where two others stayed.
const OTHERS_BACK_MAX: Duration = Duration::from_secs(3);
const RATE: f64 = 50.0;
/// How many stays are open at any time, at that rate and with those services, at the least.
const OPEN_LEAST: u64 = 200;

/// Services that are never silent, so that whatever is undone for silence was undone wrongly.
pub fn stays(app: &str, _seed: u64) -> Cast {
    Cast::of(app, include_str!("saga.yaml"), include_str!("participants.yaml"))
}

/// The only broker ends again and again. About the last restart the engine is left to say all that
/// it has to say.
fn one_broker(name: &str, how: End, seed: u64) {
    let mut drill = Drill::on(Cluster::start(1), name, Cast::orders, seed);
    drill.begin(&["a"], RATE);
    let all = rounds(3, 30);
    for round in 1..=all {
        let said = drill.lines("a");
        let broker = drill.cluster.brokers().remove(0);
        drill.restart(&broker, how, away(round));
        if drill.outcome.never_back > 0 {
            break;
        }
        if round == all {
            drill.keep_lines("a", said);
        }
    }
    drill.close().check(ONE_BACK_MAX);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn the_only_broker_is_killed() {
    one_broker("one broker killed", End::Killed, 101);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn the_only_broker_is_stopped() {
    one_broker("one broker stopped", End::Stopped, 102);
}

/// Each of three brokers ends in turn, by both ways one after the other.
fn three_brokers(name: &str, nodes: &[&'static str], seed: u64) {
    let mut drill = Drill::on(Cluster::start(3), name, Cast::orders, seed);
    drill.begin(nodes, RATE);
    for round in 1..=rounds(1, 10) {
        for how in [End::Stopped, End::Killed] {
            for broker in drill.cluster.brokers() {
                drill.restart(&broker, how, away(round));
                if drill.outcome.never_back > 0 {
                    return drill.close().check(OTHERS_BACK_MAX);
                }
            }
        }
    }
    drill.close().check(OTHERS_BACK_MAX);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn each_of_three_brokers_ends_in_turn() {
    three_brokers("three brokers, one engine", &["a"], 103);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn each_of_three_brokers_ends_in_turn_under_two_engines() {
    three_brokers("three brokers, two engines", &["a", "b"], 104);
}

/// All brokers are away for longer than both attempts of a request take together.
#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn all_brokers_are_away() {
    let mut drill = Drill::on(Cluster::start(1), "all brokers away", stays, 105);
    drill.begin(&["a"], RATE);
    for _ in 0..rounds(1, 5) {
        let broker = drill.cluster.brokers().remove(0);
        drill.restart(&broker, End::Stopped, Duration::from_secs(40));
    }
    let outcome = drill.close();
    let silence = outcome.undone_for_silence();
    outcome.check(ONE_BACK_MAX);
    assert!(100 * silence <= OPEN_LEAST, "{silence} were undone though nobody was silent");
}

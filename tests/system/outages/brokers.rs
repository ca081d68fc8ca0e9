use std::time::Duration;

use super::cluster::{Cluster, End};
use super::drill::Drill;
use super::silence::Silence;
use super::{away, is_long, rounds};
use crate::cast::Cast;

/// How long after a lone broker's return all shards are at work at the latest.
const ONE_BACK_MAX: Duration = Duration::from_secs(10);
/// The same where two others stayed.
const OTHERS_BACK_MAX: Duration = Duration::from_secs(3);
const RATE: f64 = 50.0;
/// How long a request of a stay waits for its answer.
const WITHIN_MS: i64 = 10_000;
/// How many stays are open at any time, at that rate and with those services, at the least.
const OPEN_LEAST: u64 = 200;

/// Services that are never silent, so that whatever is undone for silence was undone wrongly.
pub fn stays(app: &str, _seed: u64) -> Cast {
    Cast::of(app, include_str!("saga.yaml"), include_str!("participants.yaml"))
}

/// The only broker ends again and again, by both ways in turn. About the last restart of each kind
/// the engine is left to say all that it has to say.
#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn the_only_broker_is_killed_and_stopped() {
    let mut drill = Drill::on(Cluster::start(1), "one broker", Cast::orders, 101);
    drill.begin(&["a"], RATE);
    let all = rounds(3, 30);
    for round in 1..=all {
        for how in [End::Killed, End::Stopped] {
            let said = drill.lines("a");
            let broker = drill.cluster.brokers().remove(0);
            drill.restart(&broker, how, away(round));
            if drill.outcome.never_back > 0 {
                return drill.close().check(ONE_BACK_MAX);
            }
            if round == all {
                drill.keep_lines("a", said);
            }
        }
    }
    drill.close().check(ONE_BACK_MAX);
}

/// Each of three brokers ends in turn.
fn three_brokers(name: &str, nodes: &[&'static str], ends: &[End], seed: u64) {
    let mut drill = Drill::on(Cluster::start(3), name, Cast::orders, seed);
    drill.begin(nodes, RATE);
    for round in 1..=rounds(1, 10) {
        for how in ends {
            for broker in drill.cluster.brokers() {
                drill.restart(&broker, *how, away(round));
                if drill.outcome.never_back > 0 {
                    return drill.close().check(OTHERS_BACK_MAX);
                }
            }
        }
    }
    drill.close().check(OTHERS_BACK_MAX);
}

/// The ways in which brokers end: one in a short run, both in a long one.
fn ends(short: End) -> Vec<End> {
    if is_long() { vec![End::Stopped, End::Killed] } else { vec![short] }
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn each_of_three_brokers_ends_in_turn() {
    three_brokers("three brokers, one engine", &["a"], &ends(End::Killed), 103);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn each_of_three_brokers_ends_in_turn_under_two_engines() {
    three_brokers("three brokers, two engines", &["a", "b"], &ends(End::Stopped), 104);
}

/// All brokers are away for longer than both attempts of a request take together; in a long run
/// also for longer than a call may hang before the watchdog would end the process.
#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn all_brokers_are_away() {
    let mut drill = Drill::on(Cluster::start(1), "all brokers away", stays, 105);
    drill.begin(&["a"], RATE);
    for round in 0..rounds(1, 6) {
        let broker = drill.cluster.brokers().remove(0);
        let away_s = if round % 2 == 0 { 40 } else { 75 };
        drill.restart(&broker, End::Stopped, Duration::from_secs(away_s));
    }
    let (mut outcome, silence) = drill.close_with(|world| Silence::of(world, WITHIN_MS));
    println!("{silence:?}");
    if 100 * silence.answered as u64 > OPEN_LEAST {
        let words =
            format!("stays were undone for silence although services answered: {silence:?}");
        outcome.complaints.push(words);
    }
    outcome.check(ONE_BACK_MAX);
}

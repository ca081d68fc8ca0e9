use std::fs;
use std::time::{Duration, Instant};

use crate::engine::last_words;
use crate::watch::Watch;
use crate::world::{AT_LEAST_ONCE, EXACTLY_ONCE, World, check};

/// A dead node's session and its last transaction must end first.
const TAKE_OVER_MAX: Duration = Duration::from_secs(60);

/// Two nodes share the shards; one is killed, the other takes over, a third joins. Records of a
/// third of the sagas are seen between the second's first shard and the kill.
fn two_nodes(mut world: World, sagas: u32, rate: f64) {
    let mut pulse = world.pulse();
    world.serve();
    world.order(sagas.into(), rate);
    let first = world.engine("a");
    let second = world.engine("b");
    for node in ["a", "b"] {
        until_takes(&world, &mut pulse, node, 0);
    }
    let seen = pulse.seen;
    pulse.until_seen(seen + u64::from(sagas) / 3);
    let before = taken(&world, "b");
    first.kill();
    until_takes(&world, &mut pulse, "b", before);
    let third = world.engine("c");
    until_takes(&world, &mut pulse, "c", 0);
    world.settle(sagas.into());
    assert!(second.terminate().success(), "SIGTERM is a clean end");
    assert!(third.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas.into(), &world.log("b"));
    assert_eq!(report.tally.dead_letters, 0, "{report}");
    println!("{report}");
}

/// Waits until a node has taken another shard.
fn until_takes(world: &World, pulse: &mut Watch, node: &str, before: usize) {
    let begun = Instant::now();
    while taken(world, node) <= before {
        pulse.news();
        let said = || ["a", "b", "c"].map(|node| last_words(&world.log(node))).join("\n\n");
        assert!(begun.elapsed() < TAKE_OVER_MAX, "{node} takes no shard:\n{}", said());
    }
}

/// How many shards a node has taken so far, by its own words.
fn taken(world: &World, node: &str) -> usize {
    let log = fs::read_to_string(world.log(node)).unwrap_or_default();
    let lines = log.lines().filter(|line| line.contains("shards.restored"));
    lines.map(|line| listed(said(line, "shards"))).sum()
}

/// What a line says of a field.
fn said<'l>(line: &'l str, field: &str) -> &'l str {
    let (_, rest) = line.split_once(&format!("{field}=\"")).expect("it says so");
    rest.split('"').next().expect("it ends")
}

/// How many shards a list such as `0-3,7` names.
fn listed(shards: &str) -> usize {
    let size = |run: &str| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let number = |text: &str| text.parse::<usize>().expect("a shard");
        number(last) + 1 - number(first)
    };
    shards.split(',').map(size).sum()
}

#[test]
fn nodes_share_shards_and_take_over() {
    two_nodes(World::hermetic(EXACTLY_ONCE, 20), 240, 20.0);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn nodes_share_shards_and_take_over_on_kafka() {
    two_nodes(World::real("nodes", EXACTLY_ONCE, 21), 1_200, 40.0);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn nodes_share_shards_and_take_over_on_kafka_at_least_once() {
    two_nodes(World::real("nodes-alo", AT_LEAST_ONCE, 22), 1_200, 40.0);
}

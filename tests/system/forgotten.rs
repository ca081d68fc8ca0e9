//! Transactions whose end the cluster confirms and then forgets (KAFKA-20734): the engine goes on,
//! and nothing that it said is lost.

use std::time::Duration;

use segue::books::Rule;
use segue::devbroker::{Api, Fault, Options, Trouble};

use crate::cast::Cast;
use crate::watch::{PATIENCE, until};
use crate::world::{EXACTLY_ONCE, World, check};

const SAGAS: u64 = 150;
/// Slow enough that transactions are small and touch other partitions than the one before.
const RATE: f64 = 10.0;
/// The ends that are forgotten; some commits lie between a restart and the next.
const FORGOTTEN: [u64; 3] = [4, 8, 12];

fn end(nth: u64, trouble: Trouble) -> Fault {
    Fault { api: Api::END_TXN, nth, trouble }
}

/// Some ends that are forgotten, and what befalls the end after each.
fn each(forgotten: &[u64], then: Trouble) -> Vec<Fault> {
    let both = |nth: &u64| [end(*nth, Trouble::ForgetMarkers), end(nth + 1, then)];
    forgotten.iter().flat_map(both).collect()
}

/// A world whose broker has these faults.
fn world(faults: Vec<Fault>, seed: u64) -> World {
    let options = Options { faults, ..Options::default() };
    World::hermetic_with(options, Cast::orders, EXACTLY_ONCE, seed)
}

/// As by a broker that stops and is away for long: the next transaction is given up, and whoever
/// follows aborts it, with what of the forgotten ones stands beside it. There are several of these,
/// so that some of what they wrote hangs in partitions that the next one does not touch.
#[test]
fn what_was_confirmed_and_forgotten_is_decided_again() {
    let forgotten = (5..=9).map(|nth| end(nth, Trouble::ForgetMarkers));
    // For longer than a commit is waited for.
    let late = end(10, Trouble::DelayRequest(Duration::from_secs(40)));
    let mut world = world(forgotten.chain([late]).collect(), 91);
    world.serve();
    let engine = world.engine("a");
    world.order(SAGAS, RATE);
    world.settle(SAGAS);
    assert_eq!(world.faults_fired(), 6);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    check(&world.close(), SAGAS, &world.log("a"));
}

/// As by partitions that have no leader for a moment: what is committed next ends it.
#[test]
fn what_was_confirmed_and_forgotten_counts_while_the_engine_goes_on() {
    let mut world = world(each(&FORGOTTEN, Trouble::LoseAnswer), 92);
    world.serve();
    let engine = world.engine("a");
    world.order(SAGAS, RATE);
    world.settle(SAGAS);
    assert_eq!(world.faults_fired(), 2 * FORGOTTEN.len());
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    check(&world.close(), SAGAS, &world.log("a"));
}

/// An engine that is killed as well does not know what was confirmed. It may say something again
/// with the same id, but what it has said is not lost.
#[test]
fn what_was_confirmed_and_forgotten_is_not_lost_with_the_engine() {
    let late = Trouble::DelayRequest(Duration::from_secs(5));
    let mut world = world(each(&FORGOTTEN, late), 93);
    world.serve();
    let mut engine = world.engine("a");
    world.order(SAGAS, RATE);
    for fired in 1..=FORGOTTEN.len() {
        until("a forgotten end", PATIENCE, || (world.faults_fired() >= 2 * fired).then_some(()));
        engine.kill();
        engine = world.engine("a");
    }
    world.watch().until_ended(SAGAS);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    assert!(report.violations.iter().all(|v| v.rule == Rule::Once), "{report}");
    assert_eq!(report.tally.completed + report.tally.compensated_all(), SAGAS, "{report}");
}

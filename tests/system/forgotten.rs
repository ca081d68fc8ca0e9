//! Transactions whose end the cluster confirms and then forgets (KAFKA-20734): the engine goes on,
//! and nothing that it said is lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use segue::books::Rule;
use segue::devbroker::{Api, Fault, Options, Trouble};

use crate::cast::Cast;
use crate::watch::{PATIENCE, until};
use crate::world::{EXACTLY_ONCE, World, check};

const SAGAS: u64 = 150;
/// Slow enough that transactions are small and touch other partitions than the one before.
const RATE: f64 = 10.0;
/// The ends that are forgotten; so far apart that none is the end of what takes the last one back.
const FORGOTTEN: [u64; 3] = [4, 16, 28];

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

/// Places orders until so many faults have fired, and on until there are ends enough behind the
/// last of them for every partition; answers how many.
fn settled(world: &World, faults: usize) -> u64 {
    let enough = Arc::default();
    let orders = world.orders(RATE, &enough);
    let mut watch = world.watch();
    until("the faults", PATIENCE, || {
        watch.news();
        (world.faults_fired() >= faults).then_some(())
    });
    watch.until_more_ended(SAGAS);
    enough.store(true, Ordering::Relaxed);
    let sagas = orders.join().expect("orders");
    world.settle(sagas);
    assert_eq!(world.faults_fired(), faults);
    sagas
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
    let sagas = settled(&world, 6);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    check(&world.close(), sagas, &world.log("a"));
}

/// As by a broker that stops and is back at once; nothing is said in the meantime.
#[test]
fn what_was_confirmed_and_forgotten_is_noticed_when_the_broker_goes() {
    let faults = FORGOTTEN.map(|nth| end(nth, Trouble::ForgetMarkersAndClose));
    let mut world = world(faults.to_vec(), 94);
    world.serve();
    let engine = world.engine("a");
    let sagas = settled(&world, FORGOTTEN.len());
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    check(&world.close(), sagas, &world.log("a"));
}

/// An engine that is killed as well does not know what was confirmed. It may say something again
/// with the same id, and write again that it did, but what it has said is not lost.
#[test]
fn what_was_confirmed_and_forgotten_is_not_lost_with_the_engine() {
    let late = Trouble::DelayRequest(Duration::from_secs(5));
    let mut world = world(each(&FORGOTTEN, late), 93);
    world.serve();
    let mut engine = world.engine("a");
    let enough = Arc::default();
    let orders = world.orders(RATE, &enough);
    for fired in 1..=FORGOTTEN.len() {
        until("a forgotten end", PATIENCE, || (world.faults_fired() >= 2 * fired).then_some(()));
        engine.kill();
        engine = world.engine("a");
    }
    enough.store(true, Ordering::Relaxed);
    let sagas = orders.join().expect("orders");
    world.watch().until_ended(sagas);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    let again = [Rule::Once, Rule::Ended, Rule::AfterEnd];
    assert!(report.violations.iter().all(|v| again.contains(&v.rule)), "{report}");
    assert_eq!(report.tally.completed + report.tally.compensated_all(), sagas, "{report}");
}

//! All sagas that ship, at once: the whole language on a running system.

use crate::cast::Cast;
use crate::world::{EXACTLY_ONCE, World, check};

/// What a saga leaves on users' topics, at least.
const RECORDS_PER_SAGA: u64 = 7;

/// Runs sagas of all six kinds to their ends while the engine is killed, and checks the books.
fn all_six(mut world: World, sagas: u64, rate: f64, kills: u64) {
    let mut pulse = world.pulse();
    world.serve();
    world.order(sagas, rate);
    let mut engine = world.engine("a");
    for kill in 1..=kills {
        pulse.until_seen(sagas * RECORDS_PER_SAGA * kill / (kills + 1));
        engine.kill();
        engine = world.engine("a");
    }
    world.settle(sagas);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas, &world.log("a"));
    let tally = &report.tally;
    println!("{report}");
    assert!(tally.children > 0 && tally.locks > 0 && tally.undone > 0, "{report}");
    assert!(tally.again > 0 && tally.late > 0, "{report}");
}

#[test]
fn the_books_of_all_six_balance() {
    all_six(World::hermetic_of(Cast::shipped, EXACTLY_ONCE, 61), 90, 20.0, 2);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn the_books_of_all_six_balance_on_kafka() {
    all_six(World::real_of("six", Cast::shipped, EXACTLY_ONCE, 62), 3_000, 100.0, 4);
}

use crate::world::{AT_LEAST_ONCE, EXACTLY_ONCE, World, check};

/// Runs sagas to their ends, undisturbed, and checks the books.
pub fn books(mut world: World, sagas: u32, rate: f64) {
    world.serve();
    world.order(sagas.into(), rate);
    let engine = world.engine("a");
    world.settle(sagas.into());
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas.into(), &world.log("a"));
    assert_eq!(report.tally.repeated, 0, "nothing was killed: {report}");
    assert_eq!(report.tally.dead_letters, 0, "{report}");
    let declined = report.tally.compensated.keys().any(|reason| reason.contains("card declined"));
    assert!(declined, "a fifth of the cards is declined: {report}");
}

#[test]
fn the_books_balance() {
    books(World::hermetic(EXACTLY_ONCE, 1), 300, 100.0);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn the_books_balance_on_kafka() {
    books(World::real("books", EXACTLY_ONCE, 2), 2_000, 200.0);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn the_books_balance_on_kafka_at_least_once() {
    books(World::real("books-alo", AT_LEAST_ONCE, 3), 2_000, 200.0);
}

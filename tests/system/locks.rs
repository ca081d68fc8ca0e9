//! Locks on a running system: who holds them is shown by the tokens that participants see.

use std::collections::BTreeMap;

use segue::message::{header, read_json};

use crate::cast::Cast;
use crate::world::{EXACTLY_ONCE, World, check};

const SAGAS: u64 = 64;

fn yards(app: &str, _seed: u64) -> Cast {
    Cast::of(app, include_str!("locks.yaml"), include_str!("locks-participants.yaml"))
}

/// 64 sagas want 4 yards, two at a time, while the engine is killed: all of them end, none of them
/// meets another one in a yard.
fn nobody_meets(mut world: World) {
    let mut pulse = world.pulse();
    world.serve();
    // All at once: nearly every one waits for others.
    world.order(SAGAS, 0.0);
    let engine = world.engine("a");
    pulse.until_seen(3 * SAGAS);
    engine.kill();
    let engine = world.engine("a");
    world.settle(SAGAS);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    println!("{report}");
    check(&report, SAGAS, &world.log("a"));
    assert_eq!(report.tally.stuck, 0, "{report}");
    let reasons: Vec<_> = report.tally.compensated.keys().collect();
    assert!(reasons.iter().all(|reason| reason.contains("nobody is in")), "{reasons:?}");
    assert!(report.tally.locks > 2 * SAGAS, "those that go back take theirs again: {report}");
    one_after_the_other(&world);
}

/// In each yard the tokens grow, and one token is one saga's.
fn one_after_the_other(world: &World) {
    let mut yards: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    world.read(&[world.topic("yards.commands")], |record| {
        let body = read_json(record.body.as_deref().unwrap_or_default()).expect("JSON");
        let token = body["fence"].as_u64().expect("a token");
        let who = record.headers.text(header::CORRELATION).expect("an instance").to_owned();
        yards.entry(body["yard"].to_string()).or_default().push((token, who));
    });
    assert_eq!(yards.len(), 4);
    for (yard, seen) in yards {
        for pair in seen.windows(2) {
            let [(before, other), (token, who)] = pair else { continue };
            assert!(before <= token, "yard {yard}: {who} with {token} after {other} with {before}");
            assert!(before != token || who == other, "yard {yard}: {token} of {who} and {other}");
        }
    }
}

#[test]
fn nobody_meets_in_a_yard() {
    nobody_meets(World::hermetic_of(yards, EXACTLY_ONCE, 71));
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn nobody_meets_in_a_yard_on_kafka() {
    nobody_meets(World::real_of("yards", yards, EXACTLY_ONCE, 72));
}

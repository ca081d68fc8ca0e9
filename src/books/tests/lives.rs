//! Keys that live again after all their lives were forgotten.

use super::*;
use crate::definition::parse;
use crate::format::{open, seal, wire};
use crate::message::{CommandId, LifeId, Timestamp, header};

/// What the topics hold when 20 orders come, are forgotten, and 20 others come under their keys.
fn again() -> Vec<Rec> {
    let text = include_str!("../../../sagas/order-fulfilment/saga.yaml");
    let text = text.replace("within: 30m", "late: 45m\nwithin: 30m");
    let definition = parse("saga.yaml", &text).unwrap_or_else(|e| panic!("\n{e}"));
    let mut world = World::new(definition, TROUBLE, 11);
    for n in 1..=20 {
        world.order(n);
        world.order_at(n, Timestamp(3 * 60 * 60 * 1000 + n), "placed-again");
    }
    world.run();
    world.log
}

/// Takes the mark of its life from a record.
fn unmarked(mut rec: Rec) -> Rec {
    if rec.topic.as_str() == "shop.history" {
        let entry: wire::Entry = open(&rec.body).expect("a history entry");
        rec.body = seal(&wire::Entry { mark: 0, ..entry }).into();
    }
    for name in [header::ID, header::COMMAND] {
        let Ok(id) = rec.header(name).parse::<CommandId>() else {
            continue;
        };
        let id = CommandId { life: LifeId::unmarked(id.life.number), ..id };
        rec.set(name, &id.to_string());
        if rec.headers.text(header::IDEMPOTENCY_KEY).is_some() {
            rec.set(header::IDEMPOTENCY_KEY, &id.idempotency_key());
        }
    }
    rec
}

#[test]
fn a_key_may_live_again_after_it_was_forgotten() {
    let log = again();
    let report = audited(&log, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    let tally = &report.tally;
    assert_eq!((tally.started, tally.completed + tally.compensated_all()), (40, 40), "{tally}");
    assert!(tally.compensated_all() > 4, "{tally}");
    let report = audited(&without_history(&log), Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
}

#[test]
fn command_ids_that_come_again_are_found() {
    let log: Vec<Rec> = again().into_iter().map(unmarked).collect();
    let report = audited(&log, Delivery::ExactlyOnce);
    let repeated = report.violations.iter().filter(|v| v.rule == Rule::Once).count();
    assert!(repeated >= 20, "{report}");
}

//! What people do to sagas that wait for them.

use serde_json::json;

use super::*;
use crate::engine::Verb;
use crate::format::seal;
use crate::message::Timestamp;
use world::right;

/// An order whose end tells of a letter that somebody may leave out.
const LETTER: &str = r#"
saga: order
version: 1
start: { on: shop.orders/OrderPlaced, key: event.order_id }
events: { post.events/*: { by: command-id } }
data: { order_id: event.order_id }
steps:
  - step: ship
    pivot: true
    command: post.commands/Ship
    with: { order_id: "${data.order_id}" }
    done: post.events/Shipped
  - step: write
    command: post.commands/Write
    with: { order_id: "${data.order_id}" }
    done: post.events/Written
    set: { letter: event.letter }
    failed: { on: post.events/NoPaper, then: park }
ends:
  completed: { emit: shop.ends/Completed, with: { letter: "${data.letter}" } }
"#;

const NO_PAPER: &str = "
participants:
  post.commands/Ship: { answers: [{ event: post.events/Shipped }] }
  post.commands/Write: { answers: [{ event: post.events/NoPaper, refusal: true }] }
";

#[test]
fn an_end_that_cannot_tell_of_what_was_left_out_is_no_false_one() {
    let mut world = World::new(right(LETTER), NO_PAPER, 1);
    world.order(1);
    world.skip("o-1", "write", Timestamp(60_000));
    world.run();
    let report = audited_by(&[right(LETTER)], &world.log, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert_eq!((report.tally.completed, report.tally.dead_letters), (1, 1), "{report}");
}

const PAPER: &str = "
participants:
  post.commands/Ship: { answers: [{ event: post.events/Shipped }] }
  post.commands/Write:
    answers: [{ event: post.events/Written, body: { letter: dear } }]
";

/// An order that somebody lets stand still for a minute.
fn paused() -> World {
    let mut world = World::new(right(LETTER), PAPER, 1);
    world.order(1);
    world.act("o-1", Verb::Pause, "", Timestamp(2));
    world.act("o-1", Verb::Pause, "", Timestamp(3));
    world.act("o-1", Verb::Resume, "", Timestamp(60_000));
    world.run();
    world
}

fn notes(log: &[Rec]) -> Vec<String> {
    let told = log.iter().filter(|rec| rec.topic.as_str() == "shop.history");
    told.flat_map(|rec| rec.entry().notes).map(|note| note.kind).collect()
}

#[test]
fn a_paused_order_balances_and_tells_of_what_was_not_done() {
    let world = paused();
    let report = audited_by(&[right(LETTER)], &world.log, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert_eq!(report.tally.completed, 1, "{report}");
    let notes = notes(&world.log);
    for kind in ["paused", "refused", "held", "resumed"] {
        assert!(notes.iter().any(|note| note == kind), "{kind}: {notes:?}");
    }
}

#[test]
fn nothing_may_happen_during_a_pause() {
    let mut log = paused().log;
    for rec in log.iter_mut().filter(|rec| rec.topic.as_str() == "shop.history") {
        let mut entry = rec.entry();
        entry.notes.retain(|note| note.kind != "resumed");
        rec.body = seal(&entry).into();
    }
    let report = audited_by(&[right(LETTER)], &log, Delivery::ExactlyOnce);
    let broken = report.violations.iter().any(|violation| violation.rule == Rule::Paused);
    assert!(broken, "{report}");
}

#[test]
fn what_a_person_has_set_may_be_another_value_than_the_start_said() {
    let set = |fields: serde_json::Value| match fields {
        serde_json::Value::Object(fields) => Verb::SetData(fields),
        other => panic!("{other}"),
    };
    let mut world = World::new(right(LETTER), PAPER, 1);
    world.order(1);
    world.act("o-1", set(json!({"order_id": "o-2"})), "", Timestamp(2));
    world.run();
    let report = audited_by(&[right(LETTER)], &world.log, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert!(notes(&world.log).iter().any(|note| note == "data-set"), "it was set");
}

#[test]
fn an_order_that_stands_still_to_the_end_is_no_broken_promise() {
    let mut world = World::new(right(LETTER), PAPER, 1);
    world.order(1);
    world.act("o-1", Verb::Pause, "", Timestamp(2));
    world.run();
    let report = audited_by(&[right(LETTER)], &world.log, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert_eq!((report.tally.completed, report.tally.open), (0, 1), "{report}");
}

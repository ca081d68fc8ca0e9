//! What people do to sagas that wait for them.

use super::*;
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

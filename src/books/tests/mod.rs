mod doctor;
mod doctored;
mod doctored_language;
mod lives;
mod people;
mod shipped;
mod world;

use std::sync::LazyLock;

use super::*;
use crate::definition::Definition;
use crate::message::{Offset, Topic};
use world::{APP, Rec, World, order};

/// Services with every trouble: refusals, silence, duplicates, and answers that come too late.
const TROUBLE: &str = r#"
participants:
  inventory.commands/ReserveStock:
    delay: 10ms..60ms
    duplicate: 10%
    silent: 5%
    late: { share: 10%, by: 3m..4m }
    answers:
      - { event: inventory.events/StockReserved, weight: 9, body: { reservation_id: r } }
      - { event: inventory.events/StockRejected, weight: 1, refusal: true, body: { why: gone } }
  inventory.commands/ReleaseStock:
    delay: 10ms..40ms
    duplicate: 10%
    silent: 10%
    answers: [{ event: inventory.events/StockReleased }]
  payments.commands/ChargeCard:
    delay: 20ms..80ms
    duplicate: 10%
    late: { share: 10%, by: 10m..12m }
    answers:
      - { event: payments.events/PaymentCaptured, weight: 8, body: { payment_id: "${answer.id}" } }
      - { event: payments.events/PaymentDeclined, weight: 2, refusal: true, body: { why: broke } }
  payments.commands/RefundPayment:
    delay: 20ms..80ms
    echo: false
    answers: [{ event: payments.events/PaymentRefunded, body: { order_id: "${key}" } }]
  shipping.commands/CreateShipment:
    delay: 10ms..40ms
    answers:
      - { event: shipping.events/ShipmentCreated, weight: 7 }
      - { event: shipping.events/ShipmentRefused, weight: 3, body: { why: no carrier } }
"#;

/// What the topics hold after 150 orders in trouble.
static LOG: LazyLock<Vec<Rec>> = LazyLock::new(|| {
    let mut world = World::new(order(), TROUBLE, 12);
    for n in 1..=150 {
        world.order(n);
    }
    world.run();
    world.log
});

fn options(delivery: Delivery) -> Options {
    Options { app: APP.to_owned(), delivery, ended: true }
}

fn audited(log: &[Rec], delivery: Delivery) -> Report {
    audited_by(&[order()], log, delivery)
}

fn audited_by(definitions: &[Definition], log: &[Rec], delivery: Delivery) -> Report {
    let mut books = Books::new(definitions, options(delivery));
    for rec in log {
        books.read(&Record {
            topic: &rec.topic,
            partition: rec.partition,
            offset: Offset(rec.offset),
            key: Some(rec.key.as_bytes()),
            headers: &rec.headers,
            body: Some(&rec.body),
            timestamp: rec.timestamp,
        });
    }
    books.close()
}

#[test]
fn right_books_balance() {
    let report = audited(&LOG, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    let tally = &report.tally;
    assert_eq!(tally.started, 150);
    assert_eq!(tally.completed + tally.compensated_all(), 150);
    assert!(tally.compensated.len() >= 4, "{tally}");
    assert!(tally.late >= 10 && tally.again > 50 && tally.undone > 50, "{tally}");
    assert_eq!((tally.stuck, tally.open, tally.repeated, tally.ignored), (0, 0, 0, 0));
}

#[test]
fn topics_may_be_read_in_any_order() {
    let mut log = LOG.clone();
    log.sort_by_key(|rec| (rec.topic.clone(), rec.partition, rec.offset));
    let report = audited(&log, Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert_eq!(report.tally, audited(&LOG, Delivery::ExactlyOnce).tally);
}

#[test]
fn books_balance_without_the_history() {
    let report = audited(&without_history(&LOG), Delivery::ExactlyOnce);
    assert!(report.balances(), "{report}");
    assert_eq!(report.tally.started, 150);
}

fn without_history(log: &[Rec]) -> Vec<Rec> {
    let history = Topic::new("shop.history").expect("a topic");
    log.iter().filter(|rec| rec.topic != history).cloned().collect()
}

#[test]
fn the_table_is_in_plain_words() {
    let mut tally = Tally { started: 5, completed: 3, commands: 14, ..Tally::default() };
    tally.compensate("rejected: card declined");
    tally.compensate("rejected: card declined");
    let report = Report { tally, ..Report::default() };
    let expected = "\
started                                              5
completed                                            3
compensated                                          2
  rejected: card declined                            2
stuck                                                0
still under way                                      0
commands sent                                       14
  of them again, for want of an answer               0
  repeated under the same id                         0
steps undone                                         0
answers                                              0
  of them late                                       0
put aside as dead letters                            0
the books balance";
    assert_eq!(report.to_string(), expected);
}

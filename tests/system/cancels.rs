use bytes::Bytes;
use segue::message::{Headers, Outgoing, header};

use crate::watch::{PATIENCE, until};
use crate::world::{EXACTLY_ONCE, World, check_ended};

const SAGAS: u64 = 40;
/// Every so-manieth order is called off.
const EVERY: u64 = 3;

fn cancel(world: &World, order: &str) -> Outgoing {
    let mut headers = Headers::default();
    headers.push(header::ID, format!("cancel-{order}"));
    headers.push(header::TYPE, "OrderCancelled");
    let body = format!(r#"{{ "order_id": "{order}", "by": "customer" }}"#);
    let body = Bytes::from(body.into_bytes());
    Outgoing { topic: world.topic("shop.orders"), key: order.to_owned(), headers, body }
}

#[test]
fn orders_that_are_called_off_go_back() {
    let mut world = World::hermetic(EXACTLY_ONCE, 51);
    let mut watch = world.watch();
    let engine = world.engine("a");
    world.order(SAGAS, 0.0);
    let mut called_off = Vec::new();
    // Nobody answers yet: each of them is called off while its goods are asked for.
    until("orders to call off", PATIENCE, || {
        for record in watch.news() {
            let is_first = record.headers.text(header::TYPE) == Some("ReserveStock");
            let key = String::from_utf8(record.key.unwrap_or_default().to_vec()).expect("text");
            let number: Option<u64> = key.strip_prefix("o-").and_then(|n| n.parse().ok());
            if is_first && number.is_some_and(|n| n % EVERY == 0) {
                called_off.push(cancel(&world, &key));
            }
        }
        (called_off.len() as u64 >= SAGAS / EVERY).then_some(())
    });
    world.send(&called_off);
    world.serve();
    world.settle(SAGAS);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    // On a slow machine nobody was answered before the patience with all of them ended.
    check_ended(&report, SAGAS, &world.log("a"));
    let back = report.tally.compensated.keys().any(|reason| reason.contains("cancel"));
    assert!(back, "nothing went back for a customer: {report}");
}

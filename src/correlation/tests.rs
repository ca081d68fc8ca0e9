use serde_json::json;

use super::*;
use crate::definition::{Catalog, parse};
use crate::message::{Event, Headers, Offset, Origin, Timestamp, Topic};

const OFFER: &str = r#"
saga: offer
version: 1
start: { on: shop.offers/OfferMade, key: event.offer }
events: { "*": {} }
within: 3d
steps:
  - step: check
    command: credit.commands/Check
    done: credit.events/Checked
    unknown: probe
    probe:
      command: credit.commands/Look
      done: credit.events/Found
      absent: { on: credit.events/Absent, where: event.sure }
    compensate: { command: credit.commands/Forget, done: credit.events/Forgotten }
  - step: await-answer
    wait: [ offers.events/Accepted, shop.payments/Captured ]
    failed: offers.events/Declined
    within: 1d
"#;

const PAYMENT: &str = r"
saga: payment
version: 1
start: { by: parent }
steps:
  - step: capture
    pivot: true
    command: shop.commands/Capture
    done: shop.payments/Captured
";

fn index() -> Index {
    let offer = OFFER.replace(
        "\"*\": {}",
        "offers.events/*: { key: event.offer }, \
        shop.payments/*: { key: event.offer }, credit.events/*: { key: event.offer }",
    );
    let mut catalog = Catalog::default();
    for text in [offer.as_str(), PAYMENT] {
        let definition = parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
        catalog.add(definition).expect("each name once");
    }
    Index::new(&catalog)
}

fn heading(address: &str, command: Option<&str>) -> Heading {
    Heading {
        address: address.parse().expect(address),
        id: "e-1".to_owned(),
        key: None,
        command: command.map(|c| c.parse().expect(c)),
        trace_parent: None,
        data: None,
    }
}

/// The targets of an event about offer `o-1`, and whether they were known without its body.
fn check(address: &str, command: Option<&str>, expected: &[&str], is_direct: bool) {
    let (index, heading) = (index(), heading(address, command));
    let event = Event {
        address: heading.address.clone(),
        id: heading.id.clone(),
        key: None,
        body: json!({ "offer": "o-1", "sure": true }),
        command: command.map(str::to_owned),
        trace_parent: None,
        timestamp: Timestamp(0),
    };
    let route = index.route(&heading, &event, Timestamp(0));
    let targets: Vec<String> = route.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, expected, "{address} {:?}", route.complaints);
    let direct = index.direct(&heading).map(|instance| vec![instance.to_string()]);
    assert_eq!(direct, is_direct.then_some(targets), "{address}");
}

#[test]
fn answers_to_probes_and_compensations_find_their_instance() {
    for kind in ["Checked", "Found", "Absent", "Forgotten"] {
        check(&format!("credit.events/{kind}"), None, &["offer/o-1"], false);
    }
}

#[test]
fn a_fact_that_is_waited_for_finds_an_instance_that_need_not_live_yet() {
    check("offers.events/Accepted", None, &["offer/o-1"], false);
    check("offers.events/Declined", None, &["offer/o-1"], false);
    check("offers.events/Other", None, &[], false);
}

#[test]
fn an_answer_that_names_its_command_needs_no_body() {
    let id = "offer/o-9/1/check/1";
    check("credit.events/Checked", Some(id), &["offer/o-9"], true);
    check("offers.events/Accepted", Some(id), &["offer/o-9"], true);
}

#[test]
fn an_answer_to_one_saga_is_a_fact_for_another() {
    let id = "payment/p-1/1/capture/1";
    check("shop.payments/Captured", Some(id), &["offer/o-1", "payment/p-1"], false);
}

#[test]
fn a_saga_that_only_a_parent_starts_reads_no_start() {
    assert!(!index().reads(&"shop.orders/OrderPlaced".parse().expect("an address")));
    assert!(index().reads(&"shop.payments/Captured".parse().expect("an address")));
}

fn record(headers: &[(&str, &str)], body: &str, max: usize) -> Result<Heading, Error> {
    let origin = Origin {
        topic: Topic::new("shop.offers").expect("a topic"),
        partition: 0,
        offset: Offset(1),
    };
    let mut all = Headers::default();
    for (name, value) in headers {
        all.push(name, (*value).to_owned());
    }
    super::heading(&origin, Some(b"k"), &all, Some(body.as_bytes()), max)
}

#[test]
fn an_event_is_as_large_as_its_key_headers_and_body() {
    let headers = [("type", "OfferMade"), ("x", "0123456789")];
    let bytes = 1 + 4 + 9 + 1 + 10 + 2;
    assert!(record(&headers, "{}", bytes).is_ok());
    let refused = record(&headers, "{}", bytes - 1).expect_err("it is too large");
    let words = "it has 27 bytes; at most 26 are taken (`limits.event-bytes-max`)";
    assert_eq!(refused.to_string(), words);
}

#[test]
fn of_long_ids_a_hash_is_remembered_and_of_long_trace_contexts_nothing() {
    let read = |id: &str, trace: &str| {
        let headers = [("ce_type", "OfferMade"), ("ce_id", id), ("traceparent", trace)];
        record(&headers, "{}", 10_000).expect("an event")
    };
    let (id, trace) = ("i".repeat(200), "t".repeat(128));
    let heading = read(&id, &trace);
    assert_eq!((heading.id, heading.trace_parent), (id.clone(), Some(trace.clone())));
    let (one, other) = (read(&format!("{id}1"), &format!("{trace}t")), read(&format!("{id}2"), ""));
    assert!(one.id.starts_with("blake3:") && one.id.len() < 100, "{}", one.id);
    assert_ne!(one.id, other.id);
    assert_eq!(one.id, read(&format!("{id}1"), "").id);
    assert_eq!(one.trace_parent, None);
}

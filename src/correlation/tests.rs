use serde_json::json;

use super::*;
use crate::definition::{Catalog, parse};
use crate::message::{Event, EventSource, Headers, Offset, Origin, Timestamp, Topic};

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
        source: EventSource::Unnamed,
        id: "e-1".to_owned(),
        key: RecordKey::None,
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
        source: heading.source.clone(),
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
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    read(&headers, Some(body.as_bytes()), max)
}

fn read(headers: &[(&str, &[u8])], body: Option<&[u8]>, max: usize) -> Result<Heading, Error> {
    let origin = Origin {
        topic: Topic::new("shop.offers").expect("a topic"),
        partition: 0,
        offset: Offset(1),
    };
    let mut all = Headers::default();
    for (name, value) in headers {
        all.push(name, value.to_vec());
    }
    super::heading(&origin, Some(b"k"), &all, body, max)
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

/// What is read of an event with these headers, and `ce_type` where none of them is a type.
fn said(headers: &[(&str, &[u8])]) -> Heading {
    let mut all = vec![("ce_type", &b"OfferMade"[..])];
    all.extend(headers);
    read(&all, Some(b"{}"), 10_000).unwrap_or_else(|e| panic!("{headers:?}: {e}"))
}

#[test]
fn a_header_that_says_nothing_is_as_good_as_none() {
    let none = said(&[]);
    assert_eq!((none.id.as_str(), &none.source), ("shop.offers/0/1", &EventSource::Unnamed));
    // A null header comes as an empty one.
    for nothing in [&b""[..], b" ", b"\t\n ", b"\xff\xfe"] {
        for name in [
            "ce_id",
            "id",
            "ce_source",
            "source",
            "segue-command",
            "ce_causationid",
            "traceparent",
            "ce_type",
        ] {
            assert_eq!(said(&[(name, nothing)]), none, "{name}: {nothing:?}");
        }
    }
    // One that says something counts, wherever it stands.
    let twice = said(&[("ce_id", b"7"), ("ce_id", b"")]);
    assert_eq!(twice.id, "7");
}

#[test]
fn a_type_that_is_none_gives_way_to_the_plain_header() {
    for nothing in [&b""[..], b" ", b"\xff", &b"t".repeat(1_025)] {
        let headers = [("ce_type", nothing), ("type", &b"OfferMade"[..])];
        let heading = read(&headers, Some(b"{}"), 10_000).expect("an event");
        assert_eq!(heading.address.event_type.as_str(), "OfferMade", "{nothing:?}");
    }
    let refused = |headers: &[(&str, &[u8])]| {
        let told = read(headers, Some(b"{}"), 10_000).map_err(|e| e.to_string());
        told.expect_err("nothing says its type")
    };
    let words = |found: &str| {
        format!(
            "nothing says its type{found}; send it in the header `ce_type` (CloudEvents) or `type`"
        )
    };
    assert_eq!(refused(&[]), words(""));
    assert_eq!(refused(&[("CE_TYPE", b"OfferMade")]), words(""));
    assert_eq!(refused(&[("ce_type", b"")]), words(": `ce_type` is empty"));
    assert_eq!(refused(&[("ce_type", b"\xff")]), words(": `ce_type` is not text in UTF-8"));
    let long = b"t".repeat(1_025);
    assert_eq!(refused(&[("type", &long)]), words(": `type` is longer than 1024 bytes"));
}

#[test]
fn a_command_that_is_none_of_ours_is_told() {
    let told = |name| read(&[("type", b"x"), (name, b"order-17")], Some(b"{}"), 1_000);
    let refused = told("segue-command").expect_err("it is no command id");
    assert_eq!(refused, Error::Command("order-17".to_owned()));
    assert_eq!(told("ce_causationid").map(|heading| heading.command), Ok(None));
}

#[test]
fn a_source_stands_in_a_header_or_in_the_envelope() {
    let source = |name: &str| EventSource::Named(name.to_owned());
    assert_eq!(said(&[("ce_source", b"/web")]).source, source("/web"));
    assert_eq!(said(&[("source", b"web")]).source, source("web"));
    assert_eq!(said(&[("source", b"web"), ("ce_source", b"/web")]).source, source("/web"));
    let long = "s".repeat(201);
    let heading = said(&[("ce_source", long.as_bytes())]);
    let name = heading.source.name().expect("a source");
    assert!(name.starts_with("blake3:") && name.len() < 100, "{name}");
    let structured = |more: &str| {
        let body = format!(r#"{{ "type": "OfferMade", "data": {{}}{more} }}"#);
        let headers = [("content-type", "application/cloudevents+json"), ("ce_source", "/header")];
        record(&headers, &body, 10_000).expect("an event")
    };
    let heading = structured(r#", "id": "7", "source": "/envelope""#);
    assert_eq!((heading.id.as_str(), heading.source), ("7", source("/envelope")));
    let blank = structured(r#", "id": null, "source": " ", "traceparent": "", "causationid": """#);
    assert_eq!((blank.id.as_str(), blank.source), ("shop.offers/0/1", source("/header")));
    assert_eq!((blank.trace_parent, blank.command), (None, None));
}

#[test]
fn a_tombstone_tells_its_type_if_it_has_one() {
    let told = |headers: &[(&str, &[u8])]| read(headers, None, 1_000);
    let address = "shop.offers/OfferMade".parse().expect("an address");
    assert_eq!(told(&[("ce_type", b"OfferMade")]), Err(Error::Tombstone(Some(address))));
    assert_eq!(told(&[]), Err(Error::Tombstone(None)));
}

#[test]
fn a_key_that_nobody_can_type_names_no_instance() {
    let long = 4711_i64.to_be_bytes();
    for key in [&long[..], b"", b"a\0b", b"a\nb", b"\x7f", b"\xff\xfe", "o-1 ü€\u{80}".as_bytes()]
    {
        let text = std::str::from_utf8(key).ok().filter(|k| !k.contains(['\0', '\n', '\u{7f}']));
        assert_eq!(RecordKey::of(Some(key)).text(), text, "{key:?}");
    }
    let by_record = PAYMENT.replace("by: parent", "on: shop.orders/Placed");
    let mut catalog = Catalog::default();
    let definition = parse("saga.yaml", &by_record).unwrap_or_else(|e| panic!("\n{e}"));
    catalog.add(definition).expect("each name once");
    let index = Index::new(&catalog);
    let complaint = |key: Option<&[u8]>| {
        let heading = Heading { key: RecordKey::of(key), ..heading("shop.orders/Placed", None) };
        let event = decode(&heading, b"{}", Timestamp(0)).expect("an event");
        let route = index.route(&heading, &event, Timestamp(0));
        assert_eq!(route.targets, []);
        route.complaints.join("; ")
    };
    assert_eq!(
        complaint(Some(&long)),
        "payment: the record's key is not printable text but 8 bytes, 0x0000000000001267; \
         name a field of the body by `key:` in the definition, or send text"
    );
    assert!(complaint(Some(&[0; 100])).contains(&format!("0x{}…;", "00".repeat(32))));
    assert!(complaint(None).contains("the record has no key"));
    assert!(complaint(Some(b"")).contains("a key has 1 to 512 bytes"));
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

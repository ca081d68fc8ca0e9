use bytes::Bytes;
use serde_json::Map;

use super::*;
use crate::engine::Say;
use crate::message::{Headers, Key, LifeId, SagaName, Timestamp, header};

const CARDS: &str = "saga: s
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
data: { id: event.id, card: event.card }
sensitive: [data.card]
steps:
  - { step: rest, wait: t/Renewed, within: 1h }
";

fn catalog() -> Catalog {
    let definition = crate::definition::parse("saga.yaml", CARDS);
    let definition = definition.unwrap_or_else(|e| panic!("\n{e}"));
    let mut catalog = Catalog::default();
    catalog.add(definition).expect("it is the only one");
    catalog
}

fn event() -> wire::Event {
    wire::Event {
        topic: "t".to_owned(),
        partition: 2,
        offset: 7,
        event_type: "Placed".to_owned(),
        id: "e-1".to_owned(),
        key: Some("k".to_owned()),
        body: br#"{"id":"k","card":"4111"}"#.to_vec(),
        source: Some(String::new()),
        ..wire::Event::default()
    }
}

fn record(body: &[u8]) -> SourceRecord {
    let mut headers = Headers::default();
    headers.push(header::ID, Bytes::from_static(b"e-1"));
    headers.push("x-tenant", Bytes::from_static(b"north"));
    SourceRecord {
        origin: event().origin().expect("a place"),
        key: Some(Bytes::from_static(b"k")),
        headers,
        body: Some(Bytes::copy_from_slice(body)),
        incarnation: None,
        timestamp: Timestamp(5),
    }
}

fn told(inbox: &wire::Inbox, records: &[SourceRecord], masks: Masks) -> Option<MessageTold> {
    let found = records.iter().map(|record| (record.origin.clone(), record.clone()));
    let records = Records { found: found.collect(), ..Records::default() };
    let id = InstanceId {
        saga: SagaName::new("s").expect("a name"),
        key: Key::new("k").expect("a key"),
    };
    let place = |topic: &str, offset| Coordinates { topic: topic.to_owned(), partition: 0, offset };
    let entry = Entry {
        saga: "s".to_owned(),
        key: "k".to_owned(),
        life: "1-a".to_owned(),
        transition: 1,
        at: Moment(Timestamp(5)),
        status: "forward".to_owned(),
        stored: place("shop.history", 1),
        input: place("shop.inbox", 9),
        notes: Vec::new(),
    };
    let known = Known { catalog: &catalog(), masks, records: &records };
    Stored { id: &id, entry: &entry }.told(inbox, &known)
}

#[test]
fn an_event_is_told_with_its_place_its_headers_and_what_is_not_sensitive() {
    let inbox = wire::Inbox::of_event(Vec::new(), false, event());
    let shown = told(&inbox, &[record(&event().body)], Masks::On).expect("a message");
    assert_eq!((shown.kind.as_str(), shown.name.as_str()), ("event", "t/Placed"));
    assert_eq!(shown.body, json!({ "id": "k", "card": "***" }));
    assert!(shown.is_masked && shown.gone.is_none() && shown.from.is_none());
    let origin = shown.origin.expect("where it stands");
    assert_eq!((origin.topic.as_str(), origin.partition, origin.offset), ("t", 2, 7));
    let headers = shown.headers.expect("the record is there");
    assert_eq!(headers[1], ("x-tenant".to_owned(), "north".to_owned()));
    let open = told(&inbox, &[], Masks::Off).expect("a message");
    assert_eq!(open.body, json!({ "id": "k", "card": "4111" }), "for who may see it");
}

#[test]
fn of_a_record_that_is_gone_or_another_one_the_headers_are_not_shown() {
    let inbox = wire::Inbox::of_event(Vec::new(), false, event());
    for records in [vec![], vec![record(b"{}")]] {
        let shown = told(&inbox, &records, Masks::On).expect("a message");
        let gone = "t[2]@7 is not kept any more, so its headers are not shown";
        assert_eq!((shown.headers, shown.gone.as_deref()), (None, Some(gone)));
        assert_eq!(shown.body["id"], "k", "the inbox has its body");
    }
}

#[test]
fn what_people_other_instances_and_services_say_is_masked_too() {
    let data: Map<_, _> = [("card".to_owned(), json!("4111"))].into_iter().collect();
    let act = Act {
        id: "a-1".to_owned(),
        by: "ana".to_owned(),
        why: "a new card".to_owned(),
        step: None,
        verb: Verb::SetData(data.clone()),
        signed: None,
    };
    let target = wire::Target { saga: "s".to_owned(), key: "k".to_owned() };
    let letter = Letter {
        id: "p/1/1".to_owned(),
        from: target.read().expect("a name"),
        life: LifeId::unmarked(1),
        step: "pay".parse().expect("a step"),
        round: 1,
        say: Say::Ended { completed: true, data: data.clone().into(), failure: None },
    };
    let outcome = CallOutcome::Answered { status: 200, headers: Vec::new(), body: data.into() };
    let called = Called { command: "s/k/1/pay/1".to_owned(), outcome };
    let id = target.read().expect("a name");
    for (inbox, kind, name) in [
        (wire::Inbox::of_act(target, wire::Act::new(&act)), "act", "set-data"),
        (wire::Inbox::of_letter(&id, &letter), "letter", "ended"),
        (wire::Inbox::of_called(&id, &called), "call", "s/k/1/pay/1"),
    ] {
        let shown = told(&inbox, &[], Masks::On).expect("a message");
        assert_eq!((shown.kind.as_str(), shown.name.as_str()), (kind, name));
        assert!(shown.is_masked && !shown.body.to_string().contains("4111"), "{shown:?}");
        let open = told(&inbox, &[], Masks::Off).expect("a message");
        assert!(!open.is_masked && open.body.to_string().contains("4111"), "{open:?}");
    }
    let wake = wire::Inbox { input: Some(wire::inbox::Input::WakeMs(1)), ..Default::default() };
    assert_eq!(told(&wake, &[], Masks::On), None, "a timer is no message");
}

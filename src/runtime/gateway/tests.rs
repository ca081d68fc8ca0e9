use prost::Message as _;

use super::*;
use crate::definition::parse;
use crate::message::{Headers, Incarnation, Offset, Origin, Timestamp, TopicId};
use crate::runtime::Acceptance;

const ORDER: &str = "
saga: order
version: 1
start: { on: shop.orders/OrderPlaced }
steps:
  - step: reserve
    command: stock.commands/Reserve
    done: stock.events/Reserved
    compensate: none
";

/// Tells the gateway some records and keeps what it makes of them.
#[derive(Default)]
struct Script {
    records: Vec<SourceRecord>,
    forward: Forward,
}

impl Source for Script {
    fn poll(&mut self, _: Duration, _: usize) -> Result<Vec<SourceRecord>, Lost> {
        Ok(std::mem::take(&mut self.records))
    }

    fn forward(&mut self, forward: Forward) -> Result<(), Lost> {
        self.forward = forward;
        Ok(())
    }

    fn accept(&mut self, _: &Acceptance) -> Result<Accepted, Lost> {
        Ok(Accepted::Refused("nothing is stopped here".to_owned()))
    }
}

fn record(topic: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> SourceRecord {
    let mut all = Headers::default();
    for (name, value) in headers {
        all.push(name, (*value).to_owned());
    }
    let topic = Topic::new(topic).expect("a topic");
    SourceRecord {
        origin: Origin { topic, partition: 0, offset: Offset(7) },
        key: Some(Bytes::from_static(b"o-1")),
        headers: all,
        body: body.map(Bytes::copy_from_slice),
        timestamp: Timestamp(1),
        incarnation: None,
    }
}

/// What a gateway makes of records where `counted` topics count what nobody waits for.
fn pass(counted: &[&str], records: Vec<SourceRecord>) -> (Passed, Forward) {
    let mut catalog = Catalog::default();
    catalog.add(parse("saga.yaml", ORDER).unwrap_or_else(|e| panic!("\n{e}"))).expect("one saga");
    let mut settings = Settings::new("shop", 1);
    for topic in counted {
        let topic = Topic::new(topic).expect("a topic");
        settings.unmatched.topics.insert(topic, Unmatched::Count);
    }
    let source = Script { records, ..Script::default() };
    let mut gateway = Gateway::new(&settings, &catalog, source);
    gateway.turn(Duration::ZERO).expect("nothing is lost");
    (gateway.passed(), gateway.source.forward)
}

/// What a gateway that takes for signed whatever has a header `signed` makes of an act.
fn obeyed(headers: &[(&str, &str)], body: &str) -> Forward {
    let records = vec![record("shop.operator", headers, Some(body.as_bytes()))];
    let source = Script { records, ..Script::default() };
    let gateway = Gateway::new(&Settings::new("shop", 1), &Catalog::default(), source);
    let mut gateway = gateway.verifying(|record| match record.headers.text("signed") {
        Some(at) => Ok(Timestamp(at.parse().expect("a number"))),
        None => Err("the act is not signed".to_owned()),
    });
    gateway.turn(Duration::ZERO).expect("nothing is lost");
    gateway.source.forward
}

#[test]
fn an_act_that_is_not_signed_is_put_aside_where_acts_are() {
    let act = |id: &str| {
        format!(r#"{{"saga":"order","key":"o-1","verb":"retry","by":"ana","why":"w"{id}}}"#)
    };
    let with_id = act(r#","id":"7""#);
    let signed = obeyed(&[("signed", "12")], &with_id);
    let [append] = &signed.appends[..] else { panic!("{signed:?}") };
    let inbox = wire::Inbox::decode(append.value.clone()).expect("an inbox record");
    let Some(wire::inbox::Input::Act(told)) = inbox.input else { panic!("{inbox:?}") };
    assert_eq!((told.id.as_str(), told.signed_ms), ("7", Some(12)));
    let refused = |headers: &[(&str, &str)], body: &str| {
        let forward = obeyed(headers, body);
        assert!(forward.appends.is_empty(), "{forward:?}");
        let [letter] = &forward.dead_letters[..] else { panic!("{forward:?}") };
        letter.reason.clone()
    };
    assert_eq!(refused(&[], &with_id), "the act is not signed");
    let nameless = refused(&[("signed", "12")], &act(""));
    assert!(nameless.starts_with("`id` is missing; an act that is signed"), "{nameless}");
    let topic = r#"{"verb":"accept-topic","topic":"shop.orders","by":"ana","why":"w","id":"7"}"#;
    assert_eq!(refused(&[], topic), "the act is not signed");
    assert_eq!(refused(&[("signed", "1")], topic), "nothing is stopped here");
}

fn without_use() -> Vec<SourceRecord> {
    let placed = ("ce_type", "OrderPlaced");
    vec![
        record("shop.orders", &[placed], None),
        record("shop.orders", &[], None),
        record("shop.orders", &[("ce_type", "")], Some(b"{}")),
        record("shop.orders", &[], Some(b"{}")),
    ]
}

fn reasons(forward: &Forward) -> Vec<&str> {
    forward.dead_letters.iter().map(|letter| letter.reason.as_str()).collect()
}

#[test]
fn what_says_nothing_is_shown_to_people() {
    let (passed, forward) = pass(&["stock.events"], without_use());
    assert_eq!((passed.empty, passed.dead_letters), (0, 4));
    let [tombstone, bare, blank, untyped] = reasons(&forward)[..] else { panic!("{forward:?}") };
    assert!(tombstone.contains("tombstone") && bare.contains("tombstone"));
    assert!(blank.contains("`ce_type` is empty") && untyped.contains("nothing says its type"));
}

#[test]
fn what_says_nothing_is_counted_where_the_topic_s_rule_is_to_count() {
    let (passed, forward) = pass(&["shop.orders"], without_use());
    assert_eq!((passed.empty, passed.dead_letters, passed.records), (4, 0, 4));
    assert_eq!(reasons(&forward), [] as [&str; 0]);
    // What is broken is shown all the same.
    let broken = vec![
        record("shop.orders", &[("ce_type", "OrderPlaced")], Some(b"{")),
        record("shop.orders", &[("ce_type", "OrderPlaced"), ("segue-command", "x")], Some(b"{}")),
    ];
    let (passed, _) = pass(&["shop.orders"], broken);
    assert_eq!((passed.empty, passed.dead_letters), (0, 2));
}

#[test]
fn a_type_that_no_definition_reads_is_passed_over_with_a_body_or_without() {
    let other = [("ce_type", "OrderArchived")];
    let records =
        vec![record("shop.orders", &other, None), record("shop.orders", &other, Some(b"no JSON"))];
    let (passed, forward) = pass(&[], records);
    assert_eq!((passed.unread, passed.dead_letters, passed.appends), (2, 0, 0));
    assert_eq!(reasons(&forward), [] as [&str; 0]);
}

#[test]
fn an_event_goes_on_with_its_source() {
    let typed = ("ce_type", "OrderPlaced");
    for (headers, source) in [
        (vec![typed, ("ce_source", "/web")], "/web"),
        (vec![typed], ""),
        (vec![typed, ("ce_source", " ")], ""),
    ] {
        let (_, forward) = pass(&[], vec![record("shop.orders", &headers, Some(b"{}"))]);
        let inbox = wire::Inbox::decode(forward.appends[0].value.clone()).expect("an inbox record");
        let Some(wire::inbox::Input::Event(event)) = inbox.input else { panic!("{inbox:?}") };
        assert_eq!(event.source.as_deref(), Some(source));
    }
}

#[test]
fn an_event_without_an_id_is_another_one_in_an_accepted_topic() {
    let topic = Topic::new("shop.orders").expect("a topic");
    let origin = Origin { topic, partition: 0, offset: Offset(7) };
    let id = |own: Option<&'static str>, accepted| {
        let mut headers = Headers::default();
        headers.push("ce_type", "OrderPlaced");
        if let Some(own) = own {
            headers.push("ce_id", own);
        }
        let head = heading(&origin, None, &headers, Some(b"{}"), 1_000).expect("an event");
        let incarnation = Incarnation { id: TopicId::derived(&["a"]), accepted };
        told_apart(head, &origin, Some(incarnation)).id
    };
    assert_ne!(id(None, true), id(None, false), "its place was that of an earlier event");
    assert_eq!(id(None, true), id(None, true));
    assert_eq!(id(Some("e-1"), true), id(Some("e-1"), false));
}

#[test]
fn every_shard_is_told_what_starts_in_front_of_what_is_read_by_it() {
    let mut catalog = Catalog::default();
    catalog.add(parse("saga.yaml", ORDER).unwrap_or_else(|e| panic!("\n{e}"))).expect("one saga");
    let said = catalog.said_by("n1", &[]);
    let catalog = catalog.starting_as(Some(std::sync::Arc::new(said.clone())));
    let mut gateway = Gateway::new(&Settings::new("shop", 3), &catalog, Script::default());
    gateway.turn(Duration::ZERO).expect("nothing is lost");
    let told = std::mem::take(&mut gateway.source.forward).appends;
    let shards: Vec<u32> = told.iter().map(|append| append.shard.0).collect();
    assert_eq!(shards, [0, 1, 2]);
    for append in told {
        let inbox = wire::Inbox::decode(append.value).expect("it is whole");
        assert_eq!(inbox.starts().map(wire::Starts::read), Some(Ok(said.clone())));
    }
    gateway.turn(Duration::ZERO).expect("nothing is lost");
    assert_eq!(gateway.source.forward, Forward::default(), "it is said once");
}

#[test]
fn a_saga_whose_file_is_gone_is_read_and_started_no_more() {
    let mut catalog = Catalog::default();
    catalog.add(parse("saga.yaml", ORDER).unwrap_or_else(|e| panic!("\n{e}"))).expect("one saga");
    let said = catalog.said_by("n1", &[]);
    let catalog = catalog.starting_as(Some(std::sync::Arc::new(said)));
    let topics = Index::new(&catalog).topics();
    assert!(topics.contains(&Topic::new("shop.orders").expect("a topic")), "no backlog grows");
    let placed = record("shop.orders", &[("ce_type", "OrderPlaced")], Some(b"{}"));
    let source = Script { records: vec![placed], ..Script::default() };
    let mut gateway = Gateway::new(&Settings::new("shop", 1), &catalog, source);
    gateway.turn(Duration::ZERO).expect("nothing is lost");
    assert_eq!((gateway.passed().unread, gateway.passed().appends), (1, 0));
}

//! What an act would do is told as the engine would do it, and nothing that is sensitive is.

use serde_json::{Map, json};

use super::id;
use crate::definition::{Catalog, parse};
use crate::engine::{Act, Input, Instance, Verb, step};
use crate::message::{Address, Event, EventSource, EventType, InstanceId, Timestamp, Topic};
use crate::status::LifeState;
use crate::view::foreseen::foreseen;
use crate::view::{Foreseen, SentTold};

const SHOP: &str = "saga: order
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
data: { id: event.id, card: event.card }
sensitive: [data.card]
steps:
  - step: charge
    command: p/Charge
    with: { card: '${data.card}' }
    done: p/Charged
    within: 10s
    compensate: ";
const BY_COMMAND: &str = "{ command: p/Refund, with: { card: '${data.card}' }, done: p/Refunded }";
const BY_CALL: &str =
    "{ call: 'DELETE https://pay.example/${data.card}', done: { status: 200 }, within: 1m }";
const NOW: Timestamp = Timestamp(5_000_000);

/// An order that asks to be paid, which is undone like that.
fn placed(undoing: &str) -> (Catalog, InstanceId, Instance) {
    let mut catalog = Catalog::default();
    let definition =
        parse("saga.yaml", &format!("{SHOP}{undoing}\n")).unwrap_or_else(|e| panic!("\n{e}"));
    catalog.add(definition).expect("the first of its name");
    let id = id("order", "o-1");
    let topic = Topic::new("t").expect("a topic");
    let event = Event {
        address: Address { topic, event_type: EventType::new("Placed") },
        source: EventSource::Unnamed,
        id: "e-1".to_owned(),
        key: None,
        body: json!({ "id": "o-1", "card": "4111" }),
        command: None,
        trace_parent: None,
        timestamp: NOW,
    };
    let started = step(&catalog, &id, None, &Input::Event(event), NOW).expect("it starts");
    (catalog, id, started.after.expect("it lives"))
}

fn act(number: &str, verb: Verb) -> Act {
    let text = |text: &str| text.to_owned();
    Act {
        id: text(number),
        by: text("ana"),
        why: text("she called"),
        step: None,
        verb,
        signed: None,
    }
}

#[test]
fn an_act_is_foreseen_with_what_it_sends_and_where_it_leads() {
    let (catalog, id, before) = placed(BY_COMMAND);
    let cancel = act("7", Verb::Cancel);
    let told = foreseen(&catalog, &id, &before, &cancel, NOW);
    let Foreseen { refused, sent, notes, after } = told.clone();
    let [SentTold { what, to, id: command }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((what.as_str(), to.as_str()), ("command", "p/Refund"));
    assert!(command.as_ref().is_some_and(|id| id.starts_with("order/o-1/1-")), "{command:?}");
    assert_eq!(refused, None);
    assert!(notes.iter().any(|note| note.words.contains("ana: she called")), "{notes:?}");
    assert_eq!(after.expect("it lives").state, LifeState::Compensating);
    let words = serde_json::to_string(&told).expect("JSON");
    assert!(!words.contains("4111"), "what is sensitive is told: {words}");
    let obeyed = step(&catalog, &id, Some(&before), &Input::Act(cancel.clone()), NOW);
    let obeyed = obeyed.expect("it is obeyed").after.expect("it lives");
    let again = foreseen(&catalog, &id, &obeyed, &cancel, NOW).refused.expect("refused");
    assert!(!again.is_empty(), "what was obeyed before is told as well");
}

#[test]
fn a_request_over_http_is_told_by_its_host_alone() {
    let (catalog, id, before) = placed(BY_CALL);
    let told = foreseen(&catalog, &id, &before, &act("7", Verb::Cancel), NOW);
    let sent: Vec<_> = told.sent.iter().map(|sent| (&*sent.what, &*sent.to)).collect();
    assert_eq!(sent, [("call", "DELETE pay.example")]);
    let words = serde_json::to_string(&told).expect("JSON");
    assert!(!words.contains("4111"), "what is sensitive is told: {words}");
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_history() {
    let (catalog, id, before) = placed(BY_COMMAND);
    let told = foreseen(&catalog, &id, &before, &act("7", Verb::SetData(Map::new())), NOW);
    let refused = told.refused.expect("there is nothing to set");
    assert!(refused.contains("set-data") && refused.contains("ana"), "{refused}");
    assert_eq!((told.sent.len(), told.notes.len(), told.after), (0, 0, None));
}

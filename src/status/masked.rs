//! Masks what a definition calls sensitive.

use serde_json::{Map, Value};

use super::Masks;
use crate::definition::{Catalog, Definition, Secrets};
use crate::message::{EventType, Hash, Topic};

/// What stands in the place of a value that is not shown.
const MASK: &str = "***";

/// The data of a life as it is shown, and whether something in it was masked. Of a definition that
/// is not known everything may be sensitive.
pub(super) fn shown(catalog: &Catalog, of: Hash, data: &Value, masks: Masks) -> (Value, bool) {
    match masks {
        Masks::Off => return (data.clone(), false),
        Masks::Whole => return (Value::Null, true),
        Masks::On => {}
    }
    let mut shown = data.clone();
    let Some(definition) = catalog.by_hash(of) else {
        let masked = each_field(&mut shown);
        return (shown, masked);
    };
    let mut masked = false;
    for path in &definition.sensitive {
        masked |= mask(&mut shown, path);
    }
    for field in catalog.secret_fields(of) {
        masked |= mask(&mut shown, &[field]);
    }
    (shown, masked)
}

/// The body of an event as it is shown, and whether something in it was masked: whatever one of
/// the definitions reads from such events into what it calls sensitive. Of an event of no known
/// type everything counts that is read from its topic. A body that has no fields is masked whole.
#[must_use]
pub fn event_shown<'d>(
    definitions: impl Iterator<Item = &'d Definition>,
    topic: &Topic,
    event_type: Option<&EventType>,
    body: &Value,
    masks: Masks,
) -> (Value, bool) {
    let (mut shown, mut masked) = (body.clone(), false);
    if masks == Masks::Off {
        return (shown, masked);
    }
    let definitions: Vec<&Definition> = definitions.collect();
    for secrets in Secrets::among(&definitions).values() {
        for path in secrets.of_event(topic, event_type) {
            masked |= mask(&mut shown, &path);
        }
    }
    (shown, masked)
}

/// The same of an act of a person, whose `data` goes into that of a life.
#[must_use]
pub fn act_shown<'d>(
    definitions: impl Iterator<Item = &'d Definition>,
    body: &Value,
    masks: Masks,
) -> (Value, bool) {
    let (mut shown, mut masked) = (body.clone(), false);
    if masks == Masks::Off {
        return (shown, masked);
    }
    let saga = body.get("saga").and_then(Value::as_str);
    let definitions: Vec<&Definition> = definitions.collect();
    let secrets = Secrets::among(&definitions);
    let is_meant =
        |definition: &&&Definition| saga.is_none_or(|saga| definition.saga.as_str() == saga);
    for definition in definitions.iter().filter(is_meant) {
        let told = secrets.get(&definition.hash).map(Secrets::of_data).unwrap_or_default();
        for path in definition.sensitive.iter().cloned().chain(told.into_iter().map(|f| vec![f])) {
            let inside = ["data".to_owned()].into_iter().chain(path);
            masked |= mask(&mut shown, &inside.collect::<Vec<_>>());
        }
    }
    (shown, masked)
}

/// What nobody looks into, such as what another instance says or what a call was answered: shown
/// as it is where no definition calls anything sensitive, else masked whole.
#[must_use]
pub fn unread_shown<'d>(
    mut definitions: impl Iterator<Item = &'d Definition>,
    body: &Value,
    masks: Masks,
) -> (Value, bool) {
    let is_open = masks == Masks::Off || definitions.all(|known| known.sensitive.is_empty());
    if is_open || body.is_null() { (body.clone(), false) } else { (Value::from(MASK), true) }
}

/// Masks what a path leads to, in each element of a list on its way; whether there was something.
/// What stands on the way and is no object cannot be looked into, so it is masked as a whole.
fn mask(value: &mut Value, path: &[String]) -> bool {
    match (value, path.split_first()) {
        (Value::Null, _) => false,
        (Value::Array(elements), Some(_)) => {
            elements.iter_mut().fold(false, |masked, element| mask(element, path) | masked)
        }
        (Value::Object(fields), Some((field, rest))) => {
            fields.get_mut(field).is_some_and(|value| mask(value, rest))
        }
        (value, _) => {
            *value = Value::from(MASK);
            true
        }
    }
}

/// Masks every field; whether there was one.
fn each_field(data: &mut Value) -> bool {
    let none = &mut Map::new();
    let fields = data.as_object_mut().unwrap_or(none);
    for value in fields.values_mut() {
        *value = Value::from(MASK);
    }
    !fields.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_from_what_is_sensitive_is_masked_with_it() {
        let text = CARDS.replace(
            "steps:\n",
            "steps:\n  - set: { last: data.card.number, more: \"'a' + data.card.number\", \
             has: has(data.card.number) }\n  - set: { again: data.more }\n",
        );
        let (catalog, hash) = catalog(&text);
        let data = json!({
            "id": 1, "card": { "number": "4" }, "last": "4", "more": "a4", "has": true,
            "again": "a4",
        });
        let hidden = json!({
            "id": 1, "card": { "number": "***" }, "last": "***", "more": "***", "has": true,
            "again": "***",
        });
        assert_eq!(shown(&catalog, hash, &data, Masks::On), (hidden, true));
        assert_eq!(shown(&catalog, hash, &data, Masks::Whole), (Value::Null, true));
    }

    fn catalog(text: &str) -> (Catalog, Hash) {
        let definition = crate::definition::parse("saga.yaml", text);
        let definition = definition.unwrap_or_else(|e| panic!("\n{e}"));
        let (mut catalog, hash) = (Catalog::default(), definition.hash);
        catalog.add(definition).expect("it is the only one");
        (catalog, hash)
    }

    const CARDS: &str = "saga: s
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
data: { id: event.id, card: event.payment.card }
sensitive: [data.card.number]
steps:
  - { step: rest, wait: [{ on: t/Renewed, set: { card: event.card } }], within: 1h }
";

    fn event(event_type: Option<&str>, body: &Value) -> (Value, bool) {
        let definition = crate::definition::parse("saga.yaml", CARDS);
        let definition = definition.unwrap_or_else(|e| panic!("\n{e}"));
        let topic = Topic::new("t").expect("a topic");
        let event_type = event_type.map(EventType::new);
        event_shown([&definition].into_iter(), &topic, event_type.as_ref(), body, Masks::On)
    }

    #[test]
    fn of_an_event_is_masked_what_is_read_from_it_into_what_is_sensitive() {
        let body = json!({ "id": "k", "payment": { "card": { "number": 1 } }, "card": 2 });
        let placed = json!({ "id": "k", "payment": { "card": "***" }, "card": 2 });
        assert_eq!(event(Some("Placed"), &body), (placed, true));
        let renewed = json!({ "id": "k", "payment": { "card": { "number": 1 } }, "card": "***" });
        assert_eq!(event(Some("Renewed"), &body), (renewed, true));
        assert_eq!(event(Some("Other"), &body), (body.clone(), false));
        let either = json!({ "id": "k", "payment": { "card": "***" }, "card": "***" });
        assert_eq!(event(None, &body), (either, true));
        assert_eq!(event(None, &json!("some text")), (json!("***"), true));
    }

    #[test]
    fn of_an_act_is_masked_what_it_would_put_into_the_data() {
        let definition = crate::definition::parse("saga.yaml", CARDS).expect("a definition");
        let shown = |body: &Value| act_shown([&definition].into_iter(), body, Masks::On);
        let body = json!({ "saga": "s", "data": { "card": { "number": 1 }, "id": 2 } });
        let hidden = json!({ "saga": "s", "data": { "card": { "number": "***" }, "id": 2 } });
        assert_eq!(shown(&body), (hidden, true));
        let other = json!({ "saga": "other", "data": { "card": { "number": 1 } } });
        assert_eq!(shown(&other), (other.clone(), false));
    }

    #[test]
    fn what_nobody_looks_into_is_masked_whole_as_soon_as_anything_is_sensitive() {
        let definition = crate::definition::parse("saga.yaml", CARDS).expect("a definition");
        let plain = CARDS.replace("sensitive: [data.card.number]\n", "");
        let open = crate::definition::parse("saga.yaml", &plain).expect("a definition");
        let (body, both) = (json!({ "card": 1 }), [&open, &definition]);
        assert_eq!(unread_shown(both.into_iter(), &body, Masks::On), (json!("***"), true));
        assert_eq!(unread_shown(both.into_iter(), &body, Masks::Off), (body.clone(), false));
        assert_eq!(unread_shown(both.into_iter(), &json!(null), Masks::On), (json!(null), false));
        assert_eq!(unread_shown([&open].into_iter(), &body, Masks::On), (body.clone(), false));
    }

    fn masked(data: Value, path: &[&str]) -> (Value, bool) {
        let path: Vec<String> = path.iter().map(|field| (*field).to_owned()).collect();
        let mut data = data;
        let masked = mask(&mut data, &path);
        (data, masked)
    }

    #[test]
    fn a_path_is_masked_with_all_that_is_under_it() {
        let data = json!({ "card": { "number": "4111", "name": "ann" }, "total": 3 });
        let whole = json!({ "card": "***", "total": 3 });
        assert_eq!(masked(data.clone(), &["card"]), (whole, true));
        let part = json!({ "card": { "number": "***", "name": "ann" }, "total": 3 });
        assert_eq!(masked(data, &["card", "number"]), (part, true));
    }

    #[test]
    fn a_path_leads_through_each_element_of_a_list() {
        let data = json!({ "cards": [{ "number": 1 }, { "other": 2 }, [{ "number": 3 }]] });
        let hidden =
            json!({ "cards": [{ "number": "***" }, { "other": 2 }, [{ "number": "***" }]] });
        assert_eq!(masked(data, &["cards", "number"]), (hidden, true));
    }

    #[test]
    fn what_stands_in_the_way_of_a_path_is_masked_with_it() {
        let data = json!({ "card": "4111 as text" });
        assert_eq!(masked(data, &["card", "number"]), (json!({ "card": "***" }), true));
    }

    #[test]
    fn where_there_is_nothing_nothing_is_masked() {
        for data in [json!({}), json!({ "card": null }), json!({ "total": 1 })] {
            assert_eq!(masked(data.clone(), &["card", "number"]), (data, false));
        }
    }

    #[test]
    fn of_an_unknown_definition_everything_is_masked() {
        let data = json!({ "a": 1, "b": { "c": 2 } });
        let hidden = json!({ "a": "***", "b": "***" });
        let (none, hash) = (Catalog::default(), catalog(CARDS).1);
        assert_eq!(shown(&none, hash, &data, Masks::On), (hidden, true));
        assert_eq!(shown(&none, hash, &data, Masks::Off), (data, false));
    }
}

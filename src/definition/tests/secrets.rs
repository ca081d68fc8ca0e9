//! What is sensitive is followed from place to place.

use std::collections::BTreeSet;

use crate::definition::{Catalog, Definition, check_together, parse};
use crate::message::{EventType, Topic};

fn read(text: &str) -> Definition {
    parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}\n{text}"))
}

/// A saga of some steps, in which these fields are sensitive.
fn saga(sensitive: &str, steps: &str) -> Definition {
    read(&format!(
        "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id }}\n\
         data: {{ id: event.id, card: event.card, cards: event.cards, open: event.open }}\n\
         sensitive: [{sensitive}]\nsteps:\n{steps}"
    ))
}

fn secret(sensitive: &str, steps: &str) -> Vec<String> {
    saga(sensitive, steps).secret_fields().into_iter().collect()
}

#[test]
fn what_tells_something_sensitive_is_as_secret() {
    for (value, is_secret) in [
        ("data.card", true),
        ("data.card.number", true),
        ("string(data.card.number)", true),
        ("'a' + data.card.number", true),
        ("has(data.open) ? data.card.number : 'none'", true),
        ("data.cards.map(c, c.number)", true),
        ("timestamp(data.card.number).getFullYear()", true),
        ("data.card.name", false),
        ("size(data.card.number)", false),
        ("data.card.number.startsWith('4')", false),
        ("data.card.number == '4'", false),
        ("has(data.card.number)", false),
        ("data.open", false),
    ] {
        let steps = format!("  - {{ set: {{ copy: \"{value}\" }} }}\n");
        let found = secret("data.card.number, data.cards.number", &steps);
        let expected: &[&str] = if is_secret { &["copy"] } else { &[] };
        assert_eq!(found, expected, "{value}");
    }
}

#[test]
fn an_element_is_as_secret_as_its_list() {
    let each = |list: &str| {
        let steps = format!(
            "  - step: each\n    each: {list}\n    at-most: 3\n    steps:\n      \
             - {{ set: {{ last: item.number, name: item.name, place: index }} }}\n    \
             collect: {{ numbers: item.number, lasts: branch.last, names: branch.name, \
             places: branch.place, whole: item, sizes: size(item.number) }}\n"
        );
        secret("data.cards.number, data.card.number", &steps)
    };
    assert_eq!(each("data.cards"), ["lasts", "numbers", "whole"]);
    assert_eq!(each("'[data.card]'"), ["lasts", "names", "numbers", "whole"]);
    assert_eq!(each("data.open"), Vec::<String>::new());
    let steps = "  - step: outer\n    each: data.cards\n    at-most: 3\n    steps:\n      \
                 - step: inner\n        each: item.parts\n        at-most: 3\n        steps:\n\
                 \x20         - { set: { part: item.digits } }\n        \
                 collect: { parts: branch.part }\n    collect: { all: branch.parts }\n";
    assert_eq!(secret("data.cards.parts.digits", steps), ["all"]);
    assert_eq!(secret("data.cards.parts.name", steps), Vec::<String>::new());
}

#[test]
fn what_fills_a_sensitive_field_is_secret_where_it_comes_from() {
    let steps = "  - { step: a, wait: [{ on: t/A, set: { token: event.token, copy: event.token, \
                 why: event.why } }], within: 1h, late: go-on }\n\
                 \x20 - { set: { moved: \"has(data.copy) ? data.copy : 'none'\" } }\n";
    assert_eq!(secret("data.token", steps), ["copy", "moved"]);
    // The very value stood in another field before.
    let steps = "  - { set: { last: data.open } }\n  - { set: { more: \"'a' + data.id\" } }\n";
    assert_eq!(secret("data.last", steps), ["open"]);
    assert_eq!(secret("data.more", steps), Vec::<String>::new(), "of a text only its field is");
    let steps = "  - step: each\n    each: data.cards\n    at-most: 3\n    steps:\n      \
                 - { step: a, wait: [{ on: t/A, where: event.place == item.place, \
                 set: { token: event.token } }], within: 1h }\n    \
                 collect: { tokens: branch.token }\n";
    let definition = saga("data.tokens", steps);
    let secrets = crate::definition::Secrets::among(&[&definition]);
    let topic = Topic::new("t").expect("a topic");
    let of = |event_type: Option<&str>| {
        let event_type = event_type.map(EventType::new);
        let paths = secrets[&definition.hash].of_event(&topic, event_type.as_ref()).into_iter();
        paths.map(|path| path.join(".")).collect::<Vec<_>>()
    };
    assert_eq!(of(Some("A")), ["token"]);
    assert_eq!(of(None), ["token"]);
    assert_eq!(of(Some("Placed")), Vec::<String>::new());
}

const CHILD: &str = "saga: child\nversion: 1\nstart: { by: parent }\n\
     data: { id: event.id, number: event.number }\nsteps:\n  \
     - { set: { copy: data.number } }\n  \
     - { step: a, wait: [{ on: t/A, set: { pin: event.pin } }], within: 1h, late: go-on }\n";

const PARENT: &str = "  - { step: k, saga: child, with: { id: '${data.id}', \
     number: '${data.card.number}' }, set: { pin: child.data.pin, own: child.data.id }, \
     within: 2h, compensate: none }\n  - { set: { last: data.pin } }\n";

#[test]
fn a_secret_goes_with_what_a_parent_and_its_child_hand_each_other() {
    let parent = saga("data.card.number", PARENT);
    let child = read(&CHILD.replace("data:", "sensitive: [data.pin]\ndata:"));
    let hashes = (parent.hash, child.hash);
    let mut catalog = Catalog::default();
    let fields = |catalog: &Catalog, of| catalog.secret_fields(of).into_iter().collect::<Vec<_>>();
    catalog.add(parent).expect("the first one");
    assert_eq!(fields(&catalog, hashes.0), Vec::<String>::new());
    catalog.add(child).expect("the first one");
    assert_eq!(fields(&catalog, hashes.0), ["last", "pin"]);
    assert_eq!(fields(&catalog, hashes.1), ["copy", "number"]);
}

#[test]
fn a_secret_that_is_none_on_the_other_side_is_told() {
    let told = |parent: &str, child: &str| {
        let parent = saga(parent, PARENT);
        let child = read(&CHILD.replace("data:", &format!("sensitive: [{child}]\ndata:")));
        let found = check_together([("s.yaml", &parent), ("child.yaml", &child)]);
        let codes: BTreeSet<String> = found.iter().map(|d| d.code.to_string()).collect();
        (codes.into_iter().collect::<Vec<_>>(), found.iter().len())
    };
    assert_eq!(told("data.card.number", "data.pin"), (vec!["SG0901".to_owned()], 2));
    assert_eq!(told("data.card.number, data.pin", "data.pin, data.number"), (Vec::new(), 0));
    assert_eq!(told("data.open", "data.copy"), (Vec::new(), 0));
}

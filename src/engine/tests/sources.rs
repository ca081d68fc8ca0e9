//! Events of one id and two sources: each is taken once.

use std::collections::BTreeSet;

use super::{Input, Instance, ORDER, PAIR, World, check, saga};
use crate::message::EventSource;

fn queueing() -> String {
    PAIR.replace("key: event.id }", "key: event.id, again: queue, after: new }")
}

/// Two steps that take facts of one kind, one after the other.
fn counting() -> String {
    let count = |name: &str, n: u32| {
        format!("{{ step: {name}, within: 3d, wait: {{ on: t/Counted, where: event.n == {n} }} }}")
    };
    saga("", &[&count("first", 1), &count("second", 2)])
}

#[test]
fn starts_of_two_sources_are_two_starts() {
    check(
        &queueing(),
        "
        start id=1 from=/web > A a/1
        start id=1 from=/web ! duplicate
        start id=1 from=/shop > nothing
        start id=1 from=/shop ! duplicate
        start id=1 > nothing
        start id=1 ! duplicate
        start id=1 from=/web ! duplicate
        ANo > A 2/a/1
        start id=1 from=/shop ! duplicate
        ANo > A 3/a/1
        ANo > nothing
        lives 3
        start id=1 from=/web ! duplicate
        start id=1 ! duplicate
        start id=1 from=/branch > A 4/a/1
        ",
    );
}

#[test]
fn starts_of_two_kinds_are_two_starts() {
    let two = queueing().replace(
        "start: { on: t/Placed, key: event.id, again: queue, after: new }",
        "start:\n  - { on: t/Placed, key: event.id, again: queue, after: new }\n  \
         - { on: t/Phoned, key: event.id, again: queue, after: new }",
    );
    check(
        &two,
        "
        start id=1 > A a/1
        Phoned id=1 > nothing
        Phoned id=1 ! duplicate
        start id=1 ! duplicate
        ANo > A 2/a/1
        ",
    );
}

#[test]
fn the_lives_of_two_sources_have_two_marks() {
    let mut world = World::of(&queueing());
    for start in ["start id=1 from=/web", "start id=1 from=/shop", "start id=1"] {
        assert!(world.told(start).starts_with('>'), "{start}");
        world.told("ANo");
    }
    let instance = world.instance.as_ref().expect("it is remembered");
    let marks: BTreeSet<u64> = {
        let gone = instance.remnants.iter().map(|t| t.life.mark);
        instance.lives.iter().map(|g| g.id.mark).chain(gone).collect()
    };
    assert_eq!(marks.len(), 3);
}

#[test]
fn facts_of_two_sources_are_two_facts() {
    check(
        &counting(),
        r#"
        start > nothing
        Counted id=1 from=/north {"n": 1} > nothing
        Counted id=1 from=/north {"n": 2} ! duplicate
        is running
        Counted id=1 from=/south {"n": 2} > nothing
        is completed
        Counted id=1 from=/south {"n": 2} ! duplicate
        "#,
    );
}

#[test]
fn facts_of_two_sources_are_kept_beside_each_other() {
    check(
        &counting(),
        r#"
        Counted id=1 from=/north {"n": 1} > nothing
        Counted id=1 from=/north {"n": 2} ! duplicate
        Counted id=1 from=/south {"n": 2} > nothing
        start > nothing
        is completed
        Counted id=1 from=/north {"n": 1} ! duplicate
        Counted id=1 from=/south {"n": 2} ! duplicate
        "#,
    );
}

#[test]
fn a_cancel_of_another_source_strikes_the_next_life() {
    let again = ORDER.replace("key: event.id }\ndata", "key: event.id, after: new }\ndata");
    check(
        &again,
        r#"
        start > Reserve reserve/1
        Cancelled id=c from=/web > Release reserve~undo/1
        Released > fact Undone {"kind":"cancelled","reason":"Cancelled"}
        start > Reserve 2/reserve/1
        Cancelled id=c from=/web ! duplicate
        is running
        Cancelled id=c from=/shop > Release 2/reserve~undo/1
        "#,
    );
}

#[test]
fn an_answer_of_another_kind_with_the_same_id_is_another_event() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        Reserved id=1 from=/stock > Charge charge/1
        Reserved id=1 from=/stock ! duplicate
        SoldOut id=1 from=/stock ! refused
        ",
    );
}

#[test]
fn what_was_taken_before_sources_were_read_is_not_taken_again() {
    check(
        &queueing(),
        "
        start id=1 from=old > A a/1
        start id=2 from=old > nothing
        start id=1 from=/web ! duplicate
        start id=1 ! duplicate
        start id=2 from=/web ! duplicate
        start id=3 from=/web > nothing
        start id=3 from=old ! duplicate
        ",
    );
    check(
        &counting(),
        r#"
        Counted id=1 from=old {"n": 1} > nothing
        Counted id=1 from=/north {"n": 2} ! duplicate
        start > nothing
        Counted id=1 from=/north {"n": 2} ! duplicate
        Counted id=2 from=/north {"n": 2} > nothing
        is completed
        "#,
    );
}

#[test]
fn the_life_that_an_event_without_a_source_starts_is_marked_as_ever() {
    let mark = |source: EventSource| {
        let mut world = World::of(PAIR);
        let mut start = world.start.clone();
        (start.id, start.source) = ("placed-1".to_owned(), source);
        world.tell(&Input::Event(start)).expect("it starts");
        let newest = world.instance.as_ref().and_then(Instance::newest).expect("it lives");
        newest.id.mark
    };
    assert_eq!(mark(EventSource::Unnamed), mark(EventSource::Unread));
    assert_ne!(mark(EventSource::Unnamed), mark(EventSource::Named("/web".to_owned())));
}

//! A second start, and one after the end.

use super::{Effect, Input, ORDER, PAIR, World, check};
use crate::message::CommandId;

#[test]
fn a_second_start_is_refused_if_the_author_says_so() {
    let reject = PAIR.replace("key: event.id }", "key: event.id, again: reject }");
    check(
        &reject,
        "
        start > A a/1
        start ! refused
        is running
        ",
    );
}

#[test]
fn queued_starts_run_one_after_the_other() {
    let queue = PAIR.replace("key: event.id }", "key: event.id, again: queue }");
    check(
        &queue,
        "
        start > A a/1
        start id=two > nothing
        start id=two ! duplicate
        start id=three > nothing
        ANo > A 2/a/1
        lives 2
        is running
        ADone for=2/a/1 > B 2/b/1
        BDone > A 3/a/1
        ANo > nothing
        is compensated
        start ! ignored
        ",
    );
}

#[test]
fn queued_starts_wait_for_a_stuck_one() {
    let queue = PAIR
        .replace("key: event.id }", "key: event.id, again: queue }")
        .replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &queue,
        "
        start > A a/1
        pass 10s > nothing
        is stuck
        start > nothing
        pass 9d > nothing
        act not-done > A 2/a/1
        ",
    );
}

#[test]
fn a_queued_start_that_cannot_begin_is_complained_about() {
    let queue = ORDER
        .replace("key: event.id }\ndata", "key: event.id, again: queue }\ndata")
        .replace("data: { id: event.id }", "data: { size: event.size }");
    let complaint = "complaint t/Placed: `data: size` has no value: `event.size` is missing";
    check(
        &queue,
        &format!(
            r#"
            start {{"id": "k", "size": 1}} > Reserve reserve/1
            start {{"id": "k"}} > nothing
            SoldOut > fact Undone {{"kind":"rejected","reason":"no"}}; {complaint}
            is compensated
            "#
        ),
    );
}

#[test]
fn a_start_after_the_end_begins_anew_if_the_author_says_so() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    check(
        &again,
        "
        start > A a/1
        start ! ignored
        ANo > nothing
        start > A 2/a/1
        lives 2
        pass 8d > UndoA 2/a~undo/1
        lives 1
        ",
    );
}

#[test]
fn of_an_older_life_that_is_over_and_done_with_repetitions_are_known() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    check(
        &again,
        "
        start id=s > A a/1
        ADone id=x for=a/1 > B b/1
        BNo id=y for=b/1 > UndoA a~undo/1
        AUndone id=z for=a~undo/1 > nothing
        is compensated
        pass 1s > nothing
        start id=t > A 2/a/1
        lives 2
        start id=s ! duplicate
        ADone id=x for=a/1 ! duplicate
        ADone id=x ! duplicate
        ADone for=a/1 ! duplicate
        BNo id=y ! duplicate
        AUndone id=z ! duplicate
        is running
        ADone > B 2/b/1
        ",
    );
}

#[test]
fn a_key_that_is_forgotten_starts_afresh() {
    check(
        PAIR,
        "
        start > A a/1
        ANo > nothing
        pass 7d > nothing
        is forgotten
        start > A a/1
        ",
    );
}

/// Starts the saga by an event of that id; answers the id of its first command.
fn start(world: &mut World, id: &str) -> CommandId {
    let event = world.event(&format!("start id={id}"), None);
    match &world.tell(&Input::Event(event)).expect("it starts")[..] {
        [Effect::Command(message)] => message.id.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_life_after_all_are_forgotten_has_command_ids_of_its_own() {
    let mut world = World::of(PAIR);
    let one = start(&mut world, "one");
    assert_eq!(world.told("ANo"), "> nothing");
    world.pass("7d".parse().expect("a duration"));
    assert_eq!(world.instance, None);
    let two = start(&mut world, "two");
    assert_eq!(one.life.number, two.life.number);
    assert_ne!(one.idempotency_key(), two.idempotency_key());
    // Nor is an answer to the forgotten life one to this.
    assert_eq!(world.told(&format!("ADone for={one}")), "! unmatched");
    assert_eq!(world.told(&format!("ADone for={two}")), "> B b/1");
}

#[test]
fn a_start_that_is_repeated_after_all_is_forgotten_asks_for_nothing_new() {
    let mut world = World::of(PAIR);
    let one = start(&mut world, "one");
    assert_eq!(world.told("ANo"), "> nothing");
    world.pass("7d".parse().expect("a duration"));
    assert_eq!(start(&mut world, "one"), one);
}

#[test]
fn a_start_with_another_key_is_not_ours() {
    check(PAIR, r#"start {"id": "other"} ! unmatched"#);
}

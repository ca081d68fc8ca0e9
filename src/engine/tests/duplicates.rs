//! Repetitions and contradictions.

use super::{ORDER, PAIR, check, part, saga};
use crate::engine::{Input, Wake};

#[test]
fn a_repeated_start_changes_nothing() {
    check(
        ORDER,
        "
        start id=s > Reserve reserve/1
        start id=s ! duplicate
        start ! ignored
        SoldOut > fact Undone {\"kind\":\"rejected\",\"reason\":\"no\"}
        start id=s ! duplicate
        start ! ignored
        ",
    );
}

#[test]
fn a_repeated_answer_changes_nothing() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        Reserved id=x > Charge charge/1
        Reserved id=x ! duplicate
        Reserved ! duplicate
        Reserved for=reserve/1 ! duplicate
        Charged id=x > Ship ship/1
        Charged id=x ! duplicate
        ",
    );
}

#[test]
fn a_repeated_answer_is_not_taken_by_another_undoing() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone id=u > nothing
        ADone > UndoA a~undo.2/1
        AUndone id=u ! duplicate
        AUndone id=v > nothing
        AUndone id=v ! duplicate
        AUndone id=w ! duplicate
        ",
    );
}

#[test]
fn answers_that_contradict_each_other_are_shown_to_people() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        Reserved > Charge charge/1
        SoldOut for=reserve/1 ! refused
        SoldOut ! refused
        Declined > Release reserve~undo/1
        Charged for=charge/1 ! refused
        Charged ! refused
        is compensating
        ",
    );
}

#[test]
fn a_repeated_cancel_does_not_strike_the_next_life() {
    let again = ORDER.replace("key: event.id }\ndata", "key: event.id, after: new }\ndata");
    check(
        &again,
        r#"
        start > Reserve reserve/1
        Cancelled id=c > Release reserve~undo/1
        Released > fact Undone {"kind":"cancelled","reason":"Cancelled"}
        start > Reserve 2/reserve/1
        Cancelled id=c ! duplicate
        is running
        Cancelled id=d > Release 2/reserve~undo/1
        "#,
    );
}

#[test]
fn a_wake_that_is_not_due_changes_nothing() {
    let mut world = super::World::of(ORDER);
    assert!(world.tell(&Input::Wake(Wake::DUE)).is_err());
    world.told("start");
    let before = world.instance.clone();
    let ignored = world.tell(&Input::Wake(Wake::DUE));
    assert!(matches!(ignored, Err(super::Rejection::Ignored(_))), "{ignored:?}");
    assert_eq!(world.instance, before);
}

#[test]
fn an_act_is_obeyed_once() {
    let mut world = super::World::of(PAIR);
    world.told("start");
    world.told("ADone");
    world.told("BNo");
    world.told("pass 10s");
    let act = super::Input::Act(world.act("retry", None));
    assert_eq!(world.tell(&act).map(|effects| effects.len()), Ok(1));
    world.told("pass 10s");
    let again = world.tell(&act);
    assert!(matches!(again, Err(super::Rejection::Duplicate(_))), "{again:?}");
}

/// An answer that may be given first and another that a wait takes, in one kind of event.
fn told_in_two_parts(between: &str) -> String {
    let ask = "{ step: ask, command: t/Ask, done: { on: t/Told, where: event.n < 2 }, \
               failed: t/AskNo, within: 10s, compensate: none }";
    let outcome = "{ step: outcome, wait: { on: t/Told, where: event.n == 2 }, \
                   failed: { on: t/Told, where: event.n == 3 }, within: 3d }";
    saga("", &[ask, between, outcome, &part("b", "")]).replacen(
        "event.id }",
        "event.id, after: new }",
        1,
    )
}

#[test]
fn a_second_event_that_names_the_command_is_taken_by_the_wait_for_it() {
    let told = told_in_two_parts("set: { n: '1' }");
    check(
        &told,
        r#"
        start > Ask ask/1
        Told id=x for=ask/1 {"n": 1} > nothing
        Told id=x for=ask/1 {"n": 2} ! duplicate
        Told for=ask/1 {"n": 1} ! duplicate
        Told for=ask/1 {"n": 2} > B b/1
        Told for=ask/1 {"n": 2} ! unmatched
        "#,
    );
    check(
        &told,
        r#"
        start > Ask ask/1
        Told for=ask/1 {"n": 1} > nothing
        Told for=ask/1 {"n": 3} > nothing
        is compensated
        "#,
    );
}

#[test]
fn a_second_event_that_names_the_command_is_kept_for_the_wait_to_come() {
    check(
        &told_in_two_parts(&part("a", "")),
        r#"
        start > Ask ask/1
        Told for=ask/1 {"n": 1} > A a/1
        Told id=y for=ask/1 {"n": 2} > nothing
        Told id=y for=ask/1 {"n": 2} ! duplicate
        ADone > B b/1
        "#,
    );
}

#[test]
fn a_second_event_that_names_the_command_of_an_older_life_means_nothing_to_this_one() {
    check(
        &told_in_two_parts("set: { n: '1' }"),
        r#"
        start > Ask ask/1
        Told for=ask/1 {"n": 1} > nothing
        Told for=ask/1 {"n": 3} > nothing
        is compensated
        start > Ask 2/ask/1
        Told for=2/ask/1 {"n": 1} > nothing
        Told for=ask/1 {"n": 2} ! unmatched
        Told for=2/ask/1 {"n": 2} > B 2/b/1
        "#,
    );
}

#[test]
fn a_second_event_that_names_the_command_may_ask_for_the_way_back() {
    let stop = "{ step: stop, command: t/Stop, done: t/Cancelled, failed: t/StopNo, \
                within: 10s, compensate: none }";
    check(
        &saga("", &[stop, &part("b", "")]),
        "
        start > Stop stop/1
        Cancelled id=x for=stop/1 > B b/1
        Cancelled id=x for=stop/1 ! duplicate
        Cancelled for=stop/1 > UndoB b~undo/1
        ",
    );
}

#[test]
fn what_started_a_life_ends_no_wait_of_it() {
    let wait = "{ step: again, wait: t/Placed, within: 3d }";
    check(
        &saga("", &[wait, &part("b", "")]),
        "
        start id=s > nothing
        start id=s ! duplicate
        is running
        start id=r > B b/1
        start id=r ! duplicate
        start id=s ! duplicate
        ",
    );
}

#[test]
fn what_waits_to_start_the_next_life_ends_no_wait_of_this_one() {
    let wait = "{ step: again, wait: t/Placed, within: 3d, late: go-on }";
    let queued =
        saga("", &[&part("a", ""), wait]).replacen("event.id }", "event.id, again: queue }", 1);
    check(
        &queued,
        "
        start id=s > A a/1
        start id=q > nothing
        ADone > nothing
        start id=q ! duplicate
        is running
        start id=r > A 2/a/1
        lives 2
        start id=s ! duplicate
        start id=q ! duplicate
        ",
    );
}

#[test]
fn an_act_that_an_older_life_has_obeyed_is_not_obeyed_by_the_next() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    let mut world = super::World::of(&again);
    world.told("start");
    world.told("ADone");
    let act = super::Input::Act(world.act("go-back", None));
    assert!(world.tell(&act).is_ok());
    world.told("BNo");
    world.told("BUndone");
    world.told("AUndone");
    world.told("pass 1s");
    world.told("start");
    let instance = world.instance.as_ref().expect("it lives");
    assert_eq!((instance.lives.len(), instance.remnants.len()), (1, 1));
    let repeated = world.tell(&act);
    assert!(matches!(repeated, Err(super::Rejection::Duplicate(_))), "{repeated:?}");
}

//! Repetitions and contradictions.

use super::{ORDER, PAIR, check};
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

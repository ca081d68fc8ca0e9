//! Branches beside each other.

use super::{check, part, saga};

fn both(more: &str) -> String {
    let [a, b, c] = ["a", "b", "c"].map(|name| part(name, ""));
    let both = format!("{{ step: both, parallel: {{ one: [{a}], two: [{b}] }}{more} }}");
    saga("", &[&both, &c])
}

#[test]
fn the_saga_goes_on_when_all_branches_are_done() {
    check(
        &both(""),
        "
        start > A a/1; B b/1
        BDone > nothing
        ADone > C c/1
        CDone > nothing
        is completed
        ",
    );
}

#[test]
fn a_no_in_one_branch_takes_all_of_them_back() {
    check(
        &both(""),
        "
        start > A a/1; B b/1
        ADone > nothing
        BNo > UndoA a~undo/1
        is compensating
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn a_branch_that_still_runs_is_given_up_and_undone_beside_the_others() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| part(name, ""));
    let both = format!("{{ step: both, parallel: {{ one: [{a}, {b}], two: [{c}, {d}] }} }}");
    check(
        &saga("", &[&both]),
        "
        start > A a/1; C c/1
        ADone > B b/1
        CDone > D d/1
        Cancelled > UndoB b~undo/1; UndoD d~undo/1
        DUndone > UndoC c~undo/1
        BUndone > UndoA a~undo/1
        CUndone > nothing
        BDone > UndoB b~undo.2/1
        AUndone > nothing
        is compensating
        BUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn branches_are_undone_when_their_turn_comes() {
    check(
        &both(""),
        "
        start > A a/1; B b/1
        ADone > nothing
        BDone > C c/1
        CNo > UndoA a~undo/1; UndoB b~undo/1
        BUndone > nothing
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn the_first_wins_and_the_end_waits_for_the_others_to_be_undone() {
    check(
        &both(", join: first"),
        "
        start > A a/1; B b/1
        BDone > UndoA a~undo/1; C c/1
        CDone > nothing
        is running
        AUndone > nothing
        is completed
        ADone > UndoA a~undo.2/1
        ",
    );
}

#[test]
fn of_the_first_only_the_winner_has_set_anything() {
    let a = part("a", ", set: { who: event.shelf }");
    let b = part("b", ", set: { who: event.shelf }");
    let c = part("c", "");
    let both =
        format!("{{ step: both, join: first, parallel: {{ one: [{a}, {c}], two: [{b}] }} }}");
    check(
        &saga(
            "",
            &[
                &both,
                "{ emit: t/Told, step: tell, with: { who: '${data.who}' }, compensate: none }",
            ],
        ),
        r#"
        start > A a/1; B b/1
        ADone {"shelf": 1} > C c/1
        data {"id":"k"}
        BDone {"shelf": 2} > UndoC c~undo/1; fact Told {"who":2}
        data {"id":"k","who":2}
        CUndone > UndoA a~undo/1
        AUndone > nothing
        is completed
        "#,
    );
}

#[test]
fn a_rejected_branch_drops_out_and_all_rejected_is_a_no() {
    check(
        &both(", join: first"),
        "
        start > A a/1; B b/1
        ANo > nothing
        is running
        BNo > nothing
        is compensated
        ",
    );
    check(
        &both(", join: first, failed: { then: go-on }"),
        "
        start > A a/1; B b/1
        ANo > nothing
        BNo > C c/1
        ",
    );
}

#[test]
fn a_branch_that_drops_out_is_undone_before_all_are_rejected() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| part(name, ""));
    let race =
        format!("{{ step: both, join: first, parallel: {{ one: [{a}, {b}], two: [{c}] }} }}");
    check(
        &saga("", &[&d, &race]),
        "
        start > D d/1
        DDone > A a/1; C c/1
        ADone > B b/1
        BNo > UndoA a~undo/1
        CNo > nothing
        is running
        AUndone > UndoD d~undo/1
        DUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn a_block_that_takes_too_long_goes_back_or_is_undone_and_left_behind() {
    let slow = both(", within: 5s");
    check(&slow, "start > A a/1; B b/1\nADone > nothing\npass 5s > UndoA a~undo/1; UndoB b~undo/1");
    check(
        &both(", within: 5s, failed: { then: go-on }"),
        "
        start > A a/1; B b/1
        ADone > nothing
        pass 5s > UndoA a~undo/1; UndoB b~undo/1
        AUndone > nothing
        is running
        BUndone > C c/1
        CDone > nothing
        is completed
        ",
    );
    check(
        &both(", within: 5s, failed: { then: park }"),
        "
        start > A a/1; B b/1
        pass 5s > nothing
        is stuck
        ADone > nothing
        BDone > nothing
        act retry both > C c/1
        ",
    );
}

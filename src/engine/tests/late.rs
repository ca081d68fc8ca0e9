//! Late answers.

use super::{ORDER, PAIR, check};

#[test]
fn a_late_success_is_undone_again_once_by_a_fresh_id() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Cancelled > Refund charge~undo/1
        Refunded for=charge~undo/1 > Release reserve~undo/1
        Charged for=charge/1 > Refund charge~undo.2/1
        Charged for=charge/1 ! duplicate
        Charged ! duplicate
        Released > nothing
        is compensating
        Refunded for=charge~undo/1 ! duplicate
        Refunded for=charge~undo.2/1 > fact Undone {"kind":"cancelled","reason":"Cancelled"}
        is compensated
        "#,
    );
}

#[test]
fn a_success_that_crosses_its_undoing_is_undone_again() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        ADone > UndoA a~undo.2/1
        AUndone > nothing
        is compensating
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn a_success_after_the_end_is_undone() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        is compensated
        pass 6d > nothing
        ADone for=a/1 > UndoA a~undo.2/1
        is compensated
        ADone for=a/1 ! duplicate
        AUndone > nothing
        pass 2d > nothing
        is forgotten
        ",
    );
}

#[test]
fn what_is_owed_after_the_end_outlives_its_time() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        pass 604799s > nothing
        ADone > UndoA a~undo.2/1
        pass 30d > nothing
        is stuck
        act retry > UndoA a~undo.2/2
        is compensated
        pass 30d > nothing
        is stuck
        act skip > nothing
        is compensated
        pass 6d > nothing
        is compensated
        pass 1d > nothing
        is forgotten
        ",
    );
}

#[test]
fn a_late_rejection_changes_nothing() {
    check(
        PAIR,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        ANo > nothing
        ANo ! duplicate
        is compensating
        AUndone > nothing
        is compensated
        ADone for=a/1 ! refused
        ",
    );
}

#[test]
fn a_late_rejection_spares_a_step_that_is_not_yet_undone() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ANo > nothing
        BNo > nothing
        is compensated
        ",
    );
}

#[test]
fn a_late_success_on_the_way_forward_is_undone_at_once() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ADone > UndoA a~undo/1
        is running
        BDone > nothing
        is completed
        AUndone > nothing
        is completed
        ",
    );
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ADone > UndoA a~undo/1
        BNo > nothing
        is compensating
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn an_undoing_that_fails_after_the_end_is_a_persons_matter() {
    let park = PAIR.replace("failed: t/ANo", "failed: t/ANo\n    unknown: park");
    check(
        &park,
        "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        pass 1s > nothing
        ADone > UndoA a~undo/1
        BDone > nothing
        is completed
        pass 10s > nothing
        is stuck
        act retry > UndoA a~undo/2
        AUndone > nothing
        is completed
        ",
    );
}

#[test]
fn a_late_answer_without_an_id_belongs_to_the_oldest_life_that_lacks_it() {
    let again = PAIR.replace("key: event.id }", "key: event.id, after: new }");
    check(
        &again,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        start > A 2/a/1
        lives 2
        ADone > UndoA a~undo.2/1
        ADone > B 2/b/1
        AUndone > nothing
        BDone > nothing
        is completed
        ",
    );
    check(
        &again,
        "
        start > A a/1
        pass 10s > UndoA a~undo/1
        AUndone > nothing
        start > A 2/a/1
        ADone for=2/a/1 > B 2/b/1
        ADone for=a/1 > UndoA a~undo.2/1
        AUndone for=a~undo.2/1 > nothing
        BNo > UndoA 2/a~undo/1
        AUndone > nothing
        is compensated
        ",
    );
}

#[test]
fn an_undoing_that_fails_on_the_way_forward_holds_it_until_a_person_acts() {
    let slow = PAIR
        .replace("failed: t/ANo", "failed: t/ANo\n    unknown: park")
        .replace("failed: t/BNo\n    within: 10s", "failed: t/BNo\n    within: 1h");
    let held = "
        start > A a/1
        pass 10s > nothing
        act skip > B b/1
        ADone > UndoA a~undo/1
        pass 10s > nothing
        is stuck
    ";
    check(&slow, &format!("{held} BDone > nothing\nis stuck\nact done > nothing\nis completed"));
    check(
        &slow,
        &format!(
            "{held} BNo > nothing
            is stuck
            act retry > UndoA a~undo/2
            is compensating
            AUndone > nothing
            is compensated
            "
        ),
    );
}

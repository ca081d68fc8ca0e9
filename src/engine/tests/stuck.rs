//! Stuck instances and what people do about them.

use super::{ORDER, PAIR, check};

pub(super) fn parked() -> String {
    ORDER.replace("failed: t/Declined", "failed: { on: t/Declined, then: park }\n    unknown: park")
}

pub(super) const CHARGING: &str = "
    start > Reserve reserve/1
    Reserved > Charge charge/1
    pass 21s > Charge charge/2; fact Help {\"step\":\"charge\"}
    is stuck
";

fn charging(script: &str) {
    check(&parked(), &format!("{CHARGING}{script}"));
}

#[test]
fn a_running_saga_takes_no_act() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        act retry ! refused
        act go-back reserve ! refused
        ",
    );
    check(ORDER, "act retry ! unmatched");
}

#[test]
fn an_act_names_the_step_that_is_stuck() {
    charging(
        "
        act retry reserve ! refused
        act retry charge > Charge charge/3
        is running
        ",
    );
}

#[test]
fn a_retry_has_a_new_budget() {
    charging(
        r#"
        act retry > Charge charge/3
        pass 21s > Charge charge/4; fact Help {"step":"charge"}
        "#,
    );
}

#[test]
fn a_stuck_step_takes_its_late_answer() {
    charging("Charged for=charge/1 > Ship ship/1\nis running");
    charging(
        r#"
        Declined > fact Help {"step":"charge"}
        is stuck
        act skip > Ship ship/1
        Refused > Release reserve~undo/1
        "#,
    );
}

#[test]
fn a_skipped_step_that_may_have_happened_is_undone_on_the_way_back() {
    charging(
        "
        act skip > Ship ship/1
        Refused > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        ",
    );
}

#[test]
fn resolved_as_done_goes_on_with_the_fields_that_the_person_gave() {
    charging(
        r#"
        act done {"receipt": 5} > Ship ship/1
        data {"id":"k","shelf":7,"receipt":5}
        Charged for=charge/2 ! duplicate
        Declined for=charge/2 ! refused
        Refused > Refund charge~undo/1
        "#,
    );
}

#[test]
fn resolved_as_not_done_goes_back_and_does_not_undo_it() {
    charging(
        r#"
        act not-done > Release reserve~undo/1
        Released > fact Undone {"kind":"rejected","reason":"not done, says ann: because"}
        "#,
    );
}

#[test]
fn a_success_after_resolved_as_not_done_is_undone_first() {
    charging(
        r#"
        act not-done > Release reserve~undo/1
        Charged > nothing
        Released > Refund charge~undo/1
        Refunded > fact Undone {"kind":"rejected","reason":"not done, says ann: because"}
        "#,
    );
}

#[test]
fn sent_back_by_a_person_undoes_what_may_have_happened() {
    charging(
        r#"
        act go-back > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"cancelled","reason":"ann: because"}
        "#,
    );
}

#[test]
fn a_cancel_takes_a_stuck_saga_back() {
    charging("Cancelled > Refund charge~undo/1");
}

#[test]
fn a_deadline_leaves_a_stuck_step_to_its_person_and_counts_once_it_moves() {
    charging(
        r#"
        pass 1h > nothing
        is stuck
        act done > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"deadline","reason":"not done within 30m"}
        "#,
    );
}

#[test]
fn an_undoing_that_is_stuck_is_sent_again_or_settled() {
    let undoing = "
        start > A a/1
        ADone > B b/1
        BDone > nothing
    ";
    check(PAIR, undoing);
    let stuck = "
        start > A a/1
        ADone > B b/1
        pass 20s > UndoB b~undo/1
        is stuck
    ";
    for settle in ["skip", "done"] {
        check(
            PAIR,
            &format!(
                "{stuck}
                act go-back ! refused
                act {settle} > UndoA a~undo/1
                AUndone > nothing
                is compensated
                "
            ),
        );
    }
    for again in ["retry", "not-done"] {
        check(
            PAIR,
            &format!(
                "{stuck}
                act {again} > UndoB b~undo/2
                is compensating
                BUndone for=b~undo/1 > UndoA a~undo/1
                "
            ),
        );
    }
}

#[test]
fn two_undoings_of_one_step_are_one_matter() {
    let told = PAIR.replace("steps:", "ends:\n  stuck: { emit: t/Help }\nsteps:");
    let stuck = "
        start > A a/1
        pass 10s > UndoA a~undo/1
        ADone > UndoA a~undo.2/1
        pass 10s > fact Help
        is stuck
    ";
    check(&told, &format!("{stuck} act retry > UndoA a~undo/2; UndoA a~undo.2/2"));
    check(&told, &format!("{stuck} act skip > nothing\nis compensated"));
    check(
        &told,
        &format!(
            "{stuck} AUndone > nothing
            is stuck
            AUndone > nothing
            is compensated
            "
        ),
    );
}

#[test]
fn a_message_that_cannot_be_filled_waits_for_a_person() {
    let definition =
        ORDER.replace("command: t/Charge\n", "command: t/Charge\n    key: data.shelf.row\n");
    check(
        &definition,
        r#"
        start > Reserve reserve/1
        Reserved > fact Help {"step":"charge"}
        act retry > fact Help {"step":"charge"}
        Cancelled > Release reserve~undo/1
        Released > fact Undone {"kind":"cancelled","reason":"Cancelled"}
        "#,
    );
}

#[test]
fn an_undoing_that_cannot_be_filled_waits_for_a_person() {
    let definition = PAIR.replace("{ command: t/UndoA,", "{ command: t/UndoA, key: data.row.x,");
    let definition = definition.replace("late: 7d", "late: 7d\ndata: { row: event.row }");
    check(
        &definition,
        r#"
        start {"id": "k", "row": [1]} > A a/1
        ADone > B b/1
        BNo > nothing
        is stuck
        act retry > nothing
        is stuck
        act skip > nothing
        is compensated
        "#,
    );
}

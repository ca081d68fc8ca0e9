//! The way back.

use super::{ORDER, PAIR, check};

#[test]
fn declined_payment_releases_stock() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved for=reserve/1 > Charge charge/1
        Declined for=charge/1 > Release reserve~undo/1
        is compensating
        Released for=reserve~undo/1 > fact Undone {"kind":"rejected","reason":"Declined"}
        is compensated
        pass 8d > nothing
        is forgotten
        "#,
    );
}

#[test]
fn a_rejected_step_is_not_undone() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        SoldOut {"why": "none left"} > fact Undone {"kind":"rejected","reason":"none left"}
        is compensated
        "#,
    );
}

#[test]
fn undoing_runs_in_reverse_order_of_completion() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Charged > Ship ship/1
        Refused > Refund charge~undo/1
        Released ! unmatched
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"rejected","reason":"Refused"}
        "#,
    );
}

#[test]
fn a_step_without_an_answer_is_undone_as_if_it_had_happened() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        pass 10s > nothing
        pass 1s > Charge charge/2
        pass 9s > nothing
        pass 1s > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"exhausted","reason":"charge has not answered 2 attempts"}
        "#,
    );
}

#[test]
fn a_rejection_of_a_later_attempt_speaks_for_the_earlier_ones() {
    for rejected in ["Declined for=charge/2", "Declined for=charge/1", "Declined"] {
        check(
            ORDER,
            &format!(
                r#"
                start > Reserve reserve/1
                Reserved > Charge charge/1
                pass 11s > Charge charge/2
                {rejected} > Release reserve~undo/1
                Declined for=charge/1 ! duplicate
                Released > fact Undone {{"kind":"rejected","reason":"Declined"}}
                "#
            ),
        );
    }
}

#[test]
fn a_rejection_during_the_pause_between_attempts_counts() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        pass 10s > nothing
        SoldOut > fact Undone {"kind":"rejected","reason":"no"}
        pass 1m > nothing
        "#,
    );
}

#[test]
fn a_cancel_gives_up_what_runs_and_undoes_all_that_may_have_happened() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Cancelled > Refund charge~undo/1
        Cancelled ! ignored
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"cancelled","reason":"Cancelled"}
        Cancelled ! ignored
        "#,
    );
}

#[test]
fn a_cancel_during_the_pause_between_attempts_counts() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        pass 10s > nothing
        Cancelled > Release reserve~undo/1
        pass 5s > nothing
        ",
    );
}

#[test]
fn the_deadline_of_the_saga_takes_it_back() {
    let definition = ORDER.replace("within: 30m", "within: 15s");
    check(
        &definition,
        r#"
        start > Reserve reserve/1
        pass 9s > nothing
        Reserved > Charge charge/1
        pass 6s > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"deadline","reason":"not done within 15s"}
        "#,
    );
}

#[test]
fn undoing_is_sent_again_within_its_budget_and_then_parked() {
    check(
        PAIR,
        "
        start > A a/1
        ADone > B b/1
        BNo > UndoA a~undo/1
        pass 10s > nothing
        is stuck
        AUndone for=a~undo/1 > nothing
        is compensated
        ",
    );
}

#[test]
fn nothing_to_undo_is_not_waited_for() {
    let definition = PAIR.replace(
        "{ command: t/UndoA, done: t/AUndone, within: 10s, retry: { attempts: 1 } }",
        "none",
    );
    check(
        &definition,
        "
        start > A a/1
        ADone > B b/1
        BNo > nothing
        is compensated
        ",
    );
}

#[test]
fn a_fact_is_corrected_by_a_fact() {
    let definition = "
saga: s
version: 1
start: { on: t/Placed, key: event.id }
steps:
  - step: tell
    emit: t/Accepted
    compensate: { emit: t/Withdrawn }
  - step: b
    command: t/B
    done: t/BDone
    failed: t/BNo
    compensate: none
";
    check(
        definition,
        "
        start > fact Accepted; B b/1
        BNo > fact Withdrawn
        is compensated
        ",
    );
}

#[test]
fn an_undoing_writes_what_its_answer_says() {
    let definition = ORDER
        .replace("done: t/Released", "done: t/Released\n      set: { slip: event.slip }")
        .replace(
            "kind: '${failure.kind}', reason",
            "slip: '${has(data.slip) ? data.slip : 0}', reason",
        );
    check(
        &definition,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Declined > Release reserve~undo/1
        Released ! refused
        Released {"slip": 9} > fact Undone {"slip":9,"reason":"Declined"}
        "#,
    );
}

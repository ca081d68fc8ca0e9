//! The pivot.

use super::{ORDER, check};

/// An order on its way to the pivot.
const SHIPPING: &str = "
    start > Reserve reserve/1
    Reserved > Charge charge/1
    Charged > Ship ship/1
";

fn shipping(script: &str) {
    check(ORDER, &format!("{SHIPPING}{script}"));
}

#[test]
fn a_cancel_waits_for_the_pivot_and_is_refused_when_it_is_done() {
    shipping(
        "
        Cancelled > nothing
        Cancelled ! ignored
        is running
        Shipped > fact Told; fact Done
        Cancelled ! refused
        is completed
        ",
    );
}

#[test]
fn a_cancel_waits_for_the_pivot_and_counts_when_it_is_rejected() {
    shipping(
        r#"
        Cancelled > nothing
        Refused > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"rejected","reason":"Refused"}
        "#,
    );
}

#[test]
fn a_cancel_counts_when_the_saga_goes_on_without_the_pivot() {
    let definition = ORDER
        .replace("failed: t/Refused", "failed: { on: t/Refused, then: go-on }")
        .replace("emit: t/Told", "emit: t/Told\n    compensate: none");
    check(
        &definition,
        &format!(
            r#"{SHIPPING}
            Cancelled > nothing
            Refused > Refund charge~undo/1
            Refunded > Release reserve~undo/1
            Released > fact Undone {{"kind":"cancelled","reason":"Cancelled"}}
            "#
        ),
    );
}

#[test]
fn a_deadline_waits_for_the_pivot() {
    let definition = ORDER.replace("within: 30m", "within: 5s");
    check(
        &definition,
        &format!(
            "{SHIPPING}
            pass 6s > nothing
            is running
            Shipped > fact Told; fact Done
            "
        ),
    );
    check(
        &definition,
        &format!(
            "{SHIPPING}
            pass 6s > nothing
            Refused > Refund charge~undo/1
            "
        ),
    );
}

#[test]
fn a_pivot_without_an_answer_is_never_given_up() {
    shipping(
        r#"
        pass 11s > Ship ship/2
        Cancelled > nothing
        pass 10s > fact Help {"step":"ship"}
        is stuck
        pass 2h > nothing
        is stuck
        act go-back ! refused
        act skip ! refused
        Shipped for=ship/1 > fact Told; fact Done
        is completed
        "#,
    );
}

#[test]
fn a_pivot_that_a_person_says_is_not_done_goes_back_and_its_late_success_waits_for_a_person() {
    shipping(
        r#"
        pass 21s > Ship ship/2; fact Help {"step":"ship"}
        act not-done > Refund charge~undo/1
        Shipped > nothing
        Refunded > fact Help {"step":"ship"}
        is stuck
        Shipped ! duplicate
        act retry ! refused
        act go-back ! refused
        act done > Release reserve~undo/1
        is compensating
        Released > fact Undone {"kind":"rejected","reason":"not done, says ann: because"}
        "#,
    );
    shipping(
        r#"
        pass 21s > Ship ship/2; fact Help {"step":"ship"}
        act not-done > Refund charge~undo/1
        Refunded > Release reserve~undo/1
        Released > fact Undone {"kind":"rejected","reason":"not done, says ann: because"}
        Shipped > fact Help {"step":"ship"}
        is stuck
        act done > nothing
        is compensated
        pass 8d > nothing
        is forgotten
        "#,
    );
}

#[test]
fn behind_the_pivot_steps_are_retried_and_then_parked() {
    let definition = ORDER.replace(
        "  - step: tell\n    emit: t/Told\n",
        "  - step: tell
    command: t/Tell
    done: t/Told
    failed: { on: t/Deaf, then: park }
    within: 10s
    retry: { attempts: 2, first: 1s, factor: 2, most: 1s }
    unknown: park
",
    );
    check(
        &definition,
        &format!(
            r#"{SHIPPING}
            Shipped > Tell tell/1
            Cancelled ! refused
            pass 31m > Tell tell/2; fact Help {{"step":"tell"}}
            is stuck
            Cancelled ! refused
            act not-done ! refused
            act go-back ! refused
            act retry > Tell tell/3
            Deaf > fact Help {{"step":"tell"}}
            act retry > Tell tell/4
            Told for=tell/1 > fact Done
            is completed
            "#
        ),
    );
    check(
        &definition,
        &format!(
            r#"{SHIPPING}
            Shipped > Tell tell/1
            Deaf > fact Help {{"step":"tell"}}
            act skip > fact Done
            is completed
            Told for=tell/1 ! refused
            "#
        ),
    );
}

#[test]
fn behind_the_pivot_what_was_skipped_stays_when_it_succeeds_late() {
    let told = "  - step: tell
    command: t/Tell
    done: t/Told
    within: 10s
    retry: { attempts: 1 }
    unknown: park
  - { step: thank, command: t/Thank, done: t/Thanked, within: 10s }
";
    let alone = "  - step: alone
    lock: [\"hall\"]
    within: 1d
    failed: { then: go-on }
    steps: [ { step: tell, command: t/Tell, done: t/Told, within: 10s,
               retry: { attempts: 1 }, unknown: park } ]
  - { step: thank, command: t/Thank, done: t/Thanked, within: 10s }
";
    let with = |steps: &str| ORDER.replace("  - step: tell\n    emit: t/Told\n", steps);
    check(
        &with(told),
        &format!(
            r#"{SHIPPING}
            Shipped > Tell tell/1
            pass 10s > fact Help {{"step":"tell"}}
            act skip > Thank thank/1
            Told for=tell/1 > nothing
            is running
            Thanked > fact Done
            is completed
            "#
        ),
    );
    check(
        &with(alone),
        &format!(
            r#"{SHIPPING}
            Shipped > acquire to segue-lock/hall; granted to order/k; Tell tell/1
            pass 10s > fact Help {{"step":"tell"}}
            act skip > release to segue-lock/hall; Thank thank/1
            Told for=tell/1 > nothing
            Thanked > fact Done
            is completed
            "#
        ),
    );
}

#[test]
fn a_pivot_retries_for_a_day_by_default() {
    let definition = ORDER.replace("    unknown: park\n", "");
    check(
        &definition,
        &format!(
            "{SHIPPING}
            Cancelled > nothing
            pass 12s > Ship ship/2
            pass 10s > Ship ship/3
            is running
            Shipped > fact Told; fact Done
            "
        ),
    );
}

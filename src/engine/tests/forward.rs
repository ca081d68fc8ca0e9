//! The way forward.

use super::{ORDER, check};

#[test]
fn an_order_goes_step_by_step_to_its_end() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved for=reserve/1 {"shelf": 7} > Charge charge/1
        data {"id":"k","shelf":7}
        Charged for=charge/1 > Ship ship/1
        is running
        Shipped for=ship/1 > fact Told; fact Done
        is completed
        pass 6d > nothing
        is completed
        pass 2d > nothing
        is forgotten
        "#,
    );
}

#[test]
fn an_answer_without_a_command_id_is_taken_by_its_kind() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        Charged ! unmatched
        Reserved > Charge charge/1
        Charged > Ship ship/1
        Shipped > fact Told; fact Done
        ",
    );
}

#[test]
fn an_answer_to_somebody_elses_command_is_not_taken() {
    check(
        ORDER,
        "
        start > Reserve reserve/1
        Reserved for=order/other/1/reserve/1 ! unmatched
        Reserved for=cart/k/1/reserve/1 ! unmatched
        Reserved for=reserve/2 ! unmatched
        Reserved for=reserve/0 ! unmatched
        Reserved for=2/reserve/1 ! unmatched
        Reserved for=reserve~undo/1 ! unmatched
        Reserved for=nonsense/1 ! unmatched
        Charged for=reserve/1 ! unmatched
        Reserved for=any-text-of-the-participant > Charge charge/1
        ",
    );
}

#[test]
fn an_answer_that_lacks_a_field_changes_nothing() {
    check(
        ORDER,
        r#"
        start > Reserve reserve/1
        Reserved {"id": "k"} ! refused
        SoldOut {"id": "k"} ! refused
        is running
        Reserved {"id": "k", "shelf": 1.50} > Charge charge/1
        data {"id":"k","shelf":1.50}
        "#,
    );
}

#[test]
fn a_start_that_lacks_a_field_begins_nothing() {
    let shelf = ORDER.replace("data: { id: event.id }", "data: { shelf: event.shelf }");
    check(&shelf, "start ! refused\nis forgotten\nlives 0");
}

#[test]
fn a_condition_leaves_a_step_out() {
    let gift = ORDER
        .replace("data: { id: event.id }", "data: { id: event.id, free: event.free }")
        .replace("command: t/Charge\n", "command: t/Charge\n    when: data.free\n");
    check(
        &gift,
        r#"
        start {"id": "k", "free": false} > Reserve reserve/1
        Reserved > Ship ship/1
        Refused > Release reserve~undo/1
        Released > fact Undone {"kind":"rejected","reason":"Refused"}
        "#,
    );
    check(
        &gift,
        r#"
        start {"id": "k", "free": true} > Reserve reserve/1
        Reserved > Charge charge/1
        "#,
    );
}

#[test]
fn a_condition_without_an_answer_waits_for_a_person() {
    let gift = ORDER
        .replace("data: { id: event.id }", "data: { id: event.id, free: event.free }")
        .replace("command: t/Charge\n", "command: t/Charge\n    when: data.free\n");
    check(
        &gift,
        r#"
        start {"id": "k", "free": "perhaps"} > Reserve reserve/1
        Reserved > fact Help {"step":"charge"}
        is stuck
        act retry > fact Help {"step":"charge"}
        act done {"free": true} > Ship ship/1
        is running
        "#,
    );
}

#[test]
fn a_set_computes_and_a_fail_goes_back() {
    let definition = "
saga: s
version: 1
start: { on: t/Placed, key: event.id }
data: { id: event.id, dear: event.dear }
steps:
  - step: a
    command: t/A
    done: t/ADone
    compensate: { command: t/UndoA, done: t/AUndone }
  - set: { copy: data.id }
  - fail: 'no, ${data.copy}'
    when: data.dear
  - emit: t/Told
    step: tell
    with: { copy: '${data.copy}' }
    compensate: none
";
    check(
        definition,
        r#"
        start {"id": "k", "dear": false} > A a/1
        ADone > fact Told {"copy":"k"}
        is completed
        "#,
    );
    check(
        definition,
        r#"
        start {"id": "k", "dear": true} > A a/1
        ADone > UndoA a~undo/1
        data {"id":"k","dear":true,"copy":"k"}
        AUndone > nothing
        is compensated
        "#,
    );
}

#[test]
fn a_rejection_that_the_saga_deals_with_goes_on() {
    let definition = ORDER.replace(
        "failed: t/Declined",
        "failed: { on: t/Declined, then: go-on, set: { unpaid: event.why } }",
    );
    check(
        &definition,
        r#"
        start > Reserve reserve/1
        Reserved > Charge charge/1
        Declined {"why": "later"} > Ship ship/1
        data {"id":"k","shelf":7,"unpaid":"later"}
        Refused > Release reserve~undo/1
        Released > fact Undone {"kind":"rejected","reason":"Refused"}
        "#,
    );
}

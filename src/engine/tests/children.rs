//! Other sagas as children.

use super::{check_family, part, saga};

fn child() -> String {
    let c = part("c", "");
    saga("", &[&c])
        .replace("saga: s", "saga: child")
        .replace("start: { on: t/Placed, key: event.id }", "start: { by: parent }")
        .replace("cancel: { on: t/Cancelled, key: event.id }\n", "")
        + "ends: { compensated: { emit: t/ChildUndone } }\n"
}

fn parent(more: &str) -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let settle = format!(
        "{{ step: settle, saga: child, with: {{ id: '${{data.id}}' }}, within: 1h, \
         set: {{ got: child.data.id }}{more} }}"
    );
    saga("", &[&a, &settle, &b])
}

fn family(more: &str, script: &str) {
    check_family(&parent(more), &[&child()], script);
}

const HERE: &str = "start > A a/1\nADone > start to child/k/settle; C c/1";

#[test]
fn a_child_that_completes_is_done() {
    family(
        ", compensate: child",
        &format!(
            r#"{HERE}
            @child/k/settle CDone > ended to s/k; B b/1
            data {{"id":"k","got":"k"}}
            BDone > parent-gone to child/k/settle
            is completed
            "#
        ),
    );
}

#[test]
fn a_child_that_is_compensated_is_a_no_with_its_reason() {
    family(
        ", compensate: child",
        &format!(
            "{HERE}
            @child/k/settle CNo > fact ChildUndone; ended to s/k; parent-gone to s/k; UndoA a~undo/1
            "
        )
        .replace("; parent-gone to s/k", ""),
    );
}

#[test]
fn a_completed_child_takes_itself_back() {
    family(
        ", compensate: child",
        &format!(
            "{HERE}
            @child/k/settle CDone > ended to s/k; B b/1
            BNo > take-back to child/k/settle; UndoC c~undo/1
            @child/k/settle CUndone > fact ChildUndone; taken-back to s/k; UndoA a~undo/1
            AUndone > parent-gone to child/k/settle
            is compensated
            "
        ),
    );
}

#[test]
fn a_running_child_goes_back_whatever_compensate_says() {
    family(
        ", compensate: none",
        &format!(
            "{HERE}
            Cancelled > take-back to child/k/settle; UndoC c~undo/1
            @child/k/settle CUndone > fact ChildUndone; taken-back to s/k; UndoA a~undo/1
            "
        ),
    );
}

#[test]
fn a_child_that_takes_too_long_is_taken_back_before_the_saga_goes_on() {
    family(
        ", compensate: child, failed: { then: go-on }",
        &format!(
            "{HERE}
            pass 5s > nothing
            @child/k/settle CDone > ended to s/k; B b/1
            "
        ),
    );
    let slow = child().replace(
        "within: 10s, retry: { attempts: 1 }, comp",
        "within: 5h, retry: { attempts: 1 }, comp",
    );
    check_family(
        &parent(", compensate: child, failed: { then: go-on }")
            .replace("set: { got: child.data.id }, ", ""),
        &[&slow],
        &format!(
            "{HERE}
            pass 1h > take-back to child/k/settle; UndoC c~undo/1
            is running
            @child/k/settle CUndone > fact ChildUndone; taken-back to s/k; B b/1
            "
        ),
    );
}

#[test]
fn a_key_that_is_taken_is_a_no() {
    let other = child().replace(
        "start: { by: parent }",
        "start: [ { by: parent }, { on: t/Own, key: event.id } ]",
    );
    check_family(
        &parent(", compensate: child"),
        &[&other],
        r#"
        @child/k/settle Own {"id": "k/settle"} > C c/1
        start > A a/1
        ADone > start to child/k/settle; taken to s/k; UndoA a~undo/1
        "#,
    );
}

#[test]
fn a_child_that_is_not_known_is_a_no() {
    check_family(
        &parent(", compensate: child"),
        &[],
        "
        start > A a/1
        ADone > start to child/k/settle; ended to s/k; UndoA a~undo/1
        ",
    );
}

#[test]
fn what_was_resolved_as_done_without_a_child_is_undone_by_a_person() {
    family(
        ", compensate: child, key: 'data.id == \"k\" ? \"\" : data.id'",
        "
        start > A a/1
        ADone > nothing
        is stuck
        act done {} > B b/1
        BNo > nothing
        is stuck
        act done > UndoA a~undo/1
        ",
    );
}

#[test]
fn a_child_is_remembered_as_long_as_its_parent_lives_and_then_its_own_time() {
    family(
        ", compensate: child",
        &format!(
            "{HERE}
            @child/k/settle CDone > ended to s/k; B b/1
            BDone > parent-gone to child/k/settle
            pass 6d > nothing
            @child/k/settle CDone ! duplicate
            pass 2d > nothing
            @child/k/settle CDone ! unmatched
            "
        ),
    );
}

#[test]
fn a_life_that_was_compensated_is_forgotten_when_a_person_asks_for_another() {
    family(
        ", compensate: child, failed: { then: park }",
        &format!(
            "{HERE}
            @child/k/settle CNo > fact ChildUndone; ended to s/k
            is stuck
            act retry > start to child/k/settle; C 2/c/1
            @child/k/settle CDone for=child/k%2Fsettle/2/c/1 > ended to s/k; B b/1
            BDone > parent-gone to child/k/settle
            pass 8d > nothing
            @child/k/settle CDone ! unmatched
            "
        ),
    );
}

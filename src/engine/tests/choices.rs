//! One of several branches.

use super::{check, part, saga};

fn route(more: &str) -> String {
    let [a, b, c] = ["a", "b", "c"].map(|name| part(name, ""));
    let arms = format!(
        "{{ step: route, choose: [ {{ when: data.n > 1, steps: [{a}] }}, \
         {{ otherwise: true, steps: [{b}] }} ]{more} }}"
    );
    saga(", n: event.n", &[&arms, &c])
}

#[test]
fn the_first_branch_whose_guard_holds_is_taken_and_undone() {
    check(
        &route(""),
        r#"
        start {"id": "k", "n": 2} > A a/1
        ADone > C c/1
        CNo > UndoA a~undo/1
        AUndone > nothing
        is compensated
        "#,
    );
    check(&route(""), r#"start {"id": "k", "n": 1} > B b/1"#);
}

#[test]
fn a_no_in_the_branch_takes_the_saga_back() {
    check(&route(""), "start {\"id\": \"k\", \"n\": 1} > B b/1\nBNo > nothing\nis compensated");
}

#[test]
fn a_guard_without_an_answer_waits_for_a_person() {
    check(
        &route(""),
        r#"
        start {"id": "k", "n": "x"} > nothing
        is stuck
        act retry route > nothing
        act done route {"n": 3} > C c/1
        "#,
    );
}

#[test]
fn a_gap_in_guards_that_were_said_to_be_total_parks() {
    let a = part("a", "");
    let total =
        format!("{{ step: route, total: true, choose: [ {{ when: data.n > 1, steps: [{a}] }} ] }}");
    check(
        &saga(", n: event.n", &[&total]),
        r#"start {"id": "k", "n": 1} > nothing
        is stuck
        act skip > nothing
        is completed"#,
    );
}

#[test]
fn a_pivot_in_a_branch_is_the_sagas_pivot() {
    let a = part("a", "");
    let ship = "{ step: ship, pivot: true, command: t/Ship, done: t/Shipped, failed: t/Refused, \
                within: 10s, unknown: park, retry: { attempts: 1 } }";
    let late = "{ step: end, command: t/End, done: t/Ended, failed: { on: t/EndNo, then: park }, \
                within: 10s, unknown: park, retry: { attempts: 1 } }";
    let arms = format!(
        "{{ step: route, choose: [ {{ when: data.n > 1, steps: [{ship}] }}, \
         {{ otherwise: true, steps: [{ship2}] }} ] }}",
        ship2 = ship
            .replace("step: ship", "step: fly")
            .replace("Ship", "Fly")
            .replace("Refused", "Grounded"),
    );
    check(
        &saga(", n: event.n", &[&a, &arms, late]),
        r#"
        start {"id": "k", "n": 2} > A a/1
        ADone > Ship ship/1
        Cancelled > nothing
        Shipped > End end/1
        Cancelled ! refused
        EndNo > nothing
        is stuck
        act go-back ! refused
        act skip > nothing
        is completed
        "#,
    );
}

//! Composite steps in one another.

use super::{check, part, saga, saga_by_id};

#[test]
fn a_fan_out_in_a_fan_out_has_two_coordinates() {
    let a = part("a", ", set: { got: event.shelf }");
    let inner = format!(
        "{{ step: parts, each: item.parts, at-most: 3, steps: [{a}], \
         collect: {{ all: branch.got }} }}"
    );
    let outer = format!(
        "{{ step: lines, each: data.lines, at-most: 3, steps: [{inner}], \
         collect: {{ sums: branch.all }} }}"
    );
    check(
        &saga_by_id(", lines: event.lines", &[&outer]),
        r#"
        start {"id": "k", "lines": [{"parts": [1, 2]}, {"parts": [3]}]} > A a[0][0]/1;
            A a[0][1]/1; A a[1][0]/1
        ADone for=a[0][1]/1 {"shelf": 2} > nothing
        ADone for=a[1][0]/1 {"shelf": 3} > nothing
        ADone for=a[0][0]/1 {"shelf": 1} > nothing
        data {"id":"k","lines":[{"parts":[1,2]},{"parts":[3]}],"sums":[[1,2],[3]]}
        is completed
        "#,
    );
}

#[test]
fn a_branch_that_drops_out_takes_all_that_is_in_it_along() {
    let [a, b, c] = ["a", "b", "c"].map(|name| part(name, ""));
    let both = format!("{{ step: both, parallel: {{ one: [{a}], two: [{b}] }} }}");
    let each = format!(
        "{{ step: lines, each: data.lines, at-most: 3, on-failed: drop, steps: [{both}] }}"
    );
    check(
        &saga_by_id(", lines: event.lines", &[&each, &c]),
        r#"
        start {"id": "k", "lines": [7, 8]} > A a[0]/1; B b[0]/1; A a[1]/1; B b[1]/1
        BNo for=b[1]/1 > UndoA a[1]~undo/1
        ADone for=a[0]/1 > nothing
        BDone for=b[0]/1 > nothing
        is running
        AUndone for=a[1]~undo/1 > C c/1
        CNo for=c/1 > UndoA a[0]~undo/1; UndoB b[0]~undo/1
        "#,
    );
}

#[test]
fn a_lock_in_a_branch_of_a_race_is_let_go_when_it_is_undone() {
    let [a, b, c] = ["a", "b", "c"].map(|name| part(name, ""));
    let lock = format!("{{ step: safe, lock: [x], within: 30s, steps: [{a}] }}");
    let race = format!("{{ step: race, join: first, parallel: {{ one: [{lock}], two: [{b}] }} }}");
    check(
        &saga("", &[&race, &c]),
        "
        start > acquire to segue-lock/x; B b/1; granted to s/k; A a/1
        BDone > UndoA a~undo/1; C c/1
        AUndone > release to segue-lock/x
        CDone > nothing
        is completed
        ",
    );
}

#[test]
fn a_lock_around_a_race_is_kept_until_the_losers_are_undone() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| part(name, ""));
    let race = format!("{{ step: race, join: first, parallel: {{ one: [{a}], two: [{b}] }} }}");
    let lock = format!("{{ step: safe, lock: [x], within: 30s, steps: [{race}, {d}] }}");
    check(
        &saga("", &[&lock, &c]),
        "
        start > acquire to segue-lock/x; granted to s/k; A a/1; B b/1
        BDone > UndoA a~undo/1; D d/1
        DDone > nothing
        AUndone > release to segue-lock/x; C c/1
        CDone > nothing
        is completed
        ",
    );
}

#[test]
fn a_wait_in_a_branch_finds_its_own_fact() {
    let wait = "{ step: answer, wait: { on: t/Yes, where: event.n == item }, within: 3d }";
    let a = part("a", "");
    let each = format!(
        "{{ step: lines, each: data.lines, at-most: 3, at-once: 1, steps: [{wait}, {a}] }}"
    );
    let own = "by: command-id }, t/Yes: { key: event.id }";
    check(
        &saga_by_id(", lines: event.lines", &[&each]).replace("by: command-id }", own),
        r#"
        start {"id": "k", "lines": [7, 8]} > nothing
        Yes {"n": 8} > nothing
        Yes {"n": 7} > A a[0]/1
        ADone for=a[0]/1 > A a[1]/1
        ADone for=a[1]/1 > nothing
        is completed
        "#,
    );
}

#[test]
fn a_loser_inside_a_branch_that_is_over_is_undone_before_the_end() {
    let [a, b, c] = ["a", "b", "c"].map(|name| part(name, ""));
    let race = format!("{{ step: race, join: first, parallel: {{ one: [{a}], two: [{b}] }} }}");
    let both = format!("{{ step: both, parallel: {{ three: [{race}], four: [{c}] }} }}");
    check(
        &saga("", &[&both]),
        "
        start > A a/1; B b/1; C c/1
        BDone > UndoA a~undo/1
        CDone > nothing
        is running
        AUndone > nothing
        is completed
        ",
    );
}

//! One branch for each element of a list.

use super::{check, part, saga_by_id};

fn lines(more: &str) -> String {
    let a = part("a", ", set: { got: event.shelf }");
    let c = part("c", "");
    let each = format!(
        "{{ step: lines, each: data.lines, at-most: 3, at-once: 2, steps: [{a}], \
         collect: {{ all: branch.got }}{more} }}"
    );
    saga_by_id(", lines: event.lines", &[&each, &c])
}

#[test]
fn branches_run_a_few_at_once_and_leave_what_is_collected() {
    check(
        &lines(""),
        r#"
        start {"id": "k", "lines": [7, 8, 9]} > A a[0]/1; A a[1]/1
        ADone for=a[1]/1 {"shelf": 1} > A a[2]/1
        ADone for=a[2]/1 {"shelf": 2} > nothing
        ADone for=a[0]/1 {"shelf": 0} > C c/1
        data {"id":"k","lines":[7,8,9],"all":[0,1,2]}
        CNo for=c/1 > UndoA a[0]~undo/1; UndoA a[1]~undo/1; UndoA a[2]~undo/1
        AUndone for=a[1]~undo/1 > nothing
        AUndone for=a[0]~undo/1 > nothing
        AUndone for=a[2]~undo/1 > nothing
        is compensated
        "#,
    );
}

#[test]
fn a_list_that_is_empty_or_too_long_sends_nothing() {
    check(
        &lines(""),
        r#"
        start {"id": "k", "lines": []} > C c/1
        data {"id":"k","lines":[],"all":[]}
        "#,
    );
    check(
        &lines(""),
        r#"
        start {"id": "k", "lines": [1, 2, 3, 4]} > nothing
        is compensated
        "#,
    );
    check(&lines(""), "start {\"id\": \"k\", \"lines\": 1} > nothing\nis compensated");
}

#[test]
fn a_person_who_resolves_it_as_done_gives_what_it_would_have_collected() {
    check(
        &lines(", failed: { then: park }"),
        r#"
        start {"id": "k", "lines": [1, 2, 3, 4]} > nothing
        is stuck
        act done lines ! refused
        act done lines {"some": [1]} ! refused
        act done lines {"all": [5]} > C c/1
        data {"id":"k","lines":[1,2,3,4],"all":[5]}
        "#,
    );
}

#[test]
fn a_no_takes_all_branches_back_and_those_that_have_not_begun_never_do() {
    check(
        &lines(""),
        r#"
        start {"id": "k", "lines": [7, 8, 9]} > A a[0]/1; A a[1]/1
        ANo for=a[0]/1 > UndoA a[1]~undo/1
        ADone for=a[1]/1 > UndoA a[1]~undo.2/1
        is compensating
        AUndone for=a[1]~undo/1 > nothing
        "#,
    );
}

#[test]
fn a_branch_that_drops_out_undoes_itself_and_the_others_go_on() {
    let a = part("a", ", set: { got: event.shelf }");
    let b = part("b", "");
    let each = format!(
        "{{ step: lines, each: data.lines, at-most: 3, on-failed: drop, steps: [{a}, {b}], \
         collect: {{ all: branch.got }} }}"
    );
    check(
        &saga_by_id(", lines: event.lines", &[&each]),
        r#"
        start {"id": "k", "lines": [7, 8]} > A a[0]/1; A a[1]/1
        ADone for=a[0]/1 {"shelf": 5} > B b[0]/1
        ADone for=a[1]/1 {"shelf": 6} > B b[1]/1
        BNo for=b[0]/1 > UndoA a[0]~undo/1
        BDone for=b[1]/1 > nothing
        is running
        AUndone for=a[0]~undo/1 > nothing
        data {"id":"k","lines":[7,8],"all":[6]}
        is completed
        "#,
    );
}

#[test]
fn a_stuck_branch_does_not_stop_the_others_and_is_named_by_its_coordinate() {
    let a = part("a", ", unknown: park");
    let each = format!("{{ step: lines, each: data.lines, at-most: 3, steps: [{a}] }}");
    check(
        &saga_by_id(", lines: event.lines", &[&each]),
        r#"
        start {"id": "k", "lines": [7, 8]} > A a[0]/1; A a[1]/1
        pass 10s > nothing
        is stuck
        act retry a ! refused
        act retry a[7] ! refused
        act retry a[1] > A a[1]/2
        is stuck
        act skip a[0] > nothing
        ADone for=a[1]/1 > nothing
        is completed
        "#,
    );
}

#[test]
fn an_element_and_its_place_can_be_read() {
    let tell =
        "{ step: tell, emit: t/Told, with: { it: '${item.n}', at: '${index}' }, compensate: none }";
    let each = format!("{{ step: lines, each: data.lines, at-most: 3, steps: [{tell}] }}");
    check(
        &saga_by_id(", lines: event.lines", &[&each]),
        r#"
        start {"id": "k", "lines": [{"n": 7}, {"n": 8}]} > fact Told {"it":7,"at":0};
            fact Told {"it":8,"at":1}
        is completed
        "#,
    );
}

#[test]
fn what_is_no_list_is_rejected_and_shown() {
    let first = part("b", "");
    let whole = lines("");
    let each = whole.lines().find(|line| line.contains("each:")).expect("it is there");
    let behind = saga_by_id(", lines: event.lines", &[&first, each.trim_start_matches("  - ")]);
    let told = "ends: { compensated: { emit: t/Back, with: { why: '${failure.reason}' } } }";
    let behind = format!("{behind}{told}");
    let words = "`each: data.lines` is no list";
    for (value, shown) in
        [("null", "null"), ("3", "3"), (r#""a,b""#, r#"\"a,b\""#), (r#"{"a": 1}"#, r#"{\"a\":1}"#)]
    {
        check(
            &behind,
            &format!(
                r#"
                start {{"id": "k", "lines": {value}}} > B b/1
                BDone for=b/1 > UndoB b~undo/1
                BUndone for=b~undo/1 > fact Back {{"why":"{words}, but `{shown}`"}}
                is compensated
                "#
            ),
        );
    }
}

#[test]
fn what_is_no_list_behind_the_pivot_is_what_the_step_says() {
    let pivot = "{ step: p, pivot: true, command: t/P, done: t/PDone, within: 10s, unknown: park }";
    let each = |then: &str| {
        format!(
            "{{ step: lines, each: data.lines, at-most: 3, failed: {{ then: {then} }}, steps: [ \
             {{ step: e, emit: t/E, compensate: none }} ] }}"
        )
    };
    let tell = "{ step: tell, emit: t/Told }";
    let start = r#"start {"id": "k", "lines": null} > P p/1"#;
    let passed = saga_by_id(", lines: event.lines", &[pivot, &each("go-on"), tell]);
    check(&passed, &format!("{start}\nPDone for=p/1 > fact Told\nis completed"));
    let parked = saga_by_id(", lines: event.lines", &[pivot, &each("park"), tell]);
    check(
        &parked,
        &format!("{start}\nPDone for=p/1 > nothing\nis stuck\nact skip lines > fact Told"),
    );
}

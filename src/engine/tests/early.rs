//! Events that came before what waits for them.

use super::{check, check_family, part, saga};

fn waiting() -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let wait = "{ step: answer, within: 3d, \
                wait: { on: t/Yes, where: event.n > size(data.id), set: { n: event.n } } }";
    saga("", &[&a, wait, &b])
}

#[test]
fn a_fact_is_kept_for_the_wait_to_come() {
    check(
        &waiting(),
        r#"
        start > A a/1
        Yes id=y {"n": 1} > nothing
        Yes id=y {"n": 1} ! duplicate
        Yes {"n": 2} > nothing
        Yes {"n": 3} > nothing
        ADone > B b/1
        data {"id":"k","n":2}
        "#,
    );
}

#[test]
fn a_fact_is_kept_for_the_start_to_come() {
    check(
        &waiting(),
        r#"
        Yes {"n": 2} > nothing
        start > A a/1
        pass 1s > nothing
        ADone > B b/1
        "#,
    );
}

#[test]
fn what_no_start_follows_is_complained_about_in_time() {
    check(
        &waiting(),
        r#"
        Yes {"n": 2} > nothing
        pass 10m > complaint s/k: t/Yes e1: it came early, and no start has followed
        is forgotten
        "#,
    );
}

#[test]
fn what_nothing_has_waited_for_is_complained_about_at_the_end() {
    check(
        &waiting(),
        r#"
        start > A a/1
        Yes {"n": 1} > nothing
        ANo > complaint s/k: t/Yes e2: it came early, and nothing has waited for it
        is compensated
        Yes {"n": 1} ! unmatched
        "#,
    );
}

#[test]
fn many_events_are_kept() {
    let many: Vec<String> = (0..40).map(|_| "Yes {\"n\": 1} > nothing".to_owned()).collect();
    check(&waiting(), &format!("start > A a/1\n{}\nYes {{\"n\": 2}} > nothing", many.join("\n")));
}

#[test]
fn what_the_event_alone_decides_is_asked_before_it_is_kept() {
    let of_event = waiting().replace("event.n > size(data.id)", "event.n > 1 && key == 'k'");
    check(
        &of_event,
        r#"
        Yes {"n": 1} ! unmatched
        start > A a/1
        Yes {"n": 1} ! unmatched
        Yes {"n": "many"} ! refused
        Yes {"n": 2} > nothing
        ADone > B b/1
        "#,
    );
    let cancelled = cancelled().replace("event.n > data.n", "event.n > 3");
    check(
        &cancelled,
        r#"
        Cancelled {"n": 1} ! unmatched
        Cancelled {"n": 4} > nothing
        start {"id": "k", "n": 0} > nothing
        is compensated
        "#,
    );
}

#[test]
fn a_fact_is_kept_for_the_start_that_waits_in_the_queue() {
    let queue = waiting().replacen("event.id }", "event.id, again: queue }", 1);
    check(
        &queue,
        r#"
        start > A a/1
        ADone > nothing
        Yes {"n": 2} > B b/1
        Yes {"n": 3} ! unmatched
        start > nothing
        Yes {"n": 4} > nothing
        pass 9s > nothing
        BDone > A 2/a/1
        ADone for=2/a/1 > B 2/b/1
        data {"id":"k","n":4}
        "#,
    );
}

#[test]
fn what_no_queued_start_has_wanted_is_told_to_people_at_the_end() {
    let other = "{ step: other, wait: t/Else, when: size(data.id) > 5, within: 1d }";
    let queue =
        saga("", &[&part("a", ""), other]).replacen("event.id }", "event.id, again: queue }", 1);
    check(
        &queue,
        "
        start > A a/1
        Else id=e > nothing
        ANo > complaint s/k: t/Else e: it came early, and nothing has waited for it
        ",
    );
    check(
        &queue,
        "
        start > A a/1
        Else id=e > nothing
        start > nothing
        ANo > A 2/a/1
        ANo for=2/a/1 > complaint s/k: t/Else e: it came early, and nothing has waited for it
        ",
    );
}

#[test]
fn a_fact_is_kept_for_a_child_to_come() {
    let child = "saga: child\nversion: 1\nstart: { by: parent }\nlate: 7d\nsteps:\n  \
                 - { step: paid, wait: t/Paid, within: 1d }\n";
    let parent = saga(
        "",
        &[
            &part("a", ""),
            "{ step: pay, saga: child, key: \"'p'\", with: { id: '${data.id}' }, \
             compensate: child }",
        ],
    );
    check_family(
        &parent,
        &[child],
        "
        start > A a/1
        @child/p Paid > nothing
        ADone > start to child/p; ended to s/k; parent-gone to child/p
        is completed
        @child/p Paid ! unmatched
        ",
    );
}

#[test]
fn a_fact_is_kept_for_a_branch_to_come() {
    let wait = "{ step: reading, within: 1h, \
                wait: { on: t/Read, where: event.n == item, set: { got: event.n } } }";
    let each = format!(
        "{{ step: all, each: data.list, at-most: 40, at-once: 2, steps: [{wait}], \
         collect: {{ all: branch.got }} }}"
    );
    let definition = saga(", list: event.list", &[&each, &part("b", "")]);
    let all: Vec<String> = (1..=40).map(|n: u32| n.to_string()).collect();
    let read = |n: u32| format!("Read id=r{n} {{\"n\": {n}}} > nothing");
    let reads: Vec<String> = (2..=40).rev().map(read).collect();
    check(
        &definition,
        &format!(
            "start {{\"id\": \"k\", \"list\": [{}]}} > nothing\n{}\nRead {{\"n\": 1}} > B b/1",
            all.join(", "),
            reads.join("\n")
        ),
    );
}

/// Cancelled by the customer only, and started again after its end.
fn cancelled() -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    saga("", &[&a, &b])
        .replacen("event.id }", "event.id, after: new }", 1)
        .replace(
            "Cancelled, key: event.id }",
            "Cancelled, key: event.id, where: event.n > data.n }",
        )
        .replace("id: event.id }", "id: event.id, n: event.n }")
}

#[test]
fn a_cancel_that_comes_before_the_start_cancels_it_at_once() {
    check(
        &saga("", &[&part("a", "")]),
        r"
        Cancelled id=c > nothing
        Cancelled id=c ! duplicate
        start > nothing
        is compensated
        Cancelled id=c ! duplicate
        Cancelled id=d ! ignored
        pass 8d > nothing
        is forgotten
        ",
    );
}

#[test]
fn a_cancel_for_a_start_that_does_not_come_is_told_to_people() {
    let saga = saga("", &[&part("a", "")]);
    check(
        &saga,
        "
        Cancelled id=c > nothing
        pass 10m > complaint s/k: t/Cancelled c: it came early, and no start has followed
        is forgotten
        start > A a/1
        ",
    );
}

#[test]
fn what_a_cancel_before_the_start_asks_for_is_decided_by_the_start() {
    let other = "complaint s/k: t/Cancelled c: \
                 it came early, and its `where` does not hold for this start";
    check(
        &cancelled(),
        &format!(
            r#"
            Cancelled id=c {{"n": 1}} > nothing
            Cancelled id=d {{"n": 5}} > nothing
            start {{"id": "k", "n": 3}} > {other}
            is compensated
            lives 1
            Cancelled {{"n": 7}} ! ignored
            start {{"id": "k", "n": 4}} > A 2/a/1
            lives 2
            is running
            Cancelled {{"n": 7}} > UndoA 2/a~undo/1
            "#
        ),
    );
    check(
        &cancelled(),
        &format!(
            r#"
            Cancelled id=c {{"n": 1}} > nothing
            start {{"id": "k", "n": 3}} > {other}; A a/1
            is running
            "#
        ),
    );
}

//! Events that came before what waits for them.

use super::{check, part, saga};

fn waiting() -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let wait = "{ step: answer, within: 3d, \
                wait: { on: t/Yes, where: event.n > 1, set: { n: event.n } } }";
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
fn what_is_kept_has_a_limit() {
    let many: Vec<String> = (0..16).map(|_| "Yes {\"n\": 1} > nothing".to_owned()).collect();
    check(&waiting(), &format!("start > A a/1\n{}\nYes ! refused", many.join("\n")));
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

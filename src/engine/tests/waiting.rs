//! Waits, sleeps and reminders.

use super::{check, part, saga};

const WAIT: &str = "{ step: answer, wait: [ { on: t/Yes, set: { how: event.how } }, \
     t/YesByPhone ], \
     failed: { on: t/No, reason: event.why }, within: 3d, \
     remind: { after: 1d, every: 1d, emit: t/Remind, with: { key: '${key}' } } }";

fn waiting(more: &str) -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let wait = WAIT.replace("within: 3d", &format!("within: 3d{more}"));
    saga("", &[&a, &wait, &b])
}

const HERE: &str = "start > A a/1\nADone > nothing";

#[test]
fn a_fact_ends_the_wait_and_is_taken_once() {
    check(
        &waiting(""),
        &format!(
            r#"{HERE}
            Yes id=y {{"how": "fast"}} > B b/1
            data {{"id":"k","how":"fast"}}
            Yes id=y {{"how": "fast"}} ! duplicate
            Yes ! unmatched
            "#
        ),
    );
    check(&waiting(""), &format!("{HERE}\nYesByPhone > B b/1"));
}

#[test]
fn a_fact_that_says_no_takes_the_saga_back() {
    check(&waiting(""), &format!("{HERE}\nNo > UndoA a~undo/1\nAUndone > nothing\nis compensated"));
}

#[test]
fn reminders_are_told_until_the_time_is_up() {
    check(
        &waiting(""),
        &format!(
            r#"{HERE}
            pass 1d > fact Remind {{"key":"k"}}
            pass 1d > fact Remind {{"key":"k"}}
            pass 1d > UndoA a~undo/1
            AUndone > nothing
            is compensated
            "#
        ),
    );
}

#[test]
fn a_wait_that_is_late_can_go_on() {
    check(
        &waiting(", late: go-on"),
        &format!(
            r#"{HERE}
            pass 3d > fact Remind {{"key":"k"}}; fact Remind {{"key":"k"}}; B b/1
            BDone > nothing
            is completed
            "#
        ),
    );
}

#[test]
fn a_sleep_ends_in_its_time() {
    let a = part("a", "");
    check(
        &saga("", &["{ step: nap, sleep: 24h, set: { awake: now } }", &a]),
        "
        start > nothing
        pass 23h > nothing
        pass 1h > A a/1
        ",
    );
    check(
        &saga("", &["{ step: nap, sleep: 24h }", &a]),
        "start > nothing\nCancelled > nothing\nis compensated",
    );
}

#[test]
fn a_sleep_until_a_moment_that_has_passed_is_over_at_once() {
    let a = part("a", "");
    let nap = saga(", at: event.at", &["{ step: nap, until: data.at }", &a]);
    check(
        &nap,
        r#"
        start {"id": "k", "at": "1970-01-01T01:00:00Z"} > nothing
        pass 43m > nothing
        pass 20s > A a/1
        "#,
    );
    check(&nap, r#"start {"id": "k", "at": "1970-01-01T00:00:00Z"} > A a/1"#);
    check(&nap, "start {\"id\": \"k\", \"at\": \"soon\"} > nothing\nis compensated");
}

/// A step, and then a moment from the data.
fn until(before: &str) -> String {
    let sleep = "{ step: rest, until: data.at }";
    let whole = saga(", at: event.at", &[before, sleep, &part("b", "")]);
    format!(
        "{whole}ends: {{ compensated: {{ emit: t/Back, with: {{ why: '${{failure.reason}}' }} }}, \
         stuck: {{ emit: t/Help, with: {{ why: '${{failure.reason}}' }} }} }}"
    )
}

fn no_moment(instead: &str) -> String {
    format!("`until: data.at` is no moment{instead}; write such as 2026-01-31T08:00:00Z")
}

#[test]
fn what_is_no_moment_is_rejected_and_shown() {
    for (value, shown) in [("null", "null"), ("7", "7"), (r#""2099-09-14""#, r#"\"2099-09-14\""#)] {
        check(
            &until(&part("a", "")),
            &format!(
                r#"
                start {{"id": "k", "at": {value}}} > A a/1
                ADone > UndoA a~undo/1
                AUndone > fact Back {{"why":"{}"}}
                is compensated
                "#,
                no_moment(&format!(", but `{shown}`"))
            ),
        );
    }
}

#[test]
fn what_is_no_moment_behind_the_pivot_waits_for_a_person() {
    let pivot = "{ step: p, pivot: true, command: t/P, done: t/PDone, within: 10s, unknown: park }";
    let whole = until(pivot).replace(&part("b", ""), "{ step: b, emit: t/B }");
    check(
        &whole,
        &format!(
            r#"
            start {{"id": "k", "at": null}} > P p/1
            PDone > fact Help {{"why":"rejected: {}"}}
            is stuck
            act skip rest > fact B
            "#,
            no_moment(", but `null`")
        ),
    );
}

#[test]
fn a_sensitive_value_that_does_not_fit_is_not_shown() {
    let whole = until(&part("a", "")).replacen("late: 7d", "late: 7d\nsensitive: [data.at]", 1);
    check(
        &whole,
        &format!(
            r#"
            start {{"id": "k", "at": 7}} > A a/1
            ADone > UndoA a~undo/1
            AUndone > fact Back {{"why":"{}"}}
            "#,
            no_moment("")
        ),
    );
}

//! Requests over HTTP.

use super::{check, part, saga};

fn scoring(more: &str) -> String {
    let b = part("b", "");
    let call = format!(
        "{{ step: score, call: 'POST https://fraud.internal/score/${{data.id}}', \
         body: {{ id: '${{data.id}}' }}, done: {{ status: 2xx }}, \
         set: {{ score: event.body.score }}, \
         failed: {{ status: [409, 422], reason: event.body.why }}, within: 2s, \
         retry: {{ attempts: 2, first: 1s, factor: 2, most: 1s }}, \
         compensate: {{ call: 'DELETE https://fraud.internal/score/${{data.id}}', \
         within: 2s }}{more} }}"
    );
    saga("", &[&call, &b])
}

const HERE: &str = r#"start > POST https://fraud.internal/score/k score/1 {"id":"k"}"#;
const UNDO: &str = "DELETE https://fraud.internal/score/k score~undo/1";

#[test]
fn an_answer_says_done_and_is_taken_once() {
    check(
        &scoring(""),
        &format!(
            r#"{HERE}
            called score/1 200 {{"score": 7}} > B b/1
            data {{"id":"k","score":7}}
            called score/1 200 {{"score": 7}} ! duplicate
            called score/2 200 ! unmatched
            BNo > {UNDO}
            called score~undo/1 204 > nothing
            is compensated
            "#
        ),
    );
}

#[test]
fn an_answer_says_no() {
    check(
        &scoring(""),
        &format!("{HERE}\ncalled score/1 409 {{\"why\": \"dirty\"}} > nothing\nis compensated"),
    );
}

#[test]
fn other_answers_and_none_are_tried_again_and_then_unknown() {
    check(
        &scoring(""),
        &format!(
            r#"{HERE}
            called score/1 500 > nothing
            called score/1 500 ! ignored
            pass 1s > POST https://fraud.internal/score/k score/2 {{"id":"k"}}
            called score/2 failed > {UNDO}
            called score/1 200 {{"score": 1}} > DELETE https://fraud.internal/score/k score~undo.2/1
            called score~undo/1 200 > nothing
            is compensating
            called score~undo.2/1 200 > nothing
            is compensated
            "#
        ),
    );
}

#[test]
fn a_late_answer_after_the_end_is_undone() {
    check(
        &scoring(""),
        &format!(
            r#"{HERE}
            Cancelled > {UNDO}
            called score~undo/1 200 > nothing
            is compensated
            called score/1 200 {{"score": 1}} > DELETE https://fraud.internal/score/k score~undo.2/1
            "#
        ),
    );
}

#[test]
fn what_never_left_is_not_undone() {
    check(
        &scoring(""),
        &format!(
            r#"{HERE}
            called score/1 unsent > nothing
            pass 1s > POST https://fraud.internal/score/k score/2 {{"id":"k"}}
            called score/2 unsent > nothing
            is compensated
            called score/2 unsent ! duplicate
            "#
        ),
    );
    // A cancel meets it between two attempts.
    check(
        &scoring(""),
        &format!("{HERE}\ncalled score/1 unsent > nothing\nCancelled > nothing\nis compensated"),
    );
}

#[test]
fn one_attempt_that_may_have_left_makes_it_unknown() {
    for first in ["failed", "500"] {
        check(
            &scoring(""),
            &format!(
                r#"{HERE}
                called score/1 {first} > nothing
                pass 1s > POST https://fraud.internal/score/k score/2 {{"id":"k"}}
                called score/2 unsent > {UNDO}
                "#
            ),
        );
    }
    check(
        &scoring(""),
        &format!(
            r#"{HERE}
            called score/1 unsent > nothing
            pass 1s > POST https://fraud.internal/score/k score/2 {{"id":"k"}}
            Cancelled > {UNDO}
            called score/1 unsent ! ignored
            called score~undo/1 200 > nothing
            is compensated
            "#
        ),
    );
}

#[test]
fn that_it_never_left_may_be_known_late() {
    check(
        &scoring(""),
        &format!(
            r"{HERE}
            Cancelled > {UNDO}
            called score/1 unsent > nothing
            called score~undo/1 200 > nothing
            is compensated
            "
        ),
    );
}

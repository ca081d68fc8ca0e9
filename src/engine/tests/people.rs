//! Questions to people, and people who ask for the way back.

use super::{check, part, saga};

fn asking(more: &str) -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let ask = format!(
        "{{ step: approve, ask: compliance, question: 'Pay ${{data.id}}?', \
         choices: {{ approve: done, refuse: failed }}, within: 2d, \
         set: {{ by: answer.by, limit: answer.data.limit }}{more} }}"
    );
    saga("", &[&a, &ask, &b])
}

const HERE: &str = "start > A a/1\nADone > ask compliance Pay k? approve|refuse";

#[test]
fn an_answer_goes_on_with_what_it_says() {
    check(
        &asking(""),
        &format!(
            r#"{HERE}
            act answer maybe ! refused
            act answer approve ! refused
            act answer approve {{"limit": 5}} > B b/1
            data {{"id":"k","by":"ann","limit":5}}
            act answer approve {{"limit": 5}} ! refused
            "#
        ),
    );
}

#[test]
fn a_no_takes_the_saga_back() {
    check(&asking(""), &format!("{HERE}\nact answer approve refuse > UndoA a~undo/1"));
}

#[test]
fn nobody_answers_in_time() {
    check(&asking(""), &format!("{HERE}\npass 2d > UndoA a~undo/1\nact answer refuse ! refused"));
}

#[test]
fn a_person_sends_a_running_saga_back_before_its_pivot() {
    check(
        &asking(""),
        "
        start > A a/1
        act go-back > UndoA a~undo/1
        act go-back ! refused
        AUndone > nothing
        is compensated
        act go-back ! refused
        ",
    );
}

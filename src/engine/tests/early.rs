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

//! Steps under a lock.

use super::{check, part, saga};

fn locked(more: &str) -> String {
    let [a, b] = ["a", "b"].map(|name| part(name, ""));
    let lock = format!(
        "{{ step: exclusive, lock: ['y/${{data.id}}', x], within: 30s, steps: [{a}]{more} }}"
    );
    saga("", &[&lock, &b])
}

const TAKE: &str =
    "acquire to segue-lock/x; granted to s/k; acquire to segue-lock/y/k; granted to s/k";
const FREE: &str = "release to segue-lock/x; release to segue-lock/y/k";

#[test]
fn keys_are_taken_in_their_order_and_let_go_when_the_steps_are_done() {
    check(
        &locked(""),
        &format!(
            "
            start > {TAKE}; A a/1
            ADone > {FREE}; B b/1
            BDone > nothing
            is completed
            "
        ),
    );
}

#[test]
fn a_released_lock_is_taken_again_before_what_was_done_under_it_is_undone() {
    check(
        &locked(""),
        &format!(
            "
            start > {TAKE}; A a/1
            ADone > {FREE}; B b/1
            BNo > {TAKE}; UndoA a~undo/1
            AUndone > {FREE}
            is compensated
            "
        ),
    );
}

#[test]
fn a_lock_that_is_held_is_kept_until_what_was_done_under_it_is_undone() {
    check(
        &locked(""),
        &format!(
            "
            start > {TAKE}; A a/1
            Cancelled > UndoA a~undo/1
            AUndone > {FREE}
            is compensated
            "
        ),
    );
    check(
        &locked(", release: end"),
        &format!(
            "
            start > {TAKE}; A a/1
            ADone > B b/1
            BNo > UndoA a~undo/1
            AUndone > {FREE}
            is compensated
            "
        ),
    );
    check(
        &locked(", release: end"),
        &format!("start > {TAKE}; A a/1\nADone > B b/1\nBDone > {FREE}\nis completed"),
    );
}

#[test]
fn a_lock_is_held_by_one_and_first_come_is_first_served() {
    check(
        &locked(""),
        &format!(
            r#"
            start > {TAKE}; A a/1
            @s/l start {{"id": "l"}} > acquire to segue-lock/x
            @s/m start {{"id": "m"}} > acquire to segue-lock/x
            @s/m Cancelled > withdraw to segue-lock/x
            ADone > release to segue-lock/x; release to segue-lock/y/k; B b/1;
                granted to s/l; acquire to segue-lock/y/l; granted to s/l; A a/1
            "#
        ),
    );
}

#[test]
fn a_lock_that_is_not_to_be_had_in_time_is_a_no() {
    check(
        &locked(""),
        r#"
        @s/l start {"id": "l"} > acquire to segue-lock/x; granted to s/l;
            acquire to segue-lock/y/l; granted to s/l; A a/1
        start > acquire to segue-lock/x
        pass 10s > UndoA a~undo/1
        pass 10s > nothing
        is running
        pass 10s > withdraw to segue-lock/x
        is compensated
        "#,
    );
}

#[test]
fn the_token_grows_with_every_holder() {
    let fenced = saga(
        "",
        &[
            "{ step: one, lock: [x], within: 30s, \
           steps: [ { step: tell, emit: t/Told, compensate: none, \
           with: { fence: '${fence}' } } ] }",
            "{ step: two, lock: [x], within: 30s, \
           steps: [ { step: say, emit: t/Told, compensate: none, \
           with: { fence: '${fence}' } } ] }",
        ],
    );
    check(
        &fenced,
        r#"
        start > acquire to segue-lock/x; granted to s/k; fact Told {"fence":1000000};
            release to segue-lock/x; acquire to segue-lock/x; granted to s/k;
            fact Told {"fence":1000001}; release to segue-lock/x
        is completed
        "#,
    );
}

#[test]
fn a_lock_is_forgotten_when_nobody_has_held_it_for_long() {
    check(
        &locked(""),
        &format!(
            "
            start > {TAKE}; A a/1
            ANo > {FREE}
            is compensated
            pass 8d > nothing
            is forgotten
            "
        ),
    );
}

#[test]
fn a_late_success_is_undone_under_its_lock_again_also_after_the_end() {
    check(
        &locked(""),
        &format!(
            r"
            start > {TAKE}; A a/1
            Cancelled > UndoA a~undo/1
            AUndone > {FREE}
            is compensated
            pass 1d > nothing
            ADone for=a/1 > {TAKE}; UndoA a~undo.2/1
            AUndone > {FREE}
            is compensated
            pass 8d > nothing
            is forgotten
            "
        ),
    );
    // It goes on with its way back, and comes to the lock again when that is over.
    check(
        &locked(""),
        &format!(
            r"
            start > {TAKE}; A a/1
            pass 10s > UndoA a~undo/1
            ADone for=a/1 > UndoA a~undo.2/1
            AUndone for=a~undo/1 > nothing
            AUndone for=a~undo.2/1 > {FREE}
            is compensated
            "
        ),
    );
}

#[test]
fn people_are_told_of_a_lock_that_is_not_had_for_a_late_undoing() {
    let late = format!(
        r#"
        start > {TAKE}; A a/1
        Cancelled > UndoA a~undo/1
        AUndone > {FREE}
        @s/l start {{"id": "l"}} > acquire to segue-lock/x; granted to s/l;
            acquire to segue-lock/y/l; granted to s/l; A a/1
        ADone for=a/1 > acquire to segue-lock/x
        pass 9s > nothing
        is compensated
        "#
    );
    // It is still asked for, and goes on by itself.
    check(
        &locked(""),
        &format!(
            r"{late}
            pass 21s > UndoA a~undo/1
            is stuck
            @s/l AUndone > release to segue-lock/x; release to segue-lock/y/l;
                granted to s/k; acquire to segue-lock/y/k; granted to s/k; UndoA a~undo.2/1
            is compensated
            AUndone > {FREE}
            "
        ),
    );
    // A person lets it be undone without the lock.
    check(
        &locked(""),
        &format!(
            r"{late}
            pass 21s > UndoA a~undo/1
            act retry exclusive > nothing
            is compensated
            pass 40s > nothing
            is stuck
            act skip exclusive > withdraw to segue-lock/x; UndoA a~undo.2/1
            AUndone for=a~undo.2/1 > nothing
            is compensated
            "
        ),
    );
}

#[test]
fn a_loser_that_succeeds_late_is_undone_under_its_lock_while_the_saga_goes_on() {
    let [a, b, c] = ["a", "b", "c"].map(|name| part(name, ""));
    let race = format!("{{ step: race, parallel: {{ one: [{a}], two: [{b}] }}, join: first }}");
    let lock = format!("{{ step: exclusive, lock: [x], within: 30s, steps: [{race}] }}");
    check(
        &saga("", &[&lock, &c]),
        r"
        start > acquire to segue-lock/x; granted to s/k; A a/1; B b/1
        ADone > UndoB b~undo/1
        BUndone > release to segue-lock/x; C c/1
        BDone for=b/1 > acquire to segue-lock/x; granted to s/k; UndoB b~undo.2/1
        CDone > nothing
        is running
        BUndone > release to segue-lock/x
        is completed
        ",
    );
}

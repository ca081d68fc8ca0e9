//! The question whether a step happened.

use super::{check, part, saga};

fn probing(more: &str) -> String {
    let a = part("a", "");
    let probe = ", unknown: probe, probe: { command: t/AskB, done: t/BFound, absent: t/BAbsent, \
                 within: 5s, retry: { attempts: 1 } }";
    let b = part("b", &format!("{probe}{more}"));
    let c = part("c", "");
    saga("", &[&a, &b, &c])
}

const HERE: &str = "start > A a/1\nADone > B b/1";

#[test]
fn a_step_that_has_happened_goes_on() {
    check(&probing(""), &format!("{HERE}\npass 10s > AskB b~probe/1\nBFound > C c/1"));
    check(
        &probing(""),
        &format!("{HERE}\npass 10s > AskB b~probe/1\nBDone > C c/1\nBFound ! duplicate"),
    );
}

#[test]
fn a_step_that_has_not_happened_is_not_undone() {
    check(
        &probing(""),
        &format!(
            "{HERE}
            pass 10s > AskB b~probe/1
            BAbsent > UndoA a~undo/1
            BDone > nothing
            AUndone > UndoB b~undo/1
            BUndone > nothing
            is compensated
            "
        ),
    );
}

#[test]
fn a_probe_without_an_answer_leaves_it_unknown() {
    check(&probing(""), &format!("{HERE}\npass 10s > AskB b~probe/1\npass 5s > UndoB b~undo/1"));
}

#[test]
fn a_step_that_is_given_up_is_asked_for_on_the_way_back() {
    check(
        &probing(""),
        &format!(
            "{HERE}
            Cancelled > AskB b~probe/1
            BFound > UndoB b~undo/1
            BUndone > UndoA a~undo/1
            "
        ),
    );
    check(&probing(""), &format!("{HERE}\nCancelled > AskB b~probe/1\nBAbsent > UndoA a~undo/1"));
    check(&probing(""), &format!("{HERE}\nCancelled > AskB b~probe/1\npass 5s > UndoB b~undo/1"));
    check(
        &probing(""),
        &format!("{HERE}\nCancelled > AskB b~probe/1\nBNo > UndoA a~undo/1\nBAbsent ! duplicate"),
    );
}

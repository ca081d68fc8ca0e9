//! What is looked at one after the other is found as if all of it were looked at.

use super::reduced::{compare_turns, report, world};
use super::*;
use crate::definition::check_whole;

/// A saga of these steps, which may lack a deadline.
fn saga(steps: &str) -> Definition {
    let text = format!(
        "saga: s\nversion: 1\nstart: {{ on: u/Placed, key: event.id }}\n\
         events: {{ t/*: {{ by: command-id }} }}\ndata: {{ list: event.list }}\nsteps:\n{steps}"
    );
    let (definition, found) = check_whole("saga.yaml", &text);
    definition.unwrap_or_else(|| panic!("{}", found.render(false)))
}

/// A command that is not undone, with something more.
fn command(name: &str, more: &str) -> String {
    format!("{{ step: {name}, command: t/{name}, done: t/{name}-done, compensate: none{more} }}")
}

/// How many states there are, plain and in turns: what is found is the same.
fn states(definition: &Definition) -> [usize; 2] {
    let [plain, turned, _] = compare_turns(definition, &[], STATES_MAX).expect("it is small");
    [plain, turned]
}

#[test]
fn branches_go_forward_in_turns_wherever_they_are_struck() {
    let branch = |n: usize| {
        let (first, second) = (command(&format!("a{n}"), ""), command(&format!("b{n}"), ""));
        format!("      branch{n}: [ {first}, {second} ]\n")
    };
    let side_by_side = |count| {
        let branches: String = (0..count).map(branch).collect();
        saga(&format!("  - step: all\n    within: 1h\n    parallel:\n{branches}"))
    };
    let [plain, turned] = states(&side_by_side(3));
    assert!(turned * 3 < plain * 2, "{turned} of {plain}");
    let four = side_by_side(4);
    let report = report(world(&four, &[]).in_turns(), &four, STATES_MAX);
    assert!(report.is_proved(), "{report}");
    assert!(report.states < 300, "{} states", report.states);
}

#[test]
fn what_waits_for_ever_in_two_branches_at_once_is_found() {
    let branch = |n: usize| {
        let before = command(&format!("do{n}"), "");
        format!("      branch{n}: [ {before}, {{ step: hear{n}, wait: u/Heard{n} }} ]\n")
    };
    let branches: String = (0..2).map(branch).collect();
    let definition = saga(&format!("  - step: all\n    parallel:\n{branches}"));
    states(&definition);
    let report = report(world(&definition, &[]).in_turns(), &definition, STATES_MAX);
    assert!(report.findings.iter().any(|f| f.broken.promise == Promise::Waits), "{report}");
}

#[test]
fn what_is_left_of_branches_whose_time_was_up_is_found() {
    let branch = |n: usize| {
        let first = command(&format!("a{n}"), &format!(", set: {{ a{n}: event.n }}"));
        let second = command(&format!("b{n}"), &format!(", set: {{ b{n}: event.n }}"));
        format!("      branch{n}: [ {first}, {second} ]\n")
    };
    let branches: String = (0..2).map(branch).collect();
    let half = "has(data.a0) && !has(data.b0) && has(data.a1) && !has(data.b1)";
    let read = command("read", &format!(", when: '{half}', with: {{ none: '${{data.b0}}' }}"));
    let definition = saga(&format!(
        "  - step: all\n    within: 1h\n    failed: {{ then: go-on }}\n    \
         parallel:\n{branches}  - {read}\n"
    ));
    states(&definition);
    let report = report(world(&definition, &[]).in_turns(), &definition, STATES_MAX);
    assert!(report.findings.iter().any(|f| f.broken.promise == Promise::Filled), "{report}");
}

#[test]
fn what_comes_late_is_looked_at_behind_the_way_forward() {
    let dropped = "  - step: all\n    each: data.list\n    at-most: 9\n    on-failed: drop\n    \
                   steps: [ { step: ask, command: t/Ask, done: t/Told, within: 5s, \
                   compensate: { command: t/Undo, done: t/Undone } } ]\n";
    let behind = |count: usize| {
        let steps = (0..count).map(|n| format!("  - {}\n", command(&format!("s{n}"), "")));
        saga(&format!("{dropped}{}", steps.collect::<String>()))
    };
    let ([plain, turned], [more, turned_more]) = (states(&behind(1)), states(&behind(2)));
    assert!((turned_more - turned) * 3 < (more - plain) * 2, "{turned_more} of {more}");
}

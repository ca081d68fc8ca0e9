//! What a guard of several parts says of the runs on which it holds.

use super::*;

/// Waits for a weight that may never come, then tells if it differs.
const WEIGHED: &str = "
saga: locker
version: 1
start: { on: t/Arrived, key: event.parcel }
data: { sent: event.grams, big: event.big, kind: event.kind }
steps:
  - { step: open, pivot: true, emit: t/Opened }
  - step: weigh
    wait: t/Weighed
    within: 2d
    late: go-on
    set: { found: event.grams }
";

fn findings(steps: &str) -> Vec<String> {
    let text = format!("{WEIGHED}{steps}ends:\n  stuck: {{ emit: t/Help }}\n");
    let (definition, diagnostics) = crate::definition::check("locker.yaml", &text);
    let definition = definition.unwrap_or_else(|| panic!("{diagnostics}"));
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.bound.is_none(), "{report}");
    report
        .findings
        .iter()
        .map(|f| format!("{} {}", f.broken.promise.code(), f.broken.step))
        .collect()
}

/// A fact that reads what the wait sets, told where a guard holds.
fn told_if(guard: &str) -> String {
    format!(
        "  - step: differs
    when: '{guard}'
    emit: t/Differs
    with: {{ found: \"${{data.found}}\" }}
"
    )
}

#[test]
fn a_guard_holds_only_where_what_it_asks_for_is_set() {
    for guard in [
        "has(data.found)",
        "has(data.found) && data.found != data.sent",
        "data.found != data.sent && has(data.found)",
        "!(!has(data.found) || data.found == data.sent)",
        "has(data.found) ? data.found != data.sent : false",
        "has(data.found) == true && (data.big || data.kind == \"a\")",
        "(data.big || data.kind == \"a\") && has(data.found) && data.found > 1",
    ] {
        assert_eq!(findings(&told_if(guard)), [] as [&str; 0], "{guard}");
    }
    for guard in [
        "!has(data.found)",
        "has(data.found) || data.big",
        "data.big || has(data.found) && data.found > 1",
        "has(data.found) ? data.found > 1 : data.big",
    ] {
        assert_eq!(findings(&told_if(guard)), ["SG1009 differs"], "{guard}");
    }
}

#[test]
fn a_branch_for_the_rest_is_taken_only_where_no_guard_holds() {
    let choose = |guard: &str| {
        format!(
            "  - step: route
    choose:
      - {{ when: '{guard}', steps: [ {{ set: {{ seen: now }} }} ] }}
      - otherwise: true
        steps: [ {{ set: {{ seen: data.found }} }} ]
"
        )
    };
    for guard in ["!has(data.found)", "!has(data.found) || data.found == data.sent"] {
        assert_eq!(findings(&choose(guard)), [] as [&str; 0], "{guard}");
    }
    let found = findings(&choose("!has(data.found) && data.big"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("SG1009"), "{found:?}");
}

#[test]
fn a_part_of_a_guard_has_one_answer_wherever_it_is_asked() {
    let both = |first: &str, second: &str| {
        findings(&format!(
            "  - {{ set: {{ label: key }}, when: '{first}' }}
  - {{ set: {{ sign: data.label }}, when: '{second}' }}
"
        ))
    };
    for (first, second) in [
        ("data.big", "data.big && data.kind == \"a\""),
        ("data.big", "!(!data.big || data.sent > 1)"),
        ("data.sent>1", "data.sent > 1 && data.big"),
        ("data.sent > 1", "!(data.sent <= 1)"),
        ("data.kind != \"a\"", "!(data.kind == \"a\")"),
        ("data.big || data.sent > 1", "data.sent > 1"),
    ] {
        assert_eq!(both(first, second), [] as [&str; 0], "{first}, {second}");
    }
    for (first, second) in [
        ("data.big && data.sent > 1", "data.big"),
        ("data.big", "data.big || data.sent > 1"),
        ("data.sent > 1", "data.sent <= 1"),
    ] {
        assert_eq!(both(first, second).len(), 1, "{first}, {second}");
    }
}

#[test]
fn a_condition_without_any_question_has_one_answer() {
    let steps = "  - { set: { label: key }, when: 'true' }\n  - set: { sign: data.label }\n";
    assert_eq!(findings(steps), [] as [&str; 0]);
}

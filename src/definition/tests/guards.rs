//! What guards say about which fields are set.

use super::*;

const HEAD: &str = "
saga: trip
version: 1
start: { on: s.trips/Planned, key: event.trip }
data: { big: event.big, kind: event.kind, n: event.n }
within: 5d
steps:
";

/// Books an own bus, or notes why there is none.
const OWN: &str = "
- step: own
  command: c.commands/BookOwn
  done: c.events/OwnBooked
  set: { bus: event.bus, seats: event.seats }
  failed: { on: c.events/OwnBusy, then: go-on, set: { busy: event.why } }
  compensate: { command: c.commands/FreeOwn, done: c.events/OwnFreed }
";

const TELL: &str = "
- step: tell
  pivot: true
  emit: s.trips/BusKnown
  with: { bus: \"${data.bus}\" }
";

/// A step that sets `bus`, or another field, if a guard holds.
fn hire(guard: &str, field: &str) -> String {
    format!("- {{ set: {{ {field}: key }}, when: '{guard}' }}\n")
}

/// The paths that may not be set, in the order of the text; nothing else is told.
fn unset(steps: &str) -> Vec<String> {
    let (unset, others) = told(steps);
    assert_eq!(others, [], "{steps}");
    unset
}

/// The paths that may not be set, and what else is told, in the order of the text.
fn told(steps: &str) -> (Vec<String>, Vec<Code>) {
    let mut text = HEAD.to_owned();
    for line in steps.lines() {
        writeln!(text, "  {line}").expect("writing to a string never fails");
    }
    let (_, diagnostics) = check("saga.yaml", &text);
    let path = |d: &Diagnostic| d.message.split('`').nth(1).unwrap_or_default().to_owned();
    let (unset, others) = diagnostics.iter().partition::<Vec<_>, _>(|d| d.code == Code::Unset);
    (unset.into_iter().map(path).collect(), others.iter().map(|d| d.code).collect())
}

#[test]
fn a_field_that_is_set_on_either_way_is_set_behind_both() {
    for guard in [
        "!has(data.bus)",
        "has(data.bus) == false",
        "!(has(data.bus) && has(data.bus))",
        "has(data.busy)",
        "!has(data.seats)",
        "has(data.busy) || !has(data.bus)",
        "has(data.bus) ? false : true",
    ] {
        assert!(unset(&format!("{OWN}{}{TELL}", hire(guard, "bus"))).is_empty(), "{guard}");
    }
    for guard in ["has(data.bus)", "data.big", "!has(data.bus) && data.big", "!has(data.busy)"] {
        let found = unset(&format!("{OWN}{}{TELL}", hire(guard, "bus")));
        assert_eq!(found, ["data.bus"], "{guard}");
    }
}

#[test]
fn guards_that_exclude_and_complete_each_other_leave_no_gap() {
    for (first, second) in [
        ("data.big", "!data.big"),
        ("data.n > 3", "data.n <= 3"),
        ("data.n>=3", "data.n < 3"),
        ("data.kind == \"a\"", "data.kind != \"a\""),
        ("data.big && data.n > 3", "!(data.big && data.n > 3)"),
        ("data.big && data.n > 3", "!data.big || data.n <= 3"),
    ] {
        let both = format!("{}{}{TELL}", hire(first, "bus"), hire(second, "bus"));
        assert!(unset(&both).is_empty(), "{first} / {second}");
    }
    for (first, second) in [
        ("data.big", "data.n > 3"),
        ("data.n > 3", "data.n < 3"),
        ("data.kind == \"a\"", "data.kind == \"b\""),
        ("data.big && data.n > 3", "!data.big && data.n <= 3"),
        ("now > timestamp(\"2026-01-01T00:00:00Z\")", "now <= timestamp(\"2026-01-01T00:00:00Z\")"),
    ] {
        let both = format!("{}{}{TELL}", hire(first, "bus"), hire(second, "bus"));
        assert_eq!(unset(&both), ["data.bus"], "{first} / {second}");
    }
}

#[test]
fn a_guard_that_always_holds_is_no_gap() {
    for (guard, others) in [
        ("true", vec![]),
        ("data.big || !data.big", vec![Code::NoEffect]),
        ("has(data.big)", vec![]),
    ] {
        assert_eq!(told(&format!("{}{TELL}", hire(guard, "bus"))), (vec![], others), "{guard}");
    }
}

#[test]
fn a_guard_has_another_answer_once_its_field_is_filled() {
    let anew = "- set: { big: \"true\" }\n";
    let both = format!("{}{anew}{}{TELL}", hire("data.big", "bus"), hire("!data.big", "bus"));
    assert_eq!(unset(&both), ["data.bus"]);
}

/// A choice of arms, each with a guard (none is `otherwise`) and its only step.
fn choose(arms: &[(Option<&str>, &str)]) -> String {
    let mut text = "- step: route\n  choose:\n".to_owned();
    for (guard, step) in arms {
        let guard = guard.map_or("otherwise: true".to_owned(), |guard| format!("when: '{guard}'"));
        writeln!(text, "    - {{ {guard}, steps: [ {step} ] }}").expect("it is a string");
    }
    text
}

#[test]
fn a_choice_knows_that_no_branch_before_was_taken() {
    let bus = "{ set: { bus: key } }";
    let seen = "{ set: { seen: data.bus } }";
    for arms in [
        [(Some("!has(data.bus)"), bus), (None, seen)],
        [(Some("has(data.bus)"), seen), (None, bus)],
        [(Some("has(data.busy) || data.big"), bus), (None, seen)],
    ] {
        assert!(unset(&format!("{OWN}{}{TELL}", choose(&arms))).is_empty(), "{arms:?}");
    }
    let some = choose(&[(Some("data.kind == \"a\""), bus), (None, "{ set: { car: key } }")]);
    let rest = hire("data.kind != \"a\"", "bus");
    assert!(unset(&format!("{some}{rest}{TELL}")).is_empty());
    let other = hire("data.kind == \"b\"", "bus");
    assert_eq!(unset(&format!("{some}{other}{TELL}")), ["data.bus"]);
    let fail =
        choose(&[(Some("!has(data.bus)"), "{ fail: none }"), (None, "{ set: { ok: key } }")]);
    assert!(unset(&format!("{OWN}{fail}{TELL}")).is_empty());
}

#[test]
fn what_one_way_sets_is_set_wherever_that_way_was_taken() {
    let read = "- { set: { seen: data.seats }, when: 'GUARD' }\n- { set: { bus: key } }\n";
    for guard in ["has(data.bus)", "!has(data.busy) && data.big", "data.big && has(data.bus)"] {
        assert!(unset(&format!("{OWN}{}{TELL}", read.replace("GUARD", guard))).is_empty());
    }
    let nested = format!(
        "{OWN}
- step: inside
  when: 'data.big && has(data.bus)'
  lock: busses
  within: 1h
  steps: [ {{ set: {{ seen: data.seats }} }} ]
- {{ set: {{ bus: key }} }}
{TELL}"
    );
    assert!(unset(&nested).is_empty());
}

#[test]
fn an_expression_is_held_to_what_it_asks_for() {
    for value in [
        "has(data.bus) ? data.bus : key",
        "!has(data.bus) ? key : data.bus",
        "has(data.bus) && data.bus == key",
        "!has(data.bus) || data.bus == key",
        "[1].all(n, !has(data.bus) || data.bus == key)",
    ] {
        assert!(unset(&format!("{OWN}- set: {{ seen: '{value}' }}")).is_empty(), "{value}");
    }
    for value in [
        "has(data.bus) ? key : data.bus",
        "has(data.bus) || data.bus == key",
        "has(data.busy) ? data.bus : key",
        "[1].exists(n, has(data.bus)) ? data.bus : key",
    ] {
        let found = unset(&format!("{OWN}- set: {{ seen: '{value}' }}"));
        assert_eq!(found, ["data.bus"], "{value}");
    }
}

//! What is known of values that nobody knows: lengths of lists, comparisons, what is written out.

use super::*;

const HEAD: &str = "
saga: s
version: 1
start: { on: t/Placed, where: event.total > 0 && size(event.few) <= 2, key: event.id }
data: { id: event.id, total: event.total, list: event.list, few: event.few, kind: event.kind }
events: { t/*: { by: command-id } }
within: 5d
steps:
";

const END: &str = "ends: { completed: { emit: t/End }, stuck: { emit: t/Help } }\n";

/// What is read and may not be there.
fn missing(steps: &str) -> Vec<String> {
    let text = format!("{HEAD}{steps}{END}");
    let (definition, diagnostics) = crate::definition::check("saga.yaml", &text);
    let definition = definition.unwrap_or_else(|| panic!("{diagnostics}"));
    assert_eq!(diagnostics.errors(), 0, "{diagnostics}");
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.bound.is_none(), "{report}");
    let path = |f: &Finding| f.broken.path.clone().unwrap_or_else(|| panic!("{report}"));
    report.findings.iter().map(path).collect()
}

fn told(value: &str) -> String {
    format!("  - {{ step: tell, pivot: true, emit: t/Told, with: {{ a: '${{{value}}}' }} }}\n")
}

/// Collects a box for each element of a list.
const BOXES: &str = "  - step: boxes
    each: data.list
    at-most: 5
    failed: { then: go-on, set: { boxes: '[key]' } }
    steps:
      - { step: box, command: t/Hold, done: t/Held, set: { box: event.box }, compensate: none }
    collect: { boxes: branch.box }
";

#[test]
fn an_element_is_there_only_in_a_list_that_is_long_enough() {
    for (value, expected) in [
        ("data.boxes[0]", Some("data.boxes[0]")),
        ("data.boxes[0].name", Some("data.boxes[0]")),
        ("size(data.boxes) > 0 ? data.boxes[0] : key", None),
        ("size(data.boxes) == 0 ? key : data.boxes[0]", None),
        ("size(data.boxes) > 0 ? data.boxes[1] : key", Some("data.boxes[1]")),
        ("data.list[0]", Some("data.list[0]")),
        ("data.boxes.map(b, b)", None),
    ] {
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(missing(&format!("{BOXES}{}", told(value))), expected, "{value}");
    }
    let guarded = told("data.boxes[0]").replace("pivot:", "when: size(data.boxes) > 0, pivot:");
    assert!(missing(&format!("{BOXES}{guarded}")).is_empty());
    assert!(missing(&told("data.list[0]")).is_empty(), "nobody knows how long it is");
}

/// Sets a field if the first guard holds, and reads it if the second does.
fn twice(first: &str, second: &str) -> bool {
    let steps = format!(
        "  - {{ set: {{ label: key }}, when: '{first}' }}
  - {{ set: {{ sign: data.label }}, when: '{second}' }}
"
    );
    missing(&steps).is_empty()
}

#[test]
fn guards_that_follow_from_others_hold_with_them() {
    for (first, second) in [
        ("data.total > 10", "data.total > 20"),
        ("data.total > 10", "data.total == 11"),
        ("data.kind in [\"a\", \"b\"]", "data.kind == \"b\""),
        ("data.kind != \"a\"", "data.kind == \"b\""),
        // What the start asks for is known of what it brings.
        ("data.total > 0", "data.total > -1"),
        ("size(data.few) < 3", "size(data.few) < 9"),
        ("size(data.list) > 0", "size(data.list) > 1"),
    ] {
        assert!(twice(first, second), "{first} / {second}");
    }
    for (first, second) in [
        ("data.total > 20", "data.total > 10"),
        ("data.kind == \"a\"", "data.kind != \"b\""),
        ("data.total > 1", "data.total > -1"),
        ("size(data.few) < 2", "size(data.few) < 9"),
    ] {
        assert!(!twice(first, second), "{first} / {second}");
    }
}

/// Whether a fact of which this must hold can be a no.
fn can_be_a_no(condition: &str) -> bool {
    let wait = format!(
        "  - {{ step: hear, wait: u/Heard, within: 1d,
      failed: {{ on: u/Other, where: '{condition}' }} }}
"
    );
    let definition = parse("saga.yaml", &format!("{HEAD}{wait}{END}")).expect("it parses");
    let report = check(&definition, &[], STATES_MAX);
    let no = |end: &Ending| matches!(end, Ending::Compensated { kind: "rejected", .. });
    report.endings.iter().any(no)
}

#[test]
fn no_fact_is_what_contradicts_itself() {
    for condition in [
        "event.n > 5 && event.n < 3",
        "event.n > 5 && !(event.n > 4)",
        "event.kind == \"a\" && event.kind == \"b\"",
        "event.kind == \"a\" && !(event.kind in [\"a\", \"b\"])",
        "size(event.lines) == 0 && size(event.lines) > 0",
        "!has(event.why) && event.why == \"late\"",
        "has(event.why.text) && !has(event.why)",
    ] {
        assert!(!can_be_a_no(condition), "{condition}");
    }
    for condition in [
        "event.n > 5 && event.n < 9",
        "event.kind != \"a\" && event.kind != \"b\"",
        "size(event.lines) == 1 && size(event.lines) > 0",
        "has(event.why) && event.why == \"late\"",
        "!has(event.why) || event.why == \"late\"",
    ] {
        assert!(can_be_a_no(condition), "{condition}");
    }
}

#[test]
fn what_is_written_out_is_what_it_is() {
    let marked = |guard: &str| {
        format!(
            "  - step: mark
    choose:
      - {{ when: data.total > 5, steps: [ {{ set: {{ mark: '\"big\"', label: key }} }} ] }}
      - {{ otherwise: true, steps: [ {{ set: {{ mark: '\"small\"' }} }} ] }}
  - {{ set: {{ sign: data.label }}, when: '{guard}' }}
"
        )
    };
    for guard in ["data.mark == \"big\"", "data.mark != \"small\"", "data.mark in [\"big\"]"] {
        assert!(missing(&marked(guard)).is_empty(), "{guard}");
    }
    assert_eq!(missing(&marked("data.mark == \"small\"")), ["data.label"]);
    let list = "  - { step: go, pivot: true, emit: t/Told }
  - step: both
    each: '[data.id, data.kind]'
    at-most: 2
    steps: [ { set: { a: item } } ]
    collect: { all: branch.a }
";
    assert!(missing(&format!("{list}  - {{ set: {{ second: 'data.all[1]' }} }}\n")).is_empty());
}

#[test]
fn a_person_who_resolves_a_block_gives_what_it_would_have_set() {
    let block = |kind: &str| {
        format!(
            "  - {{ step: go, pivot: true, emit: t/Told }}
  - step: halls
    {kind}
  - {{ step: tell, emit: t/Known, with: {{ halls: \"${{data.halls}}\" }} }}
"
        )
    };
    let each = "each: data.list
    at-most: 9
    failed: { then: park }
    steps:
      - { step: hall, command: t/Book, done: t/Booked, set: { hall: event.hall } }
    collect: { halls: branch.hall }";
    assert!(missing(&block(each)).is_empty());
    let lock = "lock: [hall]
    within: 1h
    failed: { then: park }
    steps:
      - { step: hall, command: t/Book, done: t/Booked, set: { halls: event.hall } }";
    assert!(missing(&block(lock)).is_empty());
}

#[test]
fn a_gap_that_the_author_excludes_is_not_run_through() {
    let choose = |total: &str| {
        format!(
            "  - step: tariff
    {total}
    choose:
      - {{ when: 'data.kind.startsWith(\"y\")', steps: [ {{ set: {{ tariff: '\"young\"' }} }} ] }}
      - {{ when: 'data.kind.startsWith(\"f\")', steps: [ {{ set: {{ tariff: '\"full\"' }} }} ] }}
{}",
            told("data.tariff")
        )
    };
    assert!(missing(&choose("total: true")).is_empty());
}

#[test]
fn what_the_start_asks_is_known_of_the_data_that_it_brings() {
    let badges = "  - { step: open, pivot: true, emit: t/Told }
  - step: badges
    each: data.few
    at-most: 2
    steps: [ { set: { a: item } } ]
";
    let definition = parse("saga.yaml", &format!("{HEAD}{badges}{END}")).expect("it parses");
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.is_proved(), "{report}");
    let is_stuck = |end: &Ending| matches!(end, Ending::Stuck { .. });
    assert!(!report.endings.iter().any(is_stuck), "{report}");
}

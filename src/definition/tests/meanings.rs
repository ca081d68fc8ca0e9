//! What a definition says that its author can hardly mean.

use super::*;

fn found(text: &str) -> Vec<String> {
    let (_, diagnostics) = check("saga.yaml", text);
    diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect()
}

fn codes(text: &str) -> Vec<String> {
    let (_, diagnostics) = check("saga.yaml", text);
    diagnostics.iter().map(|d| d.code.to_string()).collect()
}

const HEAD: &str = "
saga: orders
version: 1
start: { on: s.orders/Placed, key: event.id }
data: { lines: event.lines, total: event.total, at: event.at, count: size(event.lines) }
within: 5d
steps:
";

#[test]
fn kinds_are_followed_from_field_to_field() {
    for (step, message) in [
        ("set: { label: '\"lines: \" + data.count' }", "`+` cannot take text and a number"),
        ("set: { late: 'now > data.at' }", "`>` cannot take a moment and a value from JSON"),
        ("set: { next: 'now + 3600' }", "`+` cannot take a moment and a number"),
        ("{ step: rest, until: data.count }", "`data.count` is a number, not text or a moment"),
        ("{ step: rest, until: '\"tomorrow\"' }", "`\"tomorrow\"` is no moment"),
        ("{ fail: 'of ${[1, 2]}' }", "`[1, 2]` is a list, not text, a number or true or false"),
        (
            "{ step: tell, pivot: true, emit: s.orders/Told, key: '{\"a\": key}' }",
            "`{\"a\": key}` is an object, not text, a number or true or false",
        ),
        (
            "{ step: tell, when: size(data.lines), pivot: true, emit: s.orders/Told }",
            "`size(data.lines)` is a number, not true or false",
        ),
        (
            "{ step: all, each: size(data.lines), at-most: 3, steps: [ { set: { a: item } } ] }",
            "`size(data.lines)` is a number, not a list",
        ),
        (
            "{ step: all, each: '[1, 2]', at-most: 3, steps: [ { set: { a: '\"n\" + item' } } ] }",
            "`+` cannot take text and a number",
        ),
        (
            "{ step: all, each: data.lines, at-most: 3, \
             steps: [ { set: { a: 'index + \"n\"' } } ] }",
            "`+` cannot take a number and text",
        ),
    ] {
        let step = step.strip_prefix("{ ").map_or(format!("{{ {step} }}"), |s| format!("{{ {s}"));
        assert_eq!(found(&format!("{HEAD}  - {step}\n")), [format!("SG0303 {message}")], "{step}");
    }
    let through = "  - { set: { first: 'string(data.count)' } }
  - { set: { second: 'data.first' } }
  - { set: { third: 'data.second * 2' } }
";
    assert_eq!(
        found(&format!("{HEAD}{through}")),
        ["SG0303 `*` cannot take text and a number"],
        "from a set to the next"
    );
    let collected = "  - step: all
    each: data.lines
    at-most: 3
    steps: [ { set: { n: 'size(item)' } } ]
    collect: { sizes: branch.n }
  - { set: { sum: 'data.sizes[0] + \"\"' } }
";
    assert_eq!(found(&format!("{HEAD}{collected}")), ["SG0303 `+` cannot take a number and text"]);
}

#[test]
fn whatever_may_be_right_is_let_through() {
    for step in [
        "set: { label: '\"total: \" + string(data.total)' }",
        "set: { sum: 'data.total * 1.19 + data.count' }",
        "set: { late: 'now > timestamp(data.at)' }",
        "set: { label: 'data.total + \"!\"' }",
        "fail: 'at ${now} of ${data.count}'",
    ] {
        assert_eq!(found(&format!("{HEAD}  - {{ {step} }}\n")), [] as [&str; 0], "{step}");
    }
    // Two places fill it, each with another kind.
    let either = "  - { set: { note: '1' }, when: data.total > 5 }
  - { set: { note: '\"a\"' }, when: '!(data.total > 5)' }
  - { set: { more: 'data.note + 1' } }
";
    assert_eq!(found(&format!("{HEAD}{either}")), [] as [&str; 0]);
}

#[test]
fn what_a_parent_hands_over_is_of_a_kind_that_its_child_can_use() {
    let child = "
saga: picking
version: 1
start: [ { by: parent }, { on: s.orders/Ripe, key: event.id } ]
data: { label: '\"n: \" + event.n', id: event.id }
within: 1d
steps: [ { step: tell, emit: s.orders/Picked, compensate: none } ]
";
    let parent = |with: &str, set: &str| {
        format!(
            "{HEAD}  - {{ step: pick, saga: picking, with: {{ {with} }}, {set}
      compensate: child }}\n"
        )
    };
    let together = |with: &str, set: &str| {
        let text = parent(with, set);
        let (child, parent) = (parsed(child), parse("parent.yaml", &text).expect("it parses"));
        let found = check_together([("child.yaml", &child), ("parent.yaml", &parent)]);
        found.iter().map(|d| d.code.to_string()).collect::<Vec<_>>()
    };
    assert!(together("n: \"${data.total}\", id: a", "").is_empty());
    assert_eq!(together("n: \"${data.count}\", id: a", ""), ["SG0303"]);
    assert_eq!(together("n: 3, id: a", ""), ["SG0303"]);
    // The other start may bring it, this one does not.
    assert_eq!(together("n: \"${data.total}\"", ""), ["SG0805"]);
    let why = "set: { why: child.failure.reason },";
    assert_eq!(codes(&parent("n: a, id: a", why)), ["SG0501"]);
    let later = "failed: { then: go-on, set: { why: child.failure.reason } },";
    assert!(codes(&parent("n: a, id: a", later)).is_empty());
}

#[test]
fn a_secret_is_one_under_any_name() {
    let told = |copy: &str, read: &str| {
        codes(&format!(
            "{}  - {{ set: {{ copy: '{copy}' }} }}
  - {{ set: {{ again: data.copy }} }}
  - {{ step: tell, pivot: true, emit: s.news/Told, with: {{ a: \"${{{read}}}\" }} }}
",
            HEAD.replace("within:", "sensitive: [data.total]\nwithin:")
        ))
    };
    for copy in ["data.total", "\"a\" + data.total", "string(data.total)", "[data.total]"] {
        assert_eq!(told(copy, "data.copy"), ["SG0901"], "{copy}");
        assert_eq!(told(copy, "data.again"), ["SG0901"], "{copy}");
    }
    for copy in ["size(data.total)", "data.total == \"a\"", "has(data.total)", "data.at"] {
        assert!(told(copy, "data.copy").is_empty(), "{copy}");
    }
}

#[test]
fn a_branch_that_counts_for_itself_is_told() {
    let counting = |read: &str, collect: &str| {
        codes(&format!(
            "{HEAD}  - step: all
    each: data.lines
    at-most: 3
    steps: [ {{ set: {{ total: '{read} + 1' }} }} ]
{collect}  - {{ step: tell, pivot: true, emit: s.news/Told, with: {{ a: \"${{data.total}}\" }} }}
"
        ))
    };
    assert_eq!(counting("data.total", ""), ["SG0405"]);
    assert!(counting("data.total", "    collect: { totals: branch.total }\n").is_empty());
}

#[test]
fn a_text_that_reads_like_an_expression_is_told() {
    let with = |text: &str| {
        codes(&format!(
            "{HEAD}  - {{ step: tell, pivot: true, emit: s.news/Told, with: {{ a: '{text}' }} }}\n"
        ))
    };
    for text in [
        "data.total * 2",
        "data.total",
        "{{ data.total }}",
        "a {data.total} b",
        "$data.total",
        "$(data.total)",
        "line/data.total",
        "event.why",
    ] {
        assert_eq!(with(text), ["SG0304"], "{text}");
    }
    for text in
        ["data.csv", "data", "an event. why", "see data. total", "${data.total}", "e.events"]
    {
        assert!(with(text).is_empty(), "{text}");
    }
    let lock = "  - { step: alone, lock: [line/data.total], within: 1h,
      steps: [ { sleep: 1s, step: a } ] }
";
    assert_eq!(codes(&format!("{HEAD}{lock}")), ["SG0304"]);
}

#[test]
fn a_list_that_is_surely_short_enough_is_not_rejected() {
    let saga = |start: &str, list: &str, more: &str| {
        codes(&format!(
            "{}  - {{ step: open, pivot: true, emit: s.news/Told }}
{more}  - {{ step: all, each: '{list}', at-most: 2, steps: [ {{ set: {{ a: item }} }} ] }}
",
            HEAD.replace("on: s.orders/Placed", &format!("on: s.orders/Placed, where: '{start}'"))
        ))
    };
    assert!(saga("true", "[data.total, data.at]", "").is_empty());
    assert_eq!(saga("true", "[data.total, data.at, key]", ""), ["SG0402"]);
    assert!(saga("size(event.lines) <= 2", "data.lines", "").is_empty());
    assert!(saga("event.ok && size(event.lines) < 3", "data.lines", "").is_empty());
    assert_eq!(saga("size(event.lines) <= 3", "data.lines", ""), ["SG0402"]);
    assert_eq!(saga("event.ok || size(event.lines) < 3", "data.lines", ""), ["SG0402"]);
    let anew = "  - { set: { lines: '[1, 2, 3]' } }\n";
    assert_eq!(saga("size(event.lines) <= 2", "data.lines", anew), ["SG0402"]);
}

#[test]
fn the_author_s_word_that_nothing_is_to_be_undone_is_taken() {
    let steps = "  - { step: alarm, emit: s.news/Told, compensate: none }
  - { step: one, command: p.commands/Do, done: p.events/Done,
      compensate: { command: p.commands/Undo, done: p.events/Undone } }
  - { step: two, command: p.commands/Do, done: p.events/DoneAsWell, compensate: none }
  - { fail: no }
";
    assert!(codes(&format!("{HEAD}{steps}")).is_empty());
}

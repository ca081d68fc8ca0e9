//! Which `where`s tell two events of one kind apart.

use super::*;

/// The codes of what is found, each with the line's text.
fn found(text: &str) -> Vec<(String, String)> {
    let (_, diagnostics) = check("saga.yaml", text);
    let told = |d: &Diagnostic| (d.code.to_string(), d.line_text.trim().to_owned());
    diagnostics.iter().map(told).collect()
}

fn codes(text: &str) -> Vec<String> {
    found(text).into_iter().map(|(code, _)| code).collect()
}

const HEAD: &str = "
saga: viewing
version: 1
start: { on: e.requests/Asked, key: event.id }
data: { side: event.side, tries: event.tries }
within: 10d
steps:
";

/// Two steps that read one kind of event, one after the other.
fn in_order(first: &str, second: &str) -> Vec<String> {
    codes(&format!(
        "{HEAD}
  - {{ step: first, command: p.commands/Ask, done: {{ on: p.events/Said, where: '{first}' }},
      compensate: none }}
  - {{ step: second, command: p.commands/Tell, done: {{ on: p.events/Said, where: '{second}' }},
      compensate: none }}
  - {{ set: {{ tries: data.tries }} }}
"
    ))
}

/// Two waits beside each other.
fn beside(first: &str, second: &str) -> Vec<String> {
    codes(&format!(
        "{HEAD}
  - step: both
    parallel:
      one: [ {{ step: a, wait: {{ on: p.events/Said, where: '{first}' }} }} ]
      two: [ {{ step: b, wait: {{ on: p.events/Said, where: '{second}' }} }} ]
  - {{ set: {{ tries: data.tries }} }}
"
    ))
}

#[test]
fn two_steps_share_no_event_that_may_be_for_both() {
    for (first, second) in [
        ("event.side == \"a\"", "event.side == \"a\""),
        ("true", "true"),
        ("event.n > 1", "event.n > 5"),
        ("event.side != \"a\"", "event.side != \"b\""),
        ("event.side in [\"a\", \"b\"]", "event.side == \"b\""),
        ("event.side == data.side", "event.side == data.side"),
        ("event.ok", "event.ok"),
        ("has(event.by)", "event.n > 5"),
        // What the saga remembers may be another when the answer comes again.
        ("event.n == data.tries", "event.n != data.tries"),
        ("now > timestamp(event.at)", "now <= timestamp(event.at)"),
    ] {
        assert_eq!(in_order(first, second), ["SG0601"], "{first} / {second}");
        assert_eq!(beside(first, second), ["SG0601"], "{first} / {second}");
    }
    for (first, second) in [
        ("event.side == \"a\"", "event.side == \"b\""),
        ("event.n > 5", "event.n <= 5"),
        ("event.n < 3", "event.n > 5 && event.ok"),
        ("event.ok", "!event.ok"),
        ("has(event.by)", "!has(event.by)"),
        ("event.side == data.side", "event.side != data.side"),
    ] {
        assert!(in_order(first, second).is_empty(), "{first} / {second}");
        assert!(beside(first, second).is_empty(), "{first} / {second}");
    }
}

#[test]
fn yes_and_no_are_two_answers() {
    let step = |yes: &str, no: &str| {
        codes(&format!(
            "{HEAD}
  - {{ step: ask, command: p.commands/Ask, done: {{ on: p.events/Said, where: '{yes}' }},
      failed: {{ on: p.events/Said, where: '{no}' }}, compensate: none }}
"
        ))
    };
    let wait = |yes: &str, no: &str| {
        codes(&format!(
            "{HEAD}
  - {{ step: hear, wait: {{ on: p.events/Said, where: '{yes}' }},
      failed: {{ on: p.events/Said, where: '{no}' }} }}
"
        ))
    };
    for (yes, no) in [("event.ok", "event.ok"), ("event.n > 1", "event.n > 5")] {
        assert_eq!(step(yes, no), ["SG0108"], "{yes} / {no}");
        assert_eq!(wait(yes, no), ["SG0108"], "{yes} / {no}");
    }
    for (yes, no) in [("event.ok", "!event.ok"), ("event.n == data.tries", "event.n != data.tries")]
    {
        assert!(step(yes, no).is_empty(), "{yes} / {no}");
        assert!(wait(yes, no).is_empty(), "{yes} / {no}");
    }
    let (definition, diagnostics) = check(
        "saga.yaml",
        &format!(
            "{HEAD}
  - {{ step: hear, wait: {{ on: p.events/Said, where: event.ok }},
      failed: {{ on: p.events/Said, where: event.ok }} }}
"
        ),
    );
    assert!(definition.is_none() || diagnostics.errors() > 0, "the no can never be said");
}

#[test]
fn an_undoing_is_not_answered_by_its_action() {
    let step = |action: &str, undo: &str, events: &str| {
        codes(&format!(
            "{}
  - step: stage
    command: s.commands/Reserve
    done: {{ on: s.events/Changed, where: '{action}' }}
    compensate:
      command: s.commands/Free
      done: {{ on: s.events/Changed, where: '{undo}' }}
",
            HEAD.replace("within:", &format!("{events}within:"))
        ))
    };
    let (held, free) = ("event.state == \"held\"", "event.state == \"free\"");
    assert_eq!(step(held, held, ""), ["SG0601"]);
    assert!(step(held, free, "").is_empty());
    let named = "events: { s.events/*: { by: command-id } }\n";
    assert_eq!(step(held, held, named), ["SG0412"]);
    assert!(step(held, free, named).is_empty());
}

#[test]
fn an_event_does_not_cancel_what_waits_for_it() {
    let saga = |cancel: &str, wait: &str| {
        codes(&format!(
            "{}
  - {{ step: answer, wait: {{ on: g.events/Answered{wait} }}, within: 5d }}
",
            HEAD.replace(
                "within:",
                &format!("cancel: {{ on: g.events/Answered{cancel} }}\nwithin:")
            )
        ))
    };
    assert_eq!(saga("", ""), ["SG0108"]);
    assert_eq!(saga(", where: event.no", ", where: event.yes"), ["SG0108"]);
    assert!(saga(", where: '!event.yes'", ", where: event.yes").is_empty());
}

/// The branches of a fan-out that read one kind of event.
fn in_each(condition: &str) -> Vec<String> {
    codes(&format!(
        "{}
  - step: lines
    each: data.lines
    at-most: 9
    steps:
      - step: pick
        command: p.commands/Pick
        with: {{ line: \"${{item}}\" }}
        done: {{ on: p.events/Picked, where: '{condition}' }}
        compensate: none
",
        HEAD.replace("data: {", "data: { lines: event.lines,")
    ))
}

#[test]
fn branches_are_told_apart_by_what_is_theirs() {
    for condition in [
        "event.sku == item.sku",
        "item.sku == event.sku && event.ok",
        "event.place == index",
        "event.ok ? event.sku == item.sku : event.code == item.code",
    ] {
        assert!(in_each(condition).is_empty(), "{condition}");
    }
    for condition in [
        "event.n > item.n",
        "event.sku != item.sku",
        "event.sku == item.sku || event.all",
        "item.n > 3",
        "event.sku == data.side",
    ] {
        assert_eq!(in_each(condition), ["SG0601"], "{condition}");
    }
}

#[test]
fn two_steps_of_one_branch_are_told_apart_by_more_than_the_branch() {
    let steps = |first: &str, second: &str| {
        codes(&format!(
            "{}
  - step: lines
    each: data.lines
    at-most: 9
    steps:
      - step: pick
        command: p.commands/Pick
        done: {{ on: p.events/Done, where: 'event.sku == item.sku{first}' }}
        compensate: none
      - step: pack
        command: p.commands/Pack
        done: {{ on: p.events/Done, where: 'event.sku == item.sku{second}' }}
        compensate: none
",
            HEAD.replace("data: {", "data: { lines: event.lines,")
        ))
    };
    assert_eq!(steps("", ""), ["SG0601"], "the first answer may come again");
    assert!(steps(" && event.part == 1", " && event.part == 2").is_empty());
}

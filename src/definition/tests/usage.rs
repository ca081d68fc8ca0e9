//! Values that are used as one kind here and as another there.

use super::*;

const HEAD: &str = "
saga: orders
version: 1
start: { on: s.orders/Placed, key: event.id }
data: { total: event.total, lines: event.lines, kind: event.kind, copy: event.total }
within: 5d
steps:
";

/// What is said of steps, each with the line that it is told at.
fn found(steps: &[&str]) -> Vec<String> {
    let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}\n")).collect();
    let (_, diagnostics) = check("saga.yaml", &format!("{HEAD}{}", steps.concat()));
    diagnostics.iter().map(|d| format!("{} {}: {}", d.code, d.line, d.message)).collect()
}

#[test]
fn a_value_is_not_of_two_kinds() {
    for (one, other, message) in [
        (
            "set: { a: data.total * 2 }",
            "set: { b: data.total > \"9\" }",
            "`data.total` must be text here, and a number on line 8",
        ),
        (
            "set: { a: data.total * 2 }",
            "set: { b: '!data.copy' }",
            "`data.copy` must be true or false here, and `data.total` a number on line 8",
        ),
        (
            "set: { a: 'data.lines.map(line, line.sku)' }",
            "set: { b: data.lines + 1 }",
            "`data.lines` must be a number here, and a list or an object on line 8",
        ),
        (
            "set: { a: data.lines.first }",
            "set: { b: 'data.lines[0]' }",
            "`data.lines` must be a list here, and an object on line 8",
        ),
        (
            "set: { a: data.kind.startsWith(\"x\") }",
            "{ step: b, when: data.kind, sleep: 1h }",
            "`data.kind` must be true or false here, and text on line 8",
        ),
        (
            "{ step: b, until: data.kind }",
            "{ fail: 'it is ${data.kind - 1}' }",
            "`data.kind` must be a number here, and text on line 8",
        ),
        (
            "{ step: a, each: data.lines, at-most: 3, steps: [ { set: { x: item.n * 2 } } ] }",
            "{ step: b, each: data.lines, at-most: 3, steps: [ { sleep: 1s, step: s } ] }",
            "",
        ),
    ] {
        let told = (!message.is_empty()).then(|| format!("SG0305 9: {message}"));
        let expected: Vec<String> = told.into_iter().collect();
        let quoted = |step: &str| match step.strip_prefix("set: { ") {
            Some(_) => format!("{{ {step} }}"),
            None => step.to_owned(),
        };
        assert_eq!(found(&[&quoted(one), &quoted(other)]), expected, "{one}\n{other}");
    }
}

#[test]
fn what_most_places_take_it_for_is_believed() {
    let steps = [
        "{ step: a, when: data.total, sleep: 1h }",
        "{ set: { b: data.total * 2 } }",
        "{ set: { c: data.total + 5 } }",
    ];
    let expected = "SG0305 8: `data.total` must be true or false here, and a number on line 9";
    assert_eq!(found(&steps), [expected]);
}

#[test]
fn values_that_may_be_of_two_kinds_are_nobodys_mistake() {
    for steps in [
        // What is the same or not the same is asked of any kind.
        ["{ set: { a: data.total == \"all\" } }", "{ set: { b: data.total * 2 } }"],
        // The author asks for the kind, by its own or by another field.
        ["{ set: { a: type(data.total) == string } }", "{ set: { b: data.total * 2 } }"],
        [
            "{ set: { a: 'type(data.total) == string ? size(data.total) : data.total + 1' } }",
            "{ set: { b: data.total * 2 } }",
        ],
        [
            "{ step: a, when: 'data.kind == \"n\" && data.total > 2', sleep: 1h }",
            "{ step: b, when: 'data.kind == \"t\" && data.total > \"2\"', sleep: 1h }",
        ],
        [
            "{ when: data.kind == \"n\", set: { a: data.total * 2 } }",
            "{ when: data.kind != \"n\", set: { b: size(data.total) } }",
        ],
        // Text is made of both.
        ["{ set: { a: string(data.total) } }", "{ set: { b: data.total * 2 } }"],
        ["{ fail: 'of ${data.total}' }", "{ set: { b: data.total * 2 } }"],
        ["{ set: { a: double(data.total) } }", "{ set: { b: size(data.total) } }"],
        // Another step fills it again.
        ["{ set: { total: 'string(data.total)' } }", "{ set: { b: size(data.total) } }"],
    ] {
        let codes = found(&steps);
        assert!(codes.iter().all(|found| !found.starts_with("SG0305")), "{codes:?}");
    }
}

#[test]
fn the_ways_of_a_choice_may_each_know_a_kind() {
    let choice = "{ step: a, choose: [
      { when: data.kind == \"n\", steps: [ { set: { x: data.total * 2 } } ] },
      { otherwise: true, steps: [ { set: { x: size(data.total) } } ] } ] }";
    assert_eq!(found(&[choice]), Vec::<String>::new());
    let behind = "{ set: { y: size(data.total) } }";
    let before = "{ set: { z: data.total * 2 } }";
    let expected =
        "SG0305 9: `data.total` must be text, a list or an object here, and a number on line 8";
    assert_eq!(found(&[before, behind]), [expected]);
}

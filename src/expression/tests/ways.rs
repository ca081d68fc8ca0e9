//! Which conditions cannot hold together.

use super::*;

fn excludes(one: &str, other: &str) -> bool {
    let condition = |source: &str| Expression::parse(source).expect(source).condition().clone();
    let (one, other) = (condition(one), condition(other));
    let excludes = one.excludes(&other, &|_| true);
    assert_eq!(other.excludes(&one, &|_| true), excludes, "it is the same either way");
    excludes
}

#[test]
fn conditions_that_cannot_both_hold_are_told_apart() {
    for (one, other) in [
        ("event.side == \"a\"", "event.side == \"b\""),
        ("event.side == 'a' && event.ok", "event.side == 'b' || event.side == 'c'"),
        ("event.n > 5", "event.n <= 5"),
        ("event.n > 5", "event.n < 3"),
        ("event.n >= 5 && event.n < 9", "event.n == 9"),
        ("5 < event.n", "event.n == 5"),
        ("event.n == 1", "event.n == \"1\""),
        ("event.n > 1", "event.n == \"1\""),
        ("event.ok", "!event.ok"),
        ("event.ok == true", "!event.ok"),
        ("event.ok == true", "event.ok == false"),
        ("event.n + 1 > event.m", "event.n + 1 <= event.m"),
        ("event.code in [\"a\", \"b\"]", "event.code == \"c\""),
        ("event.code in [\"a\", \"b\"]", "!(event.code in ['a', 'b', 'c'])"),
        ("event.code in [\"a\", \"b\"]", "event.code in [\"c\"]"),
        ("size(event.lines) == 0", "size(event.lines) > 0"),
        ("size(event.lines) > 0", "size(event.lines) < 1"),
        ("event.lines.size() > 1", "size(event.lines) < 2 && event.ok"),
        ("has(event.error)", "!has(event.error)"),
        ("!has(event.error)", "event.error == \"late\""),
        ("event.ok ? event.n > 1 : event.n > 5", "event.n < 1"),
        ("false", "true"),
    ] {
        assert!(excludes(one, other), "{one} / {other}");
    }
}

#[test]
fn conditions_that_may_meet_are_not_told_apart() {
    for (one, other) in [
        ("event.side == \"a\"", "event.side == \"a\""),
        ("true", "true"),
        ("event.n > 1", "event.n > 5"),
        ("event.n >= 5", "event.n <= 5"),
        ("event.side != \"a\"", "event.side != \"b\""),
        ("event.side in [\"a\", \"b\"]", "event.side == \"b\""),
        ("event.side == data.side", "event.side == data.side"),
        ("event.side == data.side", "event.side == data.other"),
        ("event.side == \"a\"", "event.kind == \"b\""),
        ("has(event.by)", "event.amount > 5"),
        ("has(event.error) ? false : true", "!has(event.error)"),
        ("!has(event.error)", "(has(event.error) ? event.error : 0) < 1"),
        ("event.n > 0", "event.n < 1"),
        ("event.side == \"a\" || event.ok", "event.side == \"b\""),
        ("!(event.side == \"a\")", "event.side == \"b\""),
    ] {
        assert!(!excludes(one, other), "{one} / {other}");
    }
}

#[test]
fn only_questions_that_count_tell_apart() {
    let condition = |source: &str| Expression::parse(source).expect(source).condition().clone();
    let (one, other) = (condition("event.n == data.n"), condition("event.n != data.n"));
    let of_event = |question: &crate::expression::Question| {
        question.references.iter().all(|r| r.name == Name::Event)
    };
    assert!(one.excludes(&other, &|_| true));
    assert!(!one.excludes(&other, &of_event));
}

//! What an expression can never compute, whatever the data.

use super::*;
use crate::expression::{Kinds, Misfit};

/// The kinds of an expression over a number, a text, a list, and a value that nobody knows.
fn kinds(source: &str) -> (Kinds, Vec<Misfit>) {
    let expression = Expression::parse(source).expect(source);
    expression.kinds(&|path| match (path.name, path.fields.first().map(String::as_str)) {
        (Name::Now, _) => Kinds::MOMENT,
        (Name::Data, Some("number")) => Kinds::NUMBER,
        (Name::Data, Some("text")) => Kinds::TEXT,
        (Name::Data, Some("numbers")) => Kinds::NUMBER.listed(),
        (Name::Data, None) => Kinds::OBJECT,
        _ => Kinds::JSON,
    })
}

/// Its value where every path leads to what was said of it.
fn computed(source: &str) -> Result<Value, Error> {
    let data = serde_json::json!({
        "number": 3, "text": "a", "numbers": [1, 2], "any": "2026-01-01T00:00:00Z",
    });
    let expression = Expression::parse(source).expect(source);
    expression.evaluate(&Scope::at(Timestamp(1_000)).with(Name::Data, &data))
}

#[test]
fn what_can_never_be_computed_is_known_before() {
    for (source, message) in [
        ("\"a\" + data.number", "`+` cannot take text and a number"),
        ("\"a\" - \"b\"", "`-` cannot take text and text"),
        ("data.text + size(data.any)", "`+` cannot take text and a number"),
        ("now + 3600", "`+` cannot take a moment and a number"),
        ("now > data.any", "`>` cannot take a moment and a value from JSON"),
        ("data.any - now", "`-` cannot take a value from JSON and a moment"),
        ("data.any - duration(\"1h\")", "`-` cannot take a value from JSON and a duration"),
        ("!size(data.any)", "`size(data.any)` is a number, not true or false"),
        ("data.number && true", "`data.number` is a number, not true or false"),
        ("data.number ? 1 : 2", "`data.number` is a number, not true or false"),
        ("size(5)", "`size` cannot take a number"),
        ("data.numbers[\"a\"]", "`data.numbers` is a list, so it has no `a`"),
        ("data.numbers[data.text]", "`data.numbers` is a list, and `[ ]` asks it for text"),
        ("data.number[0]", "`data.number` is a number, and `[ ]` asks it for a number"),
        ("data.text.street", "`data.text` is text, so it has no `street`"),
        ("data.text in data.text", "nothing is `in` text"),
        ("data.number.map(n, n)", "`data.number` is a number, not a list"),
        ("data.numbers.map(n, n + \"a\")", "`+` cannot take a number and text"),
        ("data.numbers.filter(n, n)", "`n` is a number, not true or false"),
        ("[1, 2][0] + \"a\"", "`+` cannot take a number and text"),
        ("-data.text", "`-` cannot take text"),
        ("data.text.getHours()", "`getHours` cannot take text"),
    ] {
        let (_, misfits) = kinds(source);
        let seen: Vec<&str> = misfits.iter().map(|m| m.message.as_str()).collect();
        assert_eq!(seen, [message], "{source}");
        assert!(computed(source).is_err(), "{source} is computed");
    }
    // CEL computes these, and they never hold.
    for (source, message) in [
        ("data.number == \"3\"", "a number is never the same as text"),
        ("now == data.any", "a moment is never the same as a value from JSON"),
    ] {
        assert_eq!(kinds(source).1[0].message, message, "{source}");
    }
}

#[test]
fn what_can_be_computed_is_let_through() {
    for (source, kind) in [
        ("\"a\" + string(data.number)", Kinds::TEXT),
        ("data.number + 1", Kinds::NUMBER),
        ("now + duration(\"336h\")", Kinds::MOMENT),
        ("now - timestamp(data.any)", Kinds::DURATION),
        ("timestamp(data.any) < now", Kinds::BOOL),
        ("now.getHours() + now.getHours(\"UTC\")", Kinds::NUMBER),
        ("data.numbers.map(n, n * 2)[0] + 1", Kinds::NUMBER),
        ("data.numbers.filter(n, n > 1)", Kinds::NUMBER.listed()),
        ("data.numbers.exists(n, n == 1) && data.numbers.all(n, n > 0)", Kinds::BOOL),
        ("data.numbers.exists_one(n, n == 1)", Kinds::BOOL),
        ("data.numbers + [3]", Kinds::NUMBER.listed()),
        ("data.number in data.numbers", Kinds::BOOL),
        ("\"number\" in data", Kinds::BOOL),
        ("has(data.other) ? data.other : \"none\"", Kinds::JSON),
        ("has(data.number) == true", Kinds::BOOL),
        ("type(data.any) == string", Kinds::BOOL),
        ("dyn(data.text)", Kinds::TEXT),
        ("data.any == null", Kinds::BOOL),
        ("data.text.matches(\"a.*\")", Kinds::BOOL),
        ("{\"a\": data.number}", Kinds::OBJECT),
    ] {
        let (seen, misfits) = kinds(source);
        assert!(misfits.is_empty(), "{source}: {misfits:?}");
        assert!(seen.meets(kind), "{source}: {seen}");
        assert!(
            computed(source).is_ok() || source.contains("other"),
            "{source}: {:?}",
            computed(source)
        );
    }
}

#[test]
fn what_is_kept_is_json() {
    assert_eq!(kinds("now + duration(\"1h\")").0.kept(), Kinds::TEXT);
    assert_eq!(kinds("[now]").0.kept(), Kinds::TEXT.listed());
    assert_eq!(kinds("data.number").0.kept(), Kinds::NUMBER);
}

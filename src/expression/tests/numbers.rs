//! Numbers: whole and decimal are of one kind, and what is computed with them is exact.

use super::{Expression, Name, Scope, Template, Value, check, event, read_json};
use crate::message::Timestamp;

/// The value of an expression over two numbers as a message writes them.
fn of(source: &str, left: &str, right: &str) -> String {
    let data = format!(r#"{{"a":{left},"b":{right}}}"#);
    let data: Value = read_json(data.as_bytes()).expect("JSON");
    let expression = Expression::parse(source).expect(source);
    let scope = Scope::at(Timestamp(0)).with(Name::Data, &data);
    expression.evaluate(&scope).map_or_else(|e| e.to_string(), |value| value.to_string())
}

#[test]
fn whole_and_decimal_numbers_mix() {
    for (source, value) in [
        ("0.1 + 0.2", "0.3"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("42 * 0.3", "12.6"),
        ("42.0 * 0.3", "12.6"),
        ("10 / 4", "2.5"),
        ("10 / 5", "2"),
        ("7 % 2.5", "2"),
        ("-7 % 4", "-3"),
        ("7 % -4", "3"),
        ("100.5 + 2.5", "103"),
        ("100 - 0.01", "99.99"),
        ("1.10 * 100", "110"),
        ("2 > 1.5 && 1.5 < 2 && 2.0 >= 2 && 2 <= 2.0", "true"),
        ("2 == 2.0 && 2 != 2.5 && 2u == 2", "true"),
        ("1e3 == 1000", "true"),
        ("-0.0 == 0", "true"),
        ("9007199254740993 + 0.5", "9007199254740993.5"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("-(-9223372036854775807 - 1)", "9223372036854775808"),
        ("9223372036854775807 * 9", "83010348331692982263"),
        ("event.total + event.count", "22.99"),
        ("0x10 + 0xFFu + .5 + -1.5", "270"),
        ("event.serial + 1", "12345678901234567891"),
        ("event.total * 2 - event.total * 2.0", "0"),
        ("size(event.lines) / 4", "0.5"),
        ("event.count > 2.5 ? event.total : event.count", "19.990"),
    ] {
        assert_eq!(check(source), value, "{source}");
    }
}

#[test]
fn numbers_are_one_wherever_they_are_compared() {
    for source in [
        "3.0 in [1, 2, 3]",
        "1.50 in event.lines.map(l, l.price)",
        "[1, 2.0] == [1.0, 2]",
        "{'a': 1.0} == {'a': 1}",
        "{1: 'x'}[1.0] == 'x'",
        "1.0 in {1: 'x'}",
        "event.lines[1.0].sku == 'A'",
        "event.lines.exists_one(l, l.n == 2.0)",
        "event.huge == double('1e399') * 10",
        "event.long > event.serial && event.serial < event.long",
        "event.long == event.long && event.long != event.serial",
        "-event.serial < -1 && !(event.long < 0)",
        "type(2.0) == int && type(2) == int && type(2.5) == double",
    ] {
        assert_eq!(check(source), "true", "{source}");
    }
}

#[test]
fn a_number_is_made_of_text_and_text_of_a_number() {
    for (source, value) in [
        ("string(1.50)", r#""1.5""#),
        ("string(event.total)", r#""19.99""#),
        ("string(4711.0)", r#""4711""#),
        ("string(1e21 * 10)", r#""10000000000000000000000""#),
        ("double('100.00') + double('2.50')", "102.5"),
        ("double('1e-3')", "0.001"),
        ("int('4711.0')", "4711"),
        ("int(2.9) + int(-2.9)", "0"),
        ("int(12345678901234567890.5 - 0)", "12345678901234567890"),
        ("uint(3.7)", "3"),
        ("int(now)", "1767225600"),
        ("timestamp(1767225600.0) == now", "true"),
    ] {
        // A number of more than 15 digits is written as text.
        let source = source.replace("12345678901234567890.5", "double('12345678901234567890.5')");
        assert_eq!(check(&source), value, "{source}");
    }
    for more in [".12345678901234567", "-1.00000000000000001", "1e-400"] {
        assert!(check(more).contains("give more as text"), "{more}: {}", check(more));
    }
    for source in ["int('1.5')", "int('four')", "double('')", "double('1.')", "double('0x1')"] {
        assert!(check(source).contains("cannot make anything of this text; "), "{}", check(source));
    }
    assert!(check("uint(-1)").ends_with("`uint` cannot make anything of a number"));
}

#[test]
fn what_does_not_fit_is_an_error_with_both_operands() {
    let nines = "9".repeat(28);
    for (how, left, right, said) in [
        ("+", nines.as_str(), "1", "10000000000000000000000000000"),
        ("+", &nines, "0.1", "`9999999999999999999999999999 + 0.1` does not fit in 28 digits"),
        ("-", "1e30", "1", "`1000000000000000000000000000000 - 1` does not fit in 28 digits"),
        (
            "*",
            "123456789012345.6",
            "123456789012345.7",
            "`123456789012345.6 * 123456789012345.7` does not fit in 28 digits",
        ),
        // Many digits, but as many zeros at the end.
        (
            "*",
            "1237940039285380274899124224",
            "1818989403545856475830078125",
            "2251799813685248e39",
        ),
        ("*", "1e400", "1e400", "1e800"),
        ("*", "1e600", "1e600", "`1e600 * 1e600` does not fit in 28 digits"),
        ("*", "1e-600", "1E-600", "`1e-600 * 1e-600` does not fit in 28 digits"),
        ("+", "1e400", "1e-400", "`1e400 + 1e-400` does not fit in 28 digits"),
        ("/", "1", "0", "`1 / 0` divides by zero"),
        ("/", "1.5", "-0.0", "`1.5 / 0` divides by zero"),
        ("%", "7", "0.00", "`7 % 0` divides by zero"),
        ("/", "1", "3", "0.3333333333333333333333333333"),
        ("/", "2", "3", "0.6666666666666666666666666667"),
        ("/", "1", "30000000000", "0.00000000003333333333333333333333333333"),
        ("/", "-1e-400", "3", "-3.333333333333333333333333333e-401"),
        ("%", "1e400", "7", "4"),
        ("%", "0.5", "1e400", "0.5"),
        (
            "+",
            "12345678901234567890123456789",
            "1",
            "`12345678901234567890123456789` has more than 28 digits or too large an exponent to \
             compute with; it can be compared and passed on",
        ),
        (
            "*",
            "1",
            "1e99999999999999999999",
            "`1e2305843009213693951` has more than 28 digits or too large an exponent to compute \
             with; it can be compared and passed on",
        ),
    ] {
        let source = format!("data.a {how} data.b");
        let seen = of(&source, left, right);
        let seen = seen.strip_prefix(&format!("`{source}`: ")).unwrap_or(&seen);
        let said = said.replace(
            "2251799813685248e39",
            &(2_251_799_813_685_248_i64.to_string() + &"0".repeat(39)),
        );
        assert_eq!(seen, said, "{left} {how} {right}");
    }
}

#[test]
fn a_number_that_is_not_computed_with_keeps_its_text() {
    for (source, value) in [
        ("event.lines.map(l, l.price)", "[1.50,0.10]"),
        ("event.lines.filter(l, l.price > 1)[0]", r#"{"sku":"B","n":2,"price":1.50}"#),
        ("[event.huge, event.long]", "[1E400,123456789012345678901234567890]"),
        ("{'total': event.total}", r#"{"total":19.990}"#),
    ] {
        assert_eq!(check(source), value, "{source}");
    }
}

#[test]
fn one_number_is_one_key() {
    let event = event();
    let key = |source: &str| {
        let scope = Scope::at(Timestamp(0)).with(Name::Event, &event);
        Expression::parse(source).expect(source).key(&scope).expect(source)
    };
    for (source, text) in [
        ("4711", "4711"),
        ("4711.0", "4711"),
        ("4.711e3", "4711"),
        ("'4711'", "4711"),
        ("'04711'", "04711"),
        ("'4711.0'", "4711.0"),
        ("event.total", "19.99"),
        ("event.serial", "12345678901234567890"),
        ("event.long", "123456789012345678901234567890"),
        ("event.huge", "1e400"),
        ("-0.0", "0"),
        ("event.final", "true"),
        ("string(event.count) + '/settle'", "3/settle"),
    ] {
        assert_eq!(key(source), text, "{source}");
    }
    let key = |source: &str| {
        let scope = Scope::at(Timestamp(0)).with(Name::Event, &event);
        Template::parse(source).expect(source).key(&scope)
    };
    assert_eq!(key("account/${event.total}").as_deref(), Ok("account/19.99"));
    assert_eq!(key("${event.total}").as_deref(), Ok("19.99"));
    assert_eq!(key("${event.order_id}").as_deref(), Ok("o-1"));
    assert!(key("${event.note}").is_err());
}

#[test]
fn a_length_of_time_may_have_days() {
    for (source, value) in [
        ("duration('14d') == duration('336h')", "true"),
        ("duration('1w') - duration('1d')", r#""518400s""#),
        ("duration('1h30m') + duration('-0.5s')", r#""5399.5s""#),
        ("now + duration('2d')", r#""2026-01-03T00:00:00.000Z""#),
        ("duration('0')", r#""0s""#),
        ("now.getHours('Europe/Berlin') + now.getHours('-08:00')", "17"),
        ("duration('90m').getHours()", "1"),
    ] {
        assert_eq!(check(source), value, "{source}");
    }
    for text in ["", "1", "d", "1h x", "99999999w", "1.5.2s", "-"] {
        let said = check(&format!("duration('{text}')"));
        assert!(said.contains("`duration` cannot make anything of this text; "), "{text}: {said}");
    }
}

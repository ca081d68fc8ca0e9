use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::message::{Timestamp, read_json};

mod kinds;
mod numbers;
mod questions;
mod ways;

const NOW: Timestamp = Timestamp(1_767_225_600_000);

fn event() -> Value {
    let text = r#"{
        "order_id": "o-1", "total": 19.990, "count": 3, "huge": 1E400,
        "serial": 12345678901234567890, "long": 123456789012345678901234567890, "note": null,
        "lines": [{"sku": "B", "n": 2, "price": 1.50}, {"sku": "A", "n": 1, "price": 0.10}],
        "prices": {"zebra": 1, "apple": 2, "mango": 3}, "at": "2025-12-31T23:00:00Z", "final": true
    }"#;
    read_json(text.as_bytes()).expect("JSON")
}

/// The value of an expression over `event()`, as JSON text, or why it has none.
fn check(source: &str) -> String {
    let expression = match Expression::parse(source) {
        Ok(expression) => expression,
        Err(e) => return format!("refused at {:?}: {e}", e.at),
    };
    let event = event();
    let key = json!("o-1");
    let data = json!({ "country": "DE" });
    let scope =
        Scope::at(NOW).with(Name::Event, &event).with(Name::Key, &key).with(Name::Data, &data);
    match expression.evaluate(&scope) {
        Ok(value) => value.to_string(),
        Err(e) => e.to_string(),
    }
}

/// What a template over `event()` gives, as JSON text, or why it gives nothing.
fn fill(source: &str) -> String {
    let template = match Template::parse(source) {
        Ok(template) => template,
        Err(e) => return format!("refused at {:?}: {e}", e.at),
    };
    let event = event();
    match template.render(&Scope::at(NOW).with(Name::Event, &event)) {
        Ok(value) => value.to_string(),
        Err(e) => e.to_string(),
    }
}

#[test]
fn a_path_keeps_every_digit() {
    for (source, text) in [
        ("event.total", "19.990"),
        (" event.huge ", "1E400"),
        ("event.serial", "12345678901234567890"),
        ("event.long", "123456789012345678901234567890"),
        ("event.lines[0].price", "1.50"),
        ("event['total']", "19.990"),
        ("has(event.fee) ? event.fee : event.total", "19.990"),
        ("event.count > 2 ? (event.final ? event.huge : event.count) : event.total", "1E400"),
        ("event.note", "null"),
        ("key", "\"o-1\""),
        ("now", "\"2026-01-01T00:00:00.000Z\""),
    ] {
        assert_eq!(check(source), text, "{source}");
    }
}

#[test]
fn a_template_keeps_every_digit() {
    for (source, text) in [
        ("${event.total}", "19.990"),
        ("${ event.huge }", "1E400"),
        ("${event.serial}", "12345678901234567890"),
        ("${event.lines}", r#"[{"sku":"B","n":2,"price":1.50},{"sku":"A","n":1,"price":0.10}]"#),
        ("pay ${event.total} for ${event.order_id}", r#""pay 19.990 for o-1""#),
        ("${event.order_id}${event.serial}", r#""o-112345678901234567890""#),
    ] {
        assert_eq!(fill(source), text, "{source}");
    }
}

#[test]
fn holes_end_where_cel_ends() {
    for (source, text) in [
        ("plain", r#""plain""#),
        ("", r#""""#),
        ("a $${event.x} b", r#""a ${event.x} b""#),
        ("$$${event.count}", r#""$${event.count}""#),
        ("5$ {x} }", r#""5$ {x} }""#),
        (r#"${ {"a": {"b": event.count}} }"#, r#"{"a":{"b":3}}"#),
        (r#"<${ "}" + '${' }>"#, r#""<}${>""#),
        (r#"${ "a\"}" }"#, r#""a\"}""#),
        (r#"${ r'\' + "}" }"#, r#""\\}""#),
        (r#"${ """ "} """ }"#, r#"" \"} ""#),
        ("ü${event.order_id}ü", r#""üo-1ü""#),
        (
            "${event.total",
            "refused at Some(0): `${` has no `}`; write `$${` if you mean the characters",
        ),
        ("a ${", "refused at Some(2): `${` has no `}`; write `$${` if you mean the characters"),
        ("a ${'}", "refused at Some(2): `${` has no `}`; write `$${` if you mean the characters"),
        ("a ${ }", "refused at Some(4): there is no expression"),
        ("a ${ dta.y }", "refused at Some(5): `dta` is not a name; did you mean `data`?"),
        ("x ${event.lines}", "`event.lines` is a list, not text, a number or true or false"),
        ("x ${event.note}", "`event.note` is null, not text, a number or true or false"),
        ("${event.lost}", "`event.lost` is missing"),
    ] {
        assert_eq!(fill(source), text, "{source}");
    }
}

#[test]
fn cel_computes() {
    for (source, text) in [
        ("event.total > 10.0 && event.count == 3", "true"),
        ("event.count + 1", "4"),
        ("event.total * 2.0", "39.98"),
        ("'for ' + event.order_id", r#""for o-1""#),
        ("event.lines.map(l, l.sku)", r#"["B","A"]"#),
        ("event.lines.filter(l, l.n > 1)", r#"[{"sku":"B","n":2,"price":1.50}]"#),
        ("event.lines.exists(l, l.sku == 'A')", "true"),
        ("size(event.lines) + size(data.country)", "4"),
        ("event.prices.map(k, k)", r#"["zebra","apple","mango"]"#),
        ("event.prices.map(k, event.prices[k])", "[1,2,3]"),
        ("event.prices == {'apple': 2, 'mango': 3, 'zebra': 1}", "true"),
        ("{'apple': 2, 'mango': 3, 'zebra': 1} == event.prices", "true"),
        ("{'b': 1, 'a': 2, 3: true}", r#"{"3":true,"a":2,"b":1}"#),
        ("has(event.fee)", "false"),
        ("has(event.prices.apple) && !has(event.prices.pear)", "true"),
        ("has(event.fee) && event.fee > 1", "false"),
        ("timestamp(event.at) < now", "true"),
        ("now - timestamp(event.at)", r#""3600s""#),
        ("timestamp(event.at) + duration('90m')", r#""2026-01-01T00:30:00.000Z""#),
        ("duration('1.5s')", r#""1.5s""#),
        ("now.getFullYear()", "2026"),
        ("type(event.count) == int", "true"),
        ("double(event.count) + event.total", "22.99"),
        ("event.serial == 12345678901234567890u", "true"),
        ("event.note == null", "true"),
        ("event.order_id.matches('^o-[0-9]+$')", "true"),
        ("event.lines.map(event, event.sku)", r#"["B","A"]"#),
        ("'${x}'", r#""${x}""#),
        ("true", "true"),
        ("-1", "-1"),
    ] {
        assert_eq!(check(source), text, "{source}");
    }
}

#[test]
fn cel_refuses_in_words() {
    for (source, text) in [
        ("event.fee > 1", "`event.fee` is missing"),
        ("event.prices.pear > 1", "`event.prices.pear` is missing"),
        ("event.lines.map(l, l.colour)", "`l.colour` is missing"),
        ("failure.reason", "`failure` is missing"),
        ("failure.reason == 'x'", "`failure` is missing"),
        ("event.lines[7]", "`event.lines[7]` is missing"),
        ("event.lines[7].n > 1", "`event.lines[7].n > 1`: the list is shorter than that"),
        (
            "event.order_id > 3",
            "`event.order_id > 3`: `>` cannot be applied to text and a number; \
             `string(…)` makes text of a number, `double(…)` a number of text",
        ),
        (
            "now > '2026-01-01T00:00:00Z'",
            "`now > '2026-01-01T00:00:00Z'`: `>` cannot be applied to a timestamp and text; \
             `timestamp(…)` makes a time of text",
        ),
        (
            "now + 3600",
            "`now + 3600`: `+` cannot be applied to a timestamp and a number; \
             write a length of time: `duration('90s')`",
        ),
        (
            "event.final && event.count",
            "`event.final && event.count`: `&&` cannot be applied to a number",
        ),
        ("!event.note", "`!event.note`: `!` cannot be applied to null"),
        ("event.lines[0.5]", "`event.lines[0.5]`: a list has no element `0.5`"),
        ("event.note.all(x, x)", "`event.note.all(x, x)`: it loops over null, not a list"),
        (
            "timestamp(event.order_id)",
            "`timestamp(event.order_id)`: `timestamp` cannot make anything of this text; it reads \
             RFC 3339, such as `2026-01-31T09:00:00Z`",
        ),
        (
            "now.getHours('Mars')",
            "`now.getHours('Mars')`: there is no such zone; write one such as `Europe/Berlin` or \
             `+02:00`",
        ),
        ("size(event.note)", "`size(event.note)`: `size` cannot make anything of null"),
        (
            "b'x'",
            "`b'x'` is neither text, number, list nor object, not a value that JSON can carry",
        ),
        ("event.count ? 1 : 2", "`event.count ? 1 : 2`: what stands before `?` is a number"),
    ] {
        assert_eq!(check(source), text, "{source}");
    }
}

#[test]
fn what_does_not_parse_is_refused_with_its_place() {
    for (source, text) in [
        ("", "refused at Some(0): there is no expression"),
        ("  ", "refused at Some(0): there is no expression"),
        ("event.total >", "refused at Some(13): it ends too early"),
        ("event.a ==== 1", ""),
        ("evnt.total > 1", "refused at Some(0): `evnt` is not a name; did you mean `event`?"),
        (
            "event.a && evnt.total > 1",
            "refused at Some(11): `evnt` is not a name; did you mean `event`?",
        ),
        (
            "  zzz",
            "refused at Some(2): `zzz` is not a name; write `event.zzz` or `data.zzz` for a \
             field, `\"zzz\"` for the text",
        ),
        (
            "event.name.startWith('a')",
            "refused at Some(11): there is no function `startWith`; did you mean `startsWith`?",
        ),
        ("Order{a: 1}", ""),
        (
            "event.x == timestamp('tomorrow')",
            "refused at Some(21): `timestamp` cannot make anything of this text; it reads \
             RFC 3339, such as `2026-01-31T09:00:00Z`",
        ),
        ("size()", "refused at Some(0): `size` takes one value; write `size(x)`"),
        (
            "event.a.contains()",
            "refused at Some(8): `contains` stands behind a text; write `x.contains(y)`",
        ),
        ("event.a.string()", "refused at Some(8): `string` takes one value; write `string(x)`"),
        (
            "event.a.matches('[')",
            "refused at Some(15): `[` is no pattern that can be read; write one such as `^[a-z]+$`",
        ),
        (
            "event.a * 0.12345678901234567",
            "refused at Some(10): a number with a point is written with 15 digits at most; give \
             more as text: `double('…')`",
        ),
        (
            "event.a > 9223372036854775808",
            "refused at Some(10): this number is too large to be written here; give it as text: \
             `double('…')`",
        ),
        (
            "{'a': 1}.map(k, k)",
            "refused at Some(12): a loop over a map that is written here has no order; use a list",
        ),
        ("event.a == 'x", ""),
        ("event.?a", ""),
        (".data.x", ""),
    ] {
        let said = check(source);
        assert!(said.starts_with("refused"), "{source}: {said}");
        if text.is_empty() {
            println!("{source}: {said}");
        } else {
            assert_eq!(said, text, "{source}");
        }
    }
}

#[test]
fn an_expression_has_limits() {
    let long = format!("event.{}", "a".repeat(Expression::BYTES_MAX));
    assert_eq!(check(&long), "refused at Some(0): it is longer than 2048 bytes");
    let deep = format!("{}1{}", "(".repeat(25), ")".repeat(25));
    assert_eq!(check(&deep), "refused at Some(24): brackets nest deeper than 24 levels");
    let loops = "event.lines.map(a, event.lines.map(b, event.lines.map(c, event.lines.map(d, 1))))";
    assert!(check(loops).ends_with("more than 3 loops inside one another"), "{}", check(loops));
    for repeated in
        ["!", "-", "1+", "a.", "event.a?1:", "event.final&&", "[", "f(", "!-", "1==", "{1:"]
    {
        let text = repeated.repeat(Expression::BYTES_MAX / repeated.len() - 8);
        for source in [format!("{text}1"), format!("event.a{text}"), text.clone()] {
            // Whatever it says, it says it without running out of stack.
            assert!(!check(&source).is_empty());
        }
    }
}

#[test]
fn references_are_what_is_read() {
    let check = |source: &str| {
        let references = Expression::parse(source).expect(source).references();
        let words = references.iter().map(|r| {
            let tested = if r.tested { "?" } else { "" };
            let path = [&[r.name.text().to_owned()], &r.fields[..]].concat();
            format!("{}{tested}", path.join("."))
        });
        words.collect::<Vec<_>>().join(" ")
    };
    for (source, reads) in [
        ("event.order_id", "event.order_id"),
        ("event.lines[0].sku", "event.lines"),
        ("event['a'].b == 1", "event.a.b"),
        ("data.a.b > 1 && data.a.b < key", "data.a.b key"),
        ("has(event.x) ? event.x : data.y", "data.y event.x event.x?"),
        ("event.lines.map(l, l.price * data.rate)", "data.rate event.lines"),
        ("event.lines.exists(data, data.n > 1)", "event.lines"),
        ("event.lines.map(l, l.parts.map(p, p.n + item.n))", "event.lines item.n"),
        ("now > timestamp(data.at)", "data.at now"),
        ("{'a': event.x, 'b': [key]}", "event.x key"),
        ("1 + 2", ""),
    ] {
        assert_eq!(check(source), reads, "{source}");
    }
    let template =
        Template::parse("${data.a} and ${has(data.b) ? data.b : key}").expect("it parses");
    assert_eq!(template.references().len(), 4);
}

#[test]
fn conditions_and_keys_have_their_kinds() {
    let event = event();
    let scope = Scope::at(NOW).with(Name::Event, &event);
    let parsed = |source: &str| Expression::parse(source).expect(source);
    assert_eq!(parsed("event.final").holds(&scope), Ok(true));
    let error = parsed("event.total").holds(&scope).expect_err("a number is no condition");
    assert_eq!(error.to_string(), "`event.total` is a number, not true or false");
    assert_eq!(parsed("event.total").text(&scope), Ok("19.990".to_owned()));
    assert_eq!(parsed("event.final").text(&scope), Ok("true".to_owned()));
    assert_eq!(parsed("event.order_id + '/x'").text(&scope), Ok("o-1/x".to_owned()));
    assert!(parsed("event.lines").text(&scope).is_err());
    assert!(parsed("event.note").text(&scope).is_err());
}

#[test]
fn every_function_that_may_be_called_exists() {
    for source in [
        "bool('true')",
        "bytes('a') == b'a'",
        "'abc'.contains('b')",
        "double(1) == 1.0",
        "duration('1s') == duration('1s')",
        "dyn(1) == 1",
        "'a'.endsWith('a')",
        "now.getDate() == 1",
        "now.getDayOfMonth() == 0",
        "now.getDayOfWeek() == 4",
        "now.getDayOfYear() == 0",
        "now.getFullYear() == 2026",
        "now.getHours() == 0",
        "now.getMilliseconds() == 0",
        "now.getMinutes() == 0",
        "now.getMonth() == 0",
        "now.getSeconds() == 0",
        "int('1') == 1",
        "'a'.matches('a')",
        "size([1]) == 1",
        "'a'.startsWith('a')",
        "string(1) == '1'",
        "timestamp('2026-01-01T00:00:00Z') == now",
        "type(1) == int",
        "uint(1) == 1u",
        "[1, 2].all(x, x > 0)",
        "[1, 2].exists_one(x, x > 1)",
    ] {
        assert_eq!(check(source), "true", "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_the_parser(text in "\\PC{0,60}") {
        let _ = Expression::parse(&text);
        let _ = Template::parse(&text);
        let _ = Template::parse(&format!("${{{text}}}"));
    }

    #[test]
    fn no_mix_of_tokens_panics(tokens in proptest::collection::vec(proptest::sample::select(vec![
        "event", "data", ".", "x", "(", ")", "[", "]", "{", "}", "'a'", "\"", "'", "1", "1.5", "u",
        "+", "-", "!", "?", ":", ",", "==", "<", "&&", "||", "in", "has", "map", "filter", "all",
        "size", "timestamp", "duration", "now", "r'", "b'", "\\", "`", "null", "true", " ", "\n",
        "99999999999999999999", "0x", "%", "/", "*", "//", "has(event.x)", "lines", "ü", "matches",
    ]), 0..14)) {
        let text = tokens.concat();
        let _ = check(&text);
        let _ = check(&tokens.join(" "));
    }
}

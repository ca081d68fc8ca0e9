//! What an expression says of itself, without any value.

use super::super::*;

fn parsed(source: &str) -> Expression {
    Expression::parse(source).expect(source)
}

fn path(reference: &Reference) -> String {
    [&[reference.name.text().to_owned()], &reference.fields[..]].concat().join(".")
}

/// What must be set although nothing in the expression asks for it.
fn needed(source: &str) -> String {
    let references = parsed(source).references();
    references.iter().filter(|r| r.needs_first()).map(path).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_asked_for_first_need_not_be_set() {
    for (source, expected) in [
        ("data.x", "data.x"),
        ("has(data.x)", ""),
        ("has(data.x) && data.x > 1", ""),
        ("data.x > 1 && has(data.x)", ""),
        ("has(data.x) == true && data.x > 1", ""),
        ("has(data.x) != false && data.x > 1", ""),
        ("has(data.x) == false && data.x > 1", "data.x"),
        ("has(data.x) || data.x > 1", "data.x"),
        ("!has(data.x) || data.x > 1", ""),
        ("data.x > 1 || !has(data.x)", ""),
        ("!has(data.x) && data.x > 1", "data.x"),
        ("!(!has(data.x)) && data.x > 1", ""),
        ("!(!has(data.x) || data.y > 1) && data.x > 1", "data.y"),
        ("!(has(data.x) && data.y > 1) || data.x > 1", "data.y"),
        ("has(data.x) ? data.x : 0", ""),
        ("has(data.x) ? 0 : data.x", "data.x"),
        ("!has(data.x) ? 0 : data.x", ""),
        ("(has(data.x) ? has(data.y) : false) && data.x > data.y", ""),
        ("(has(data.x) ? true : has(data.y)) && data.x > data.y", "data.x data.y"),
        ("has(data.x) && has(data.y) && data.x > data.y", ""),
        ("(has(data.x) || has(data.y)) && data.x > 1", "data.x"),
        ("has(data.x) && (data.a > 1 || data.x > 1)", "data.a"),
        ("has(data.x) && size(data.x) > 1", ""),
        ("[has(data.x) ? data.x : 0, data.y]", "data.y"),
        ("has(data.x) && data.x > 1 || data.x < 0", "data.x"),
        ("has(data.x.y) && data.x.y > 1", "data.x.y data.x.y"),
        ("has(data.x) && has(data.x.y) && data.x.y > 1", ""),
        ("has(data.x) && data.x.all(l, l.n > 1)", ""),
        ("data.lines.all(l, has(data.x) && l.n > data.x)", "data.lines"),
        ("data.lines.exists(l, has(data.x)) && data.x > 1", "data.lines data.x"),
        ("data.lines.exists(l, has(l.x) && l.x > data.x)", "data.lines data.x"),
        ("has(event.x) ? event.x : data.y", "data.y"),
        ("has(branch.x) && data.x > 1", "data.x"),
    ] {
        assert_eq!(needed(source), expected, "{source}");
    }
}

/// A condition with its logic written out.
fn logic(condition: &Condition) -> String {
    match condition {
        Condition::Literal(value) => value.to_string(),
        Condition::Question(question) if question.is_contrary => {
            format!("<not {}>", question.subject)
        }
        Condition::Question(question) => format!("<{}>", question.text),
        Condition::Not(inner) => format!("not {}", logic(inner)),
        Condition::And(sides) => format!("({} and {})", logic(&sides[0]), logic(&sides[1])),
        Condition::Or(sides) => format!("({} or {})", logic(&sides[0]), logic(&sides[1])),
        Condition::Choice(parts) => {
            format!("({} ? {} : {})", logic(&parts[0]), logic(&parts[1]), logic(&parts[2]))
        }
    }
}

#[test]
fn a_condition_is_taken_apart_as_far_as_logic_goes() {
    for (source, expected) in [
        ("true", "true"),
        ("data.paid", "<data.paid>"),
        ("!data.paid", "not <data.paid>"),
        ("data.a>1&&data.b != 'x'", r#"(<data.a > 1> and <not data.b == "x">)"#),
        ("data.a >= 1 || data.a <= -1", "(<not data.a < 1> or <not data.a > -1>)"),
        ("has(data.a) == false", "not <has(data.a)>"),
        ("data.a == true", "<data.a == true>"),
        ("has(data.a) ? data.a : false", "(<has(data.a)> ? <data.a> : false)"),
        ("data.a in ['x', \"y\"]", r#"<data.a in ["x", "y"]>"#),
        ("(data.a + 1) * 2 > size(data.l)", "<(data.a + 1) * 2 > size(data.l)>"),
        ("data.a - (data.b - 1.0) < 2", "<data.a - (data.b - 1) < 2>"),
        ("data.l.all(x, x.n > 1 || x.m)", "<data.l.all(x, x.n > 1 || x.m)>"),
        ("data.l.exists(x, x == 'a')", r#"<data.l.exists(x, x == "a")>"#),
        ("data.l.exists_one(x, x == 1)", "<data.l.exists_one(x, x == 1)>"),
        ("data.l.filter(x, x > 1).size() > 1", "<data.l.filter(x, x > 1).size() > 1>"),
        ("data.l.map(x, x > 1, x + 1) == []", "<data.l.map(x, x > 1, x + 1) == []>"),
        ("data.l[0].id.startsWith('a')", r#"<data.l[0].id.startsWith("a")>"#),
        ("(data.a ? 1 : 2) == {'k': 1u}.k", r#"<(data.a ? 1 : 2) == {"k": 1}.k>"#),
    ] {
        assert_eq!(logic(parsed(source).condition()), expected, "{source}");
    }
}

#[test]
fn a_question_that_is_printed_reads_as_before() {
    for source in [
        "data.a - (data.b - 1) < 2.50",
        "-(data.a + 1) > 2 ? !(data.b == 1) : data.c",
        "data.l.map(x, x > 1, x + 1) == [1, 2]",
        r#"data.a.b["c d"].matches("\"x\\d") && (data.x || data.y)"#,
    ] {
        let questions = |source: &str| {
            let parsed = parsed(source);
            let all = parsed.condition().questions();
            all.iter().map(|question| question.text.clone()).collect::<Vec<_>>()
        };
        for text in questions(source) {
            assert_eq!(questions(&text), [text.as_str()], "{source}");
        }
    }
}

#[test]
fn what_decides_alone_needs_no_other_answer() {
    let check = |source: &str, answers: &[(&str, bool)], expected: Option<bool>| {
        let mut answer = |question: &Question| {
            let known = answers.iter().find(|(text, _)| *text == question.text);
            known.map(|(_, holds)| *holds).ok_or(())
        };
        assert_eq!(parsed(source).condition().decide(&mut answer).ok(), expected, "{source}");
    };
    check("data.a && data.b", &[("data.a", false)], Some(false));
    check("data.a && data.b", &[("data.b", false)], Some(false));
    check("data.a && data.b", &[("data.b", true)], None);
    check("data.a || data.b", &[("data.b", true)], Some(true));
    check("data.a || data.b", &[("data.b", false)], None);
    check("!(data.a || data.b)", &[("data.a", true)], Some(false));
    check("data.a ? data.b : data.c", &[("data.a", false), ("data.c", true)], Some(true));
    check("data.a ? data.b : data.c", &[("data.b", true), ("data.c", true)], None);
}

#[test]
fn a_comparison_names_its_path_first() {
    let check = |source: &str, expected: Option<(&str, Relation, &str)>| {
        let parsed = parsed(source);
        let comparison = parsed.condition().comparison();
        let seen = comparison.map(|c| (path(&c.path), c.relation, c.literal.to_string()));
        let expected = expected.map(|(p, relation, l)| (p.to_owned(), relation, l.to_owned()));
        assert_eq!(seen, expected, "{source}");
    };
    check("data.a > 1", Some(("data.a", Relation::Greater, "1")));
    check("1.0 > data.a", Some(("data.a", Relation::Less, "1")));
    check("-1.5 <= data.a.b", Some(("data.a.b", Relation::AtLeast, "-1.5")));
    check("data['a'] == 'x'", Some(("data.a", Relation::Equal, "\"x\"")));
    check("data.a != null", Some(("data.a", Relation::Unequal, "null")));
    check("data.a > data.b", None);
    check("data.a + 1 > 2", None);
    check("data.a > 1 && true", None);
}

#[test]
fn a_path_is_known_however_it_is_written() {
    for (source, expected) in [
        ("event.order_id", Some("event.order_id")),
        (" event['order_id'] ", Some("event.order_id")),
        ("key", Some("key")),
        ("event.lines[0]", None),
        ("has(event.x)", None),
        ("!event.x", None),
        ("event.x + 1", None),
    ] {
        assert_eq!(parsed(source).path().map(path).as_deref(), expected, "{source}");
    }
}

#[test]
fn a_use_says_what_is_done_with_a_value() {
    let check = |source: &str, expected: &[(&str, Usage)]| {
        let parsed = parsed(source);
        let seen: Vec<_> = parsed.uses().iter().map(|u| (path(&u.path), u.usage.clone())).collect();
        let expected: Vec<_> = expected.iter().map(|(p, u)| ((*p).to_owned(), u.clone())).collect();
        assert_eq!(seen, expected, "{source}");
    };
    let literal = |value: i64| Beside::Literal(value.into());
    check("data.a", &[("data.a", Usage::Alone)]);
    check("has(data.a)", &[("data.a", Usage::Asked)]);
    check("data.a && !data.b", &[("data.a", Usage::Held), ("data.b", Usage::Held)]);
    check("data.a > 1", &[("data.a", Usage::Compared(literal(1)))]);
    check("size(data.a) + 1", &[("data.a", Usage::Argument("size".to_owned()))]);
    check("data.a.contains('x')", &[("data.a", Usage::Receiver("contains".to_owned()))]);
    check("data.l.all(data, data.n)", &[("data.l", Usage::Looped)]);
    let sum = parsed("data.a + data.b");
    let Usage::Added(Beside::Path(beside)) = &sum.uses()[0].usage else { panic!("a sum") };
    assert_eq!(path(beside), "data.b");
    check("data.a * 2 > 7 ? 'x' : 'y'", &[("data.a", Usage::Computed(literal(2)))]);
}

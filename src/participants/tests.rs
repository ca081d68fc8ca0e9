#[cfg(feature = "server")]
mod kafka;
mod shipped;
mod whole;

use super::*;
use crate::message::{Headers, Timestamp, Topic, header};

const NOW: Timestamp = Timestamp(1_000_000);

fn script(text: &str) -> Script {
    Script::parse("participants.yaml", text).expect("a script")
}

fn problem(text: &str) -> String {
    Script::parse("participants.yaml", text).expect_err("not a script").to_string()
}

/// What a command is answered.
fn ask(who: &mut Participants, to: &str, id: &str, undoes: Option<&str>) -> Vec<ScheduledAnswer> {
    let (topic, word) = to.split_once('/').expect("an address");
    let topic = Topic::new(topic).expect("a topic");
    let mut headers = Headers::default();
    headers.push(header::TYPE, word.to_owned());
    headers.push(header::ID, id.to_owned());
    let (key, _) = id.rsplit_once('/').expect("an id with an attempt");
    headers.push(header::IDEMPOTENCY_KEY, key.to_owned());
    if let Some(undoes) = undoes {
        headers.push(header::UNDOES, undoes.to_owned());
    }
    let body = br#"{"order_id":"o-1","amount":19.990}"#;
    let command = Command { topic: &topic, key: b"o-1", headers: &headers, body };
    who.decide(&command, NOW).expect("a command that it obeys")
}

fn types(answers: &[ScheduledAnswer]) -> Vec<String> {
    let word =
        |a: &ScheduledAnswer| a.message.headers.text(header::TYPE).expect("a type").to_owned();
    answers.iter().map(word).collect()
}

fn id(answer: &ScheduledAnswer) -> &str {
    answer.message.headers.text(header::ID).expect("an id")
}

const CARD: &str = r#"
participants:
  pay/Charge:
    delay: 20ms..80ms
    answers:
      - { event: paid/Captured, weight: 1, body: { amount: "${event.amount}", id: "${answer.id}" } }
      - { event: paid/Declined, weight: 1, refusal: true, body: { key: "${key}", why: no } }
  pay/Refund:
    echo: false
    answers: [{ event: paid/Refunded }]
"#;

#[test]
fn an_outcome_depends_on_the_idempotency_key_alone() {
    let mut one = Participants::new([&script(CARD)], 7);
    let mut other = Participants::new([&script(CARD)], 7);
    let ids: Vec<String> = (0..200).map(|n| format!("order/o-{n}/1/charge/1")).collect();
    let forth: Vec<_> = ids.iter().map(|id| ask(&mut one, "pay/Charge", id, None)).collect();
    let mut back: Vec<_> =
        ids.iter().rev().map(|id| ask(&mut other, "pay/Charge", id, None)).collect();
    back.reverse();
    assert_eq!(forth, back);
    let captured = forth.iter().filter(|a| types(a) == ["Captured"]).count();
    assert!((70..130).contains(&captured), "{captured} of 200");
    for answers in &forth {
        let after = answers[0].at.since(NOW).0;
        assert!((20..=80).contains(&after), "{after} ms");
    }
}

#[test]
fn another_attempt_gets_the_same_answer_under_another_id() {
    let mut who = Participants::new([&script(CARD)], 7);
    for n in 0..50 {
        let first = ask(&mut who, "pay/Charge", &format!("order/o-{n}/1/charge/1"), None);
        let again = ask(&mut who, "pay/Charge", &format!("order/o-{n}/1/charge/1"), None);
        let second = ask(&mut who, "pay/Charge", &format!("order/o-{n}/1/charge/2"), None);
        assert_eq!(first, again);
        assert_eq!(types(&first), types(&second));
        assert_eq!(first[0].message.body, second[0].message.body);
        assert_ne!(id(&first[0]), id(&second[0]));
    }
}

#[test]
fn numbers_pass_through_bit_for_bit_and_the_command_is_echoed() {
    let mut who = Participants::new([&script(CARD)], 7);
    let answers = (0..20).map(|n| ask(&mut who, "pay/Charge", &format!("a/{n}/1/c/1"), None));
    let captured = answers.flatten().find(|a| types(std::slice::from_ref(a)) == ["Captured"]);
    let captured = captured.expect("one of twenty").message;
    let body = String::from_utf8(captured.body.to_vec()).expect("text");
    assert!(body.starts_with(r#"{"amount":19.990,"id":""#), "{body}");
    let named = captured.headers.text(header::COMMAND).expect("an echo");
    assert!(named.starts_with("a/") && named.ends_with("/1/c/1"), "{named}");
    let quiet = ask(&mut who, "pay/Refund", "a/1/1/c~undo/1", Some("a/1/1/c"));
    assert_eq!(quiet[0].message.headers.text(header::COMMAND), None);
    assert_eq!(quiet[0].message.headers.text(header::CAUSATION), None);
    assert_eq!(&quiet[0].message.body[..], b"{}");
    assert_eq!(quiet[0].message.key, "o-1");
}

#[test]
fn an_action_after_its_undo_is_refused_for_good() {
    let mut who = Participants::new([&script(CARD)], 7);
    for n in 0..20 {
        let key = format!("a/{n}/1/c");
        ask(&mut who, "pay/Refund", &format!("{key}~undo/1"), Some(&key));
        let refused = ask(&mut who, "pay/Charge", &format!("{key}/1"), None);
        assert_eq!(types(&refused), ["Declined"]);
        assert_eq!(&refused[0].message.body[..], br#"{"key":"o-1","why":"no"}"#);
        assert_eq!(types(&ask(&mut who, "pay/Charge", &format!("{key}/2"), None)), ["Declined"]);
    }
}

#[test]
fn an_action_before_its_undo_keeps_its_answer() {
    let mut who = Participants::new([&script(CARD)], 7);
    for n in 0..20 {
        let key = format!("a/{n}/1/c");
        let before = ask(&mut who, "pay/Charge", &format!("{key}/1"), None);
        ask(&mut who, "pay/Refund", &format!("{key}~undo/1"), Some(&key));
        assert_eq!(ask(&mut who, "pay/Charge", &format!("{key}/1"), None), before);
    }
}

#[test]
fn shares_come_out_as_they_are_written() {
    let text = r"
participants:
  pay/Charge:
    duplicate: 5%
    silent: 10%
    late: { share: 2%, by: 40s..60s }
    answers: [{ event: paid/Captured }]
";
    let mut who = Participants::new([&script(text)], 3);
    let (mut silent, mut twice, mut late) = (0, 0, 0);
    for n in 0..10_000 {
        let answers = ask(&mut who, "pay/Charge", &format!("a/{n}/1/c/1"), None);
        silent += u32::from(answers.is_empty());
        twice += u32::from(answers.len() == 2);
        late += u32::from(answers.first().is_some_and(|a| a.at.since(NOW).0 >= 40_000));
        if let [first, second] = &answers[..] {
            assert_eq!(first.message, second.message);
        }
    }
    assert!((900..1100).contains(&silent), "{silent} silent");
    assert!((380..520).contains(&twice), "{twice} twice");
    assert!((140..220).contains(&late), "{late} late");
}

#[test]
fn what_is_remembered_has_a_limit() {
    let text = "participants: { pay/Charge: { answers: [{ event: paid/Captured }] } }";
    let mut who = Participants::new([&script(text)], 3);
    ask(&mut who, "pay/Charge", "b/0/1/c~undo/1", Some("b/0/1/c"));
    for n in 0..REMEMBERED_MAX {
        ask(&mut who, "pay/Charge", &format!("a/{n}/1/c/1"), None);
    }
    assert!(!ask(&mut who, "pay/Charge", "b/0/1/c/1", None).is_empty(), "long forgotten");
}

#[test]
fn a_start_is_the_same_for_the_same_number() {
    let text = r"
starts:
  - event: shop/Placed
    key: ${data.n}
    fields: { sku: { choice: [a, b] }, total: { from: -2, to: 900, decimals: 3 } }
    body: { total: '${data.total}', sku: '${data.sku}', fixed: [1, { x: true }] }
";
    let starts = Starts::new([&script(text)], 5).expect("a start");
    let mut zeros = 0;
    for n in 1..500 {
        let event = starts.make(n, NOW).expect("an event");
        assert_eq!(event, starts.make(n, NOW).expect("an event"));
        assert_eq!(event.key, n.to_string());
        let body = String::from_utf8(event.body.to_vec()).expect("text");
        let total = &body["{\"total\":".len()..body.find(',').expect("a second field")];
        assert_eq!(total.split_once('.').expect("a point").1.len(), 3, "{body}");
        assert!(body.ends_with(r#","fixed":[1,{"x":true}]}"#), "{body}");
        zeros += u32::from(total.ends_with('0'));
    }
    assert!(zeros > 20, "{zeros} totals end in 0");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let wrong =
        "participants:\n  pay/Charge:\n    answers:\n      - event: paid/X\n        wieght: 3\n";
    let expected = "participants.yaml:5:9: `wieght` means nothing here; did you mean `weight`?\n\
                    \x20 |         wieght: 3";
    assert_eq!(problem(wrong), expected);
    for (text, part) in [
        ("participants: { pay: { answers: [{ event: paid/X }] } }", "pay"),
        ("participants: { pay/C: { answers: [] } }", "silent: 100%"),
        ("participants: { pay/C: { delay: 5, answers: [{ event: paid/X }] } }", "duration"),
        ("participants: { pay/C: { delay: 2s..1s, answers: [{ event: p/X }] } }", "backwards"),
        ("participants: { pay/C: { silent: 101%, answers: [{ event: p/X }] } }", "more than"),
        ("participants: { pay/C: { silent: '5', answers: [{ event: p/X }] } }", "not a share"),
        (
            "participants: { pay/C: { answers: [{ event: p/X, body: '${data.x}' }] } }",
            "`data` has no meaning here",
        ),
        ("starts: [{ event: s/P, key: a, fields: { n: { from: 1, to: 2 } } }]", "counter"),
        ("starts: [{ event: s/P, key: a, fields: { m: { from: 3, to: 2 } } }]", "before"),
        ("starts: [{ event: s/P, key: a, fields: { m: { choice: [] } } }]", "choice"),
        ("starts: [{ event: s/P }]", "`key` is missing"),
        ("starts: [{ event: s/P, key: a, then: [{ after: 1s }] }]", "`event` is missing"),
        (
            "starts: [{ event: s/P, key: a, then: [{ event: s/Q, body: '${event.x}' }] }]",
            "`event` has no meaning here; use one of: data, now",
        ),
        (
            "participants: { p/C: { fields: { id: { choice: [1] } }, answers: [{ event: p/X }] } }",
            "rename it",
        ),
        (
            "participants: { p/C: { answers: [{ event: p/X, found: true }, { event: p/Y }] } }",
            "`found: false`",
        ),
        ("calls: { fraud.internal: { answers: [{ status: 200 }] } }", "is no request"),
        (
            "calls: { GET https://a/${x}: { answers: [{ status: 200 }] } }",
            "`*` stands for one part",
        ),
        ("calls: { GET https://a/b: { answers: [{ status: 100 }] } }", "write 200 to 599"),
        ("calls: { GET https://a/b: { answers: [] } }", "silent: 100%"),
        ("people: { boss: { choices: { go: 0 } } }", "silent: 100%"),
        ("people: { boss: { choice: { go: 1 } } }", "did you mean `choices`?"),
        ("participants: {", "participants.yaml:"),
    ] {
        let said = problem(text);
        assert!(said.contains(part), "{text}\n{said}");
        assert!(said.starts_with("participants.yaml:1:"), "{said}");
    }
}

#[test]
fn a_strange_command_is_told_and_nothing_else() {
    let mut who = Participants::new([&script(CARD)], 7);
    let topic = Topic::new("pay").expect("a topic");
    let mut headers = Headers::default();
    let decide = |who: &mut Participants, headers: &Headers, body: &[u8]| {
        let command = Command { topic: &topic, key: b"k", headers, body };
        who.decide(&command, NOW).expect_err("no command").to_string()
    };
    assert!(decide(&mut who, &headers, b"{}").contains("`ce_type`"));
    headers.push(header::TYPE, "Refund");
    assert!(decide(&mut who, &headers, b"{}").contains("`ce_id`"));
    headers.push(header::ID, "x");
    assert!(decide(&mut who, &headers, b"nonsense").contains("not JSON"));
    headers.push(header::TYPE, "Chargeback");
    assert!(decide(&mut who, &headers, b"{}").contains("no participant obeys pay/Chargeback"));
}

//! Probes, what follows, calls and people.

use std::collections::BTreeSet;

use super::*;
use crate::definition::Method;
use crate::engine::Call;
#[cfg(feature = "server")]
use crate::engine::CallOutcome;
use crate::message::{CommandId, Span};

const LAB: &str = r#"
participants:
  lab/Order:
    lost: 30%
    silent: 30%
    fields: { level: { from: 1, to: 9 } }
    answers:
      - event: labs/Ordered
        weight: 3
        body: { order: "l-${answer.id}", level: "${answer.level}" }
        then:
          - event: results/Good
            after: 1s..3s
            weight: 2
            key: "of ${key}"
            body: { order: "l-${answer.id}" }
          - { weight: 1 }
      - { event: labs/Refused, refusal: true }
  lab/Cancel:
    answers: [{ event: labs/Cancelled }]
  lab/Find:
    answers:
      - { event: labs/Found, found: true, body: { order: "l-${answer.id}" } }
      - { event: labs/Nothing, found: false }
"#;

fn body(answer: &ScheduledAnswer) -> String {
    String::from_utf8(answer.message.body.to_vec()).expect("text")
}

/// The attempts of an order until one is answered; what follows left out.
fn order(who: &mut Participants, n: u32) -> ScheduledAnswer {
    let attempts = (1..100).map(|a| ask(who, "lab/Order", &format!("s/{n}/1/order/{a}"), None));
    let mut answers = attempts.flatten().filter(|a| types(std::slice::from_ref(a)) != ["Good"]);
    answers.next().expect("one of a hundred")
}

#[test]
fn a_probe_says_what_really_happened() {
    let mut who = Participants::new([&script(LAB)], 7);
    let mut seen = BTreeSet::new();
    for n in 0..100 {
        let find = format!("s/{n}/1/order~probe/1");
        assert_eq!(types(&ask(&mut who, "lab/Find", &find, None)), ["Nothing"]);
        let answer = order(&mut who, n);
        let found = ask(&mut who, "lab/Find", &format!("s/{n}/1/order~probe/2"), None);
        if types(std::slice::from_ref(&answer)) == ["Refused"] {
            assert_eq!(types(&found), ["Nothing"]);
            seen.insert("refused");
            continue;
        }
        seen.insert("ordered");
        assert_eq!(types(&found), ["Found"]);
        let id = body(&found[0]).replace('}', "");
        assert!(body(&answer).starts_with(&id), "{id} {}", body(&answer));
        ask(
            &mut who,
            "lab/Cancel",
            &format!("s/{n}/1/order~undo/1"),
            Some(&format!("s/{n}/1/order")),
        );
        let gone = ask(&mut who, "lab/Find", &format!("s/{n}/1/order~probe/3"), None);
        assert_eq!(types(&gone), ["Nothing"]);
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn an_attempt_that_is_lost_is_not_obeyed_and_one_that_is_silent_is() {
    let mut who = Participants::new([&script(LAB)], 7);
    let (mut lost, mut silent) = (0, 0);
    for n in 0..300 {
        let answers = ask(&mut who, "lab/Order", &format!("s/{n}/1/order/1"), None);
        if types(&answers).iter().any(|word| word != "Good") {
            continue;
        }
        let found = ask(&mut who, "lab/Find", &format!("s/{n}/1/order~probe/1"), None);
        match types(&found)[0].as_str() {
            "Found" => silent += 1,
            _ => lost += 1,
        }
    }
    // Of 300, 90 are lost and a quarter of the 63 silent ones is refused.
    assert!((70..140).contains(&lost) && (30..70).contains(&silent), "{lost} {silent}");
}

#[test]
fn what_follows_is_the_same_for_every_attempt_and_comes_without_an_answer_too() {
    let mut who = Participants::new([&script(LAB)], 7);
    let (mut good, mut alone) = (0, 0);
    for n in 0..100 {
        let attempts =
            (1..20).map(|a| ask(&mut who, "lab/Order", &format!("s/{n}/1/order/{a}"), None));
        let attempts: Vec<_> = attempts.collect();
        let is_good = |a: &&ScheduledAnswer| types(std::slice::from_ref(a)) == ["Good"];
        let facts: Vec<&ScheduledAnswer> = attempts.iter().flatten().filter(is_good).collect();
        let ids: BTreeSet<&str> = facts.iter().map(|a| id(a)).collect();
        assert!(ids.len() <= 1, "{ids:?}");
        good += ids.len();
        alone += attempts.iter().filter(|a| types(a) == ["Good"]).count();
        for fact in facts {
            let after = fact.at.since(NOW).0;
            assert!((1_000..=3_000).contains(&after), "{after}");
            assert_eq!(fact.message.key, "of o-1");
            assert_eq!(fact.message.headers.text(header::COMMAND), None);
        }
    }
    assert!((35..65).contains(&good), "{good}");
    assert!(alone > 50, "{alone}");
}

#[test]
fn a_start_is_followed_by_what_it_says() {
    let text = r#"
starts:
  - event: shop/Placed
    key: "o-${data.n}"
    fields: { who: { choice: [ada, tony] } }
    then:
      - { event: shop/Cancelled, after: 1s..2s, body: { by: "${data.who}" } }
      - { weight: 3 }
"#;
    let starts = Starts::new([&script(text)], 5).expect("a start");
    let follows = (1..400).filter_map(|n| starts.follow(n, NOW).expect("it can be filled"));
    let follows: Vec<ScheduledAnswer> = follows.collect();
    assert!((60..140).contains(&follows.len()), "{}", follows.len());
    assert!(follows.iter().all(|f| f.message.key.starts_with("o-") && body(f).contains("by")));
    assert_eq!(starts.topics(), [Topic::new("shop").expect("a topic")]);
}

const FRAUD: &str = r#"
calls:
  POST https://fraud.internal/scores/*:
    delay: 5ms..9ms
    failing: 20%
    silent: 10%
    fields: { score: { from: 0, to: 999 } }
    answers:
      - { status: 200, weight: 4, body: { score: "${answer.score}", of: "${event.account}" } }
      - { status: 422, weight: 1, refusal: true, body: { why: unknown } }
  DELETE https://fraud.internal/scores/*:
    answers: [{ status: 204 }]
people:
  boss:
    delay: 1s..2s
    silent: 10%
    choices: { go: 3, stop: 1 }
    note: seen
"#;

/// What a request to the fraud service is answered.
fn call(called: &mut Callees, method: Method, id: &str, undoes: Option<&str>) -> Option<Response> {
    called.decide(&request(method, "fraud.internal", id, undoes), NOW).expect("it knows that")
}

fn request(method: Method, authority: &str, id: &str, undoes: Option<&str>) -> Call {
    let id: CommandId = id.parse().expect("an id");
    Call {
        idempotency_key: id.idempotency_key(),
        id,
        undoes: undoes.map(str::to_owned),
        method,
        url: format!("https://{authority}/scores/7?fast=yes"),
        headers: Vec::new(),
        body: Some(serde_json::json!({ "account": 7 })),
        within: Span(2_000),
    }
}

#[test]
fn the_outcome_of_a_call_is_the_same_for_all_attempts() {
    let mut called = Callees::new([&script(FRAUD)], 7);
    let mut all = BTreeSet::new();
    for n in 0..50 {
        let mut bodies = BTreeSet::new();
        for attempt in 1..30 {
            let answer = call(&mut called, Method::Post, &format!("s/{n}/1/score/{attempt}"), None);
            let Some(answer) = answer else {
                all.insert("silent");
                continue;
            };
            assert!((5..=9).contains(&answer.at.since(NOW).0));
            match answer.status {
                200 => all.insert("200"),
                422 => all.insert("422"),
                status => all.insert(if status == 503 { "503" } else { "other" }),
            };
            if answer.status != 503 {
                bodies.insert(answer.body.to_string());
            }
        }
        assert_eq!(bodies.len(), 1, "{bodies:?}");
    }
    assert_eq!(all.into_iter().collect::<Vec<_>>(), ["200", "422", "503", "silent"]);
}

#[test]
fn a_call_after_its_undo_is_refused() {
    let mut called = Callees::new([&script(FRAUD)], 7);
    for n in 0..20 {
        let undo = format!("s/{n}/1/score~undo/1");
        let undone = call(&mut called, Method::Delete, &undo, Some(&format!("s/{n}/1/score")));
        assert_eq!(undone.map(|r| (r.status, r.body)), Some((204, serde_json::Value::Null)));
        let after = (1..9)
            .filter_map(|a| call(&mut called, Method::Post, &format!("s/{n}/1/score/{a}"), None));
        assert!(after.into_iter().all(|r| r.status == 422 || r.status == 503));
    }
}

#[test]
fn a_call_that_nobody_knows_is_told() {
    let mut called = Callees::new([&script(FRAUD)], 7);
    let call = request(Method::Post, "other.internal", "s/1/1/score/1", None);
    let said = called.decide(&call, NOW).expect_err("unknown");
    let expected = "no service answers POST https://other.internal/scores/7?fast=yes; add it to";
    assert!(said.starts_with(expected), "{said}");
}

#[cfg(feature = "server")]
fn traced(call: &Call) -> crate::message::Traced {
    let CommandId { instance, life, .. } = &call.id;
    let context = crate::message::TraceContext::of(instance, *life, None);
    crate::message::Traced { context, transition: 1 }
}

#[cfg(feature = "server")]
#[test]
fn every_call_comes_back_to_its_caller_once() {
    use crate::runtime::Caller as _;
    let callees = Callees::new([&script(&FRAUD.replace("delay: 5ms..9ms", "delay: 0ms"))], 7);
    let mut caller = ScriptedCaller::new(std::sync::Arc::new(std::sync::Mutex::new(callees)));
    let mut open = 0;
    for n in 0..60 {
        let mut call = request(Method::Post, "fraud.internal", &format!("s/{n}/1/score/1"), None);
        call.within = Span(0);
        let traced = traced(&call);
        caller.start(call, traced);
        open += 1;
    }
    let other = request(Method::Post, "other.internal", "s/1/1/x/1", None);
    let trace = traced(&other);
    caller.start(other, trace);
    assert_eq!(caller.under_way(), open + 1);
    let mut seen = BTreeSet::new();
    while caller.under_way() > 0 {
        for called in caller.finished() {
            assert!(seen.insert(called.command.clone()), "{called:?}");
            match called.outcome {
                CallOutcome::Answered { status, .. } => assert!([200, 422, 503].contains(&status)),
                CallOutcome::Failed { reason, .. } => {
                    let unknown = called.command == "s/1/1/x/1";
                    assert_eq!(reason.contains("no service answers"), unknown, "{reason}");
                }
            }
        }
    }
    assert_eq!(seen.len(), open + 1);
}

fn question(n: u32, who: &str, choices: &[&str]) -> Question {
    Question {
        id: format!("s/{n}/1/approve"),
        saga: "s".to_owned(),
        key: n.to_string(),
        step: "approve".to_owned(),
        who: who.to_owned(),
        choices: choices.iter().map(|&c| c.to_owned()).collect(),
    }
}

#[test]
fn people_choose_by_weight_and_answer_the_same_question_alike() {
    let people = People::new([&script(FRAUD)], 7);
    let (mut go, mut stop) = (0, 0);
    for n in 0..400 {
        let asked = question(n, "boss", &["stop", "go"]);
        let said = people.decide(&asked, NOW).expect("a choice");
        assert_eq!(said, people.decide(&asked, NOW).expect("a choice"));
        let Some((at, said)) = said else {
            continue;
        };
        assert!((1_000..=2_000).contains(&at.since(NOW).0));
        go += u32::from(said.choice == "go");
        stop += u32::from(said.choice == "stop");
    }
    assert!((240..300).contains(&go) && (60..120).contains(&stop), "{go} {stop}");
    let told = people.decide(&question(1, "boss", &["yes", "no"]), NOW).expect_err("no choice");
    assert_eq!(told, "`boss` of participants.yaml chooses none of: yes, no");
    let told = people.decide(&question(1, "cfo", &["go"]), NOW).expect_err("nobody");
    assert!(told.starts_with("nobody answers for `cfo`; add them to `people`"), "{told}");
}

#[test]
fn an_answer_is_an_act_on_the_operators_topic() {
    let people = People::new([&script(FRAUD)], 7);
    let said = (0..).find_map(|n| people.decide(&question(n, "boss", &["go"]), NOW).expect("one"));
    let (_, said) = said.expect("somebody answers");
    let message = said.message(&Topic::new("app.operator").expect("a topic"));
    assert_eq!(message.key, format!("s/{}", said.key));
    let body = String::from_utf8(message.body.to_vec()).expect("text");
    let id = format!(r#"{{"id":"s/{0}/1/approve/answer","saga":"s","key":"{0}","#, said.key);
    let rest = format!(r#"{id}"verb":"answer","step":"approve","#);
    assert!(body.starts_with(&rest), "{body}");
    assert!(body.ends_with(r#""choice":"go","by":"boss","note":"seen"}"#), "{body}");
}

//! Scenarios that fail, and scenarios that cannot be read.

mod whole;
mod written;

use super::{parse, run};
use crate::definition;

const SAGA: &str = "
saga: order
version: 1
start: { on: t/Placed, key: event.id }
data: { id: event.id, total: event.total }
late: 1d
steps:
  - step: charge
    command: t/Charge
    with: { id: '${data.id}', total: '${data.total}', card: { kind: visa } }
    headers: { tenant: 'shop-${data.id}' }
    done: t/Charged
    set: { receipt: event.receipt }
    failed: t/Declined
    within: 10s
    retry: { attempts: 3, first: 1s, factor: 1, most: 1s }
    compensate: { command: t/Refund, done: t/Refunded }
  - step: tell
    emit: t/Told
    compensate: none
";

/// Runs the steps of a scenario; what comes of it, as a person reads it.
fn told(steps: &str) -> String {
    told_of(SAGA, "{ on: t/Placed, event: { id: k, total: 1.50 } }", steps)
}

fn told_of(saga: &str, given: &str, steps: &str) -> String {
    let steps = if steps.is_empty() { "  []" } else { steps };
    let text = format!("scenario: it goes\ngiven: {given}\nrun:\n{steps}");
    let saga = definition::parse("saga.yaml", saga).unwrap_or_else(|e| panic!("\n{e}"));
    let scenario = parse("it.yaml", &text).unwrap_or_else(|e| panic!("\n{e}"));
    let told = run(&saga, &scenario).to_string();
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    told
}

fn passes(steps: &str) {
    assert_eq!(told(steps), "passed  it goes");
}

/// Each piece stands in what is told, in this order.
fn fails(steps: &str, pieces: &[&str]) {
    fails_as(&told(steps), pieces);
}

fn fails_as(told: &str, pieces: &[&str]) {
    assert!(told.starts_with("FAILED  it goes\n  it.yaml:"), "{told}");
    let mut rest = told;
    for piece in pieces {
        let (_, behind) = rest.split_once(piece).unwrap_or_else(|| panic!("no {piece} in\n{told}"));
        rest = behind;
    }
}

const CHARGE: &str = "  - expect: [ { command: t/Charge } ]\n";

#[test]
fn a_message_is_compared_as_far_as_it_is_said() {
    passes("  - expect: [ { command: t/Charge, with: { card: { kind: visa } }, key: k } ]");
    passes("  - expect: [ { command: t/Charge, with: { total: 1.5 } } ]");
    passes("  - expect: [ { command: t/Charge, headers: { tenant: shop-k }, attempt: 1 } ]");
    for wrong in [
        "fact: t/Charge",
        "command: t/Charged",
        "command: t/Charge, with: { total: 1.51 }",
        "command: t/Charge, with: { card: { kind: amex } }",
        "command: t/Charge, with: { tip: 0 }",
        "command: t/Charge, key: other",
        "command: t/Charge, headers: { tenant: shop }",
        "command: t/Charge, headers: { other: x }",
        "command: t/Charge, attempt: 2",
        "command: t/Charge, times: 2",
    ] {
        let step = format!("  - expect: [ {{ {wrong} }} ]");
        fails(&step, &["it.yaml:4: step 1: other messages than expected", "command t/Charge"]);
    }
}

#[test]
fn nothing_else_may_be_sent() {
    fails("  - expect: []", &["expected", "seen", "(nothing)", "command t/Charge"]);
    fails("  - event: t/Charged\n    body: { receipt: 1 }", &["step 1: messages that no `expect`"]);
    fails("  - end: running", &["step 1: messages that no `expect` names", "command t/Charge"]);
    fails("  - pass: 1s", &["step 1: messages that no `expect` names"]);
    fails("", &["given: messages that no `expect` names"]);
    let told = format!("{CHARGE}  - event: t/Charged\n    body: {{ receipt: 1 }}");
    fails(&told, &["it.yaml:5: step 2: messages that no `expect` names", "fact t/Told"]);
}

#[test]
fn expected_and_seen_stand_side_by_side() {
    let told = told("  - expect: [ { command: t/Refund, with: { id: k } } ]");
    let seen = told.lines().map(str::trim_end).collect::<Vec<_>>();
    assert_eq!(
        seen,
        [
            "FAILED  it goes",
            "  it.yaml:4: step 1: other messages than expected",
            "  expected                                        | seen",
            &format!("  {0} | {0}", "-".repeat(47)),
            "  command t/Refund                                | command t/Charge",
            "    id: \"k\"                                       |   key k, attempt 1",
            "                                                  |   id: \"k\"",
            "                                                  |   total: 1.50",
            "                                                  |   card: {\"kind\":\"visa\"}",
            "                                                  |   header tenant: shop-k",
        ],
        "\n{told}"
    );
}

#[test]
fn messages_come_in_their_order_and_number() {
    let silent = format!("{CHARGE}  - pass: 40s\n");
    let undo = "{ command: t/Refund }";
    passes(&format!("{silent}  - expect: [ {{ command: t/Charge, times: 2 }}, {undo} ]"));
    passes(&format!("{silent}  - expect: [ {{ command: t/Charge, times: any }}, {undo} ]"));
    passes(&format!(
        "{silent}  - expect: [ {{ command: t/Charge }}, {{ command: t/Charge }}, {undo} ]"
    ));
    fails(&format!("{silent}  - expect: [ {{ command: t/Charge }}, {undo} ]"), &["step 3"]);
    fails(
        &format!("{silent}  - expect: [ {undo}, {{ command: t/Charge, times: 2 }} ]"),
        &["step 3"],
    );
    fails(
        &format!(
            "{silent}  - expect: [ {{ command: t/Charge, times: 2 }}, {undo},
              {{ fact: t/Told, times: any }} ]"
        ),
        &["step 3", "once or more often"],
    );
}

#[test]
fn a_declined_event_is_told_unless_it_is_expected() {
    let twice = format!(
        "{CHARGE}  - event: t/Charged\n    body: {{ receipt: 1 }}
  - expect: [ {{ fact: t/Told }} ]
  - event: t/Charged\n    body: {{ receipt: 1 }}\n"
    );
    passes(&format!("{twice}  - rejected: duplicate\n  - end: completed"));
    fails(
        &twice,
        &["step 4: the step before it was declined (duplicate)", "- rejected: duplicate"],
    );
    fails(&format!("{twice}  - end: completed"), &["step 5: the step before it was declined"]);
    fails(
        &format!("{twice}  - rejected: refused"),
        &["step 5: it was declined another way", "refused", "duplicate"],
    );
    fails(&format!("{CHARGE}  - rejected: refused"), &["nothing was declined before"]);
}

#[test]
fn an_event_answers_the_latest_command_that_it_can_answer() {
    let late = "  - pass: 40s
  - expect: [ { command: t/Charge, times: 2 }, { command: t/Refund } ]
  - event: t/Charged\n    body: { receipt: 1 }
  - expect: [ { command: t/Refund, attempt: 1 } ]
  - event: t/Refunded\n    command: charge~undo/1\n  - end: compensating
  - event: t/Refunded\n  - end: compensated\n";
    passes(&format!("{CHARGE}{late}"));
    let missing = format!(
        "{CHARGE}  - event: t/Charged\n    command: charge/7\n    body: {{ receipt: 1 }}\n"
    );
    passes(&format!("{missing}  - rejected: unmatched"));
    let nonsense = format!("{CHARGE}  - event: t/Charged\n    command: charge\n");
    fails(&nonsense, &["step 2", "is not a command id", "write `step/attempt`"]);
    passes(&format!("{CHARGE}  - event: t/Unheard\n  - rejected: unmatched"));
    passes(&format!(
        "{CHARGE}  - event: t/Placed\n    body: {{ id: other, total: 1 }}\n  - rejected: unmatched"
    ));
}

#[test]
fn the_end_and_the_data_are_compared() {
    let done = format!(
        "{CHARGE}  - event: t/Charged\n    body: {{ receipt: 7 }}
  - expect: [ {{ fact: t/Told }} ]\n"
    );
    passes(&format!(
        "{done}  - data: {{ receipt: 7 }}\n  - end: completed\n  - pass: 25h\n  - end: forgotten"
    ));
    fails(
        &format!("{done}  - data: {{ receipt: 8 }}"),
        &["the saga remembers other data", "receipt: 8", "receipt: 7"],
    );
    fails(
        &format!("{done}  - end: compensated"),
        &["it stands another way", "compensated", "completed"],
    );
    fails(
        &format!("{done}  - pass: 25h\n  - data: {{ receipt: 7 }}"),
        &["the instance is forgotten"],
    );
}

#[test]
fn a_start_that_starts_nothing_fails() {
    let saga = definition::parse("saga.yaml", SAGA).unwrap_or_else(|e| panic!("\n{e}"));
    for (given, reason) in [
        ("{ on: t/Elsewhere, event: { id: k } }", "t/Elsewhere starts no order"),
        ("{ on: t/Placed, event: { total: 1 } }", "`event.id` is missing"),
        ("{ on: t/Placed, event: { id: k } }", "`event.total` is missing"),
    ] {
        let text = format!("scenario: it goes\ngiven: {given}\nrun: []");
        let scenario = parse("it.yaml", &text).unwrap_or_else(|e| panic!("\n{e}"));
        let told = run(&saga, &scenario).to_string();
        // A long line is cut anywhere.
        let told = told.split_whitespace().collect::<String>();
        let reason = reason.split_whitespace().collect::<String>();
        assert!(told.contains("it.yaml:2:given:") && told.contains(&reason), "{told}");
    }
}

/// What is wrong with a scenario, each with its place.
fn refused(text: &str, wanted: &[&str]) {
    let diagnostics = parse("it.yaml", text).expect_err("it is wrong");
    let said = |d: &definition::Diagnostic| {
        let help = d.help.clone().unwrap_or_default();
        format!("{}:{} {} | {help}", d.line, d.column, d.message)
    };
    let said: Vec<String> = diagnostics.iter().map(said).collect();
    assert_eq!(said, wanted, "\n{diagnostics}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    refused(
        "scenario: s\ngivn: {}\nrun: 3",
        &[
            "2:1 the scenario has no key `givn` | did you mean `given`?",
            "3:6 `run` is a number, not a list | \
             write each step as `- expect: …`, `- event: …`, `- pass: …` and so on",
        ],
    );
    refused(
        "",
        &["1:1 the file is empty | begin with `scenario: what it shows`, `given:` and `run:`"],
    );
}

const ONE: &str = "4:15 this message is not one command, fact, call, question or letter | \
    write one of `command: topic/type`, `fact: topic/type`, `call: POST https://…`, \
    `question: who`, `child: saga`, `parent: completed`";

/// What is wrong with one step.
fn step_refused(step: &str, wanted: &[&str]) {
    refused(&format!("scenario: s\ngiven: {{ on: t/Placed }}\nrun:\n- {step}\n"), wanted);
}

#[test]
fn mistakes_in_a_step_are_told_with_their_place() {
    step_refused("expct: []", &["4:3 this step has no key `expct` | did you mean `expect`?"]);
    step_refused(
        "{}",
        &["4:3 an empty step | a step has one of: expect, event, answer, called, child, parent, \
           held, freed, rejected, pass, down, act, end, data"],
    );
    step_refused(
        "pass: 31",
        &["4:9 `31` is not a duration | say the unit: `31s` for seconds, `31ms`, `31m`"],
    );
    step_refused(
        "{ pass: 1s, end: running }",
        &["4:20 `end` stands beside `pass` | make it its own step"],
    );
    step_refused("end: complete", &["4:8 `end` cannot be `complete` | did you mean `completed`?"]);
    step_refused(
        "rejected: late",
        &["4:13 `rejected` cannot be `late` | \
           write one of: duplicate, ignored, unmatched, refused"],
    );
    step_refused(
        "{ pass: 1s, body: {} }",
        &["4:15 this step has no key `body` | it may have: act, answer, called, child, data, \
           down, end, event, expect, freed, held, parent, pass, rejected"],
    );
}

#[test]
fn mistakes_in_a_message_or_act_are_told_with_their_place() {
    step_refused(
        "expect: { command: t/A }",
        &["4:11 `expect` is a mapping, not a list | \
           write `expect: [ { command: topic/type } ]`, or `expect: []` for nothing"],
    );
    step_refused("expect: [ { command: t/A, fact: t/B } ]", &[ONE]);
    step_refused(
        "expect: [ { comand: t/A } ]",
        &["4:15 this message has no key `comand` | did you mean `command`?", ONE],
    );
    step_refused(
        "{ event: t/A, command: a/1, by-key: true }",
        &["4:26 `command` contradicts `by-key: true` | \
           an event that names a command is not found by its key; leave one out"],
    );
    step_refused(
        "act: { retry: a, skip: a }",
        &["4:10 an act does one thing | write one of `retry: …`, `skip: …`, `resolve-done: …`, \
           `resolve-not-done: …`, `go-back: step-name`, or `cancel: ~`, `pause: ~`, `resume: ~`, \
           `set-data: ~`"],
    );
    step_refused(
        "act: { retry: a, data: {} }",
        &["4:10 `data` has no meaning here | only `resolve-done` and `set-data` bring some"],
    );
    step_refused(
        "{ child: settle, data: {} }",
        &["4:5 this step has no `says` | add `says: completed`"],
    );
    step_refused(
        "called: { status: 200, failed: refused }",
        &["4:13 a call is answered, or it fails | write `called: { status: 200, body: { … } }`, \
           `called: { failed: the connection broke }` (it may have happened) or \
           `called: { unsent: nobody listens }` (it surely did not)"],
    );
    step_refused(
        "expect: [ { question: boss, with: {} } ]",
        &["4:31 this message has no key `with` | \
           it may have: attempt, call, child, choices, command, complaint, fact, headers, \
           parent, question, text, times"],
    );
    step_refused(
        "parent: start",
        &["4:11 `parent` cannot be `start` | write one of: take-back, let-go"],
    );
}

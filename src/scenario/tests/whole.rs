//! Calls, questions, children, locks and waits in scenarios.

use super::{fails_as, told_of};

const SAGA: &str = r#"
saga: flow
version: 1
start: { on: t/Placed, key: event.id }
data: { id: event.id }
within: 30d
late: 30d
events:
  p/*: { by: command-id }
  f/*: { key: event.id }
steps:
  - step: score
    call: POST https://fraud.internal/scores/${data.id}
    body: { id: "${data.id}" }
    done: { status: 200 }
    set: { score: event.body.score }
    failed: { status: 422, reason: event.body.why }
    within: 2s
    compensate: none
  - step: approve
    when: data.score > 5
    ask: boss
    question: "Go with ${data.score}?"
    choices: { go: done, stop: failed }
    within: 1d
  - step: settle
    saga: settlement
    with: { id: "${data.id}" }
    set: { receipt: child.data.receipt }
    within: 1d
    compensate: child
  - step: alone
    lock: ["a/${data.id}"]
    within: 1m
    release: end
    steps:
      - step: move
        command: t/Move
        done: p/Moved
        within: 10s
        unknown: probe
        probe: { command: t/Find, done: p/Found, absent: p/Absent, within: 10s }
        compensate: { command: t/Return, done: p/Returned }
  - step: signed
    wait: f/Signed
    failed: { on: f/Refused, reason: event.why }
    within: 1d
"#;

const GIVEN: &str = "{ on: t/Placed, event: { id: k } }";

/// The beginning of a scenario, up to the lock.
const SETTLED: &str = "
  - expect: [ { call: POST https://fraud.internal/scores/k, body: { id: k }, attempt: 1 } ]
  - called: { status: 200, body: { score: 3 } }
  - expect: [ { child: settlement, key: k/settle, with: { id: k } } ]
";
const PAID: &str = "  - { child: settle, says: completed, data: { receipt: r-1 } }\n";
const MOVE: &str = "  - expect: [ { command: t/Move } ]\n";

fn passes(steps: &str) {
    assert_eq!(told_of(SAGA, GIVEN, steps), "passed  it goes");
}

fn fails(steps: &str, pieces: &[&str]) {
    fails_as(&told_of(SAGA, GIVEN, steps), pieces);
}

#[test]
fn calls_children_and_locks_are_stood_in_for_by_a_line_each() {
    passes(&format!(
        "{SETTLED}{PAID}{MOVE}  - event: p/Moved
  - event: f/Signed\n    body: {{ id: k }}
  - data: {{ score: 3, receipt: r-1 }}\n  - end: completed"
    ));
}

#[test]
fn a_call_that_comes_back_otherwise_is_shown() {
    let call = "  - expect: [ { call: POST https://fraud.internal/scores/k } ]\n";
    passes(&format!(
        "{call}  - called: {{ status: 422, body: {{ why: unknown }} }}\n  - end: compensated"
    ));
    passes(&format!(
        "{call}  - called: {{ failed: no route }}\n  - pass: 1s
  - expect: [ {{ call: POST https://fraud.internal/scores/k, attempt: 2 }} ]"
    ));
    fails(
        "  - expect: [ { call: GET https://fraud.internal/scores/k } ]",
        &["step 1", "call GET https://fraud", "call POST https://fraud"],
    );
    fails("  - called: { status: 200 }", &["step 1: messages that no `expect` names"]);
    let twice = format!("{call}  - called: {{ status: 422, body: {{ why: x }} }}\n");
    fails(
        &format!("{twice}  - called: {{ status: 200, body: {{ score: 1 }} }}\n    command: x"),
        &["step 3", "is not a command id"],
    );
}

#[test]
fn a_call_that_never_left_is_told_from_one_that_may_have_arrived() {
    let undone =
        "compensate: { call: DELETE https://fraud.internal/scores, done: { status: 200 } }";
    let saga = SAGA.replacen("compensate: none", undone, 1).replacen(
        "within: 2s",
        "within: 2s\n    retry: { attempts: 1, first: 1s }",
        1,
    );
    let call = "  - expect: [ { call: POST https://fraud.internal/scores/k } ]\n";
    let tell = |steps: &str| told_of(&saga, GIVEN, &format!("{call}{steps}"));
    let never_left = "  - called: { unsent: nobody listens }\n  - end: compensated";
    assert_eq!(tell(never_left), "passed  it goes");
    let broke = "  - called: { failed: it broke }
  - expect: [ { call: DELETE https://fraud.internal/scores } ]\n  - end: compensating";
    assert_eq!(tell(broke), "passed  it goes");
}

#[test]
fn people_are_asked_and_answer() {
    let asked = "  - expect: [ { call: POST https://fraud.internal/scores/k } ]
  - called: { status: 200, body: { score: 8 } }
  - expect: [ { question: boss, text: Go with 8?, choices: [go, stop] } ]\n";
    passes(&format!("{asked}  - {{ answer: stop, by: ann, note: no }}\n  - end: compensated"));
    passes(&format!(
        "{asked}  - {{ answer: go, step: approve, by: ann, data: {{ limit: 9 }} }}
  - expect: [ {{ child: settlement }} ]"
    ));
    passes(&format!("{asked}  - answer: maybe\n  - rejected: refused"));
    let other = asked.replace("Go with 8?", "Go with 9?");
    fails(&other, &["step 3", "text Go with 9?", "text Go with 8?"]);
    let other = asked.replace("question: boss", "question: chief");
    fails(&other, &["step 3", "question chief", "question boss"]);
}

#[test]
fn a_child_is_told_to_take_itself_back() {
    let refused = format!(
        "{SETTLED}{PAID}{MOVE}  - event: p/Moved
  - event: f/Refused\n    body: {{ id: k, why: no }}
  - expect: [ {{ command: t/Return }} ]\n  - event: p/Returned
  - expect: [ {{ child: settlement, says: take-back }} ]\n"
    );
    passes(&format!("{refused}  - {{ child: settle, says: taken-back }}\n  - end: compensated"));
    fails(
        &refused.replace("says: take-back", "key: other, says: take-back"),
        &["step 10", "child settlement: take-back", "child settlement: take-back", "key k/settle"],
    );
    passes(&format!(
        "{SETTLED}  - {{ child: settle, says: compensated, reason: poor }}\n  - end: compensated"
    ));
    passes(&format!("{SETTLED}  - {{ child: settle, says: taken }}\n  - end: compensated"));
    fails(
        "  - expect: [ { call: POST https://fraud.internal/scores/k } ]
  - { child: settle, says: completed }",
        &["step 2: step `settle` has no child; children were told by: none"],
    );
}

#[test]
fn a_lock_that_somebody_else_holds_is_waited_for() {
    let waits = format!("{SETTLED}  - held: a/k\n{PAID}");
    passes(&format!("{waits}  - pass: 30s\n  - freed: a/k\n{MOVE}"));
    passes(&format!(
        "{waits}  - pass: 1m\n  - expect: [ {{ child: settlement, says: take-back }} ]"
    ));
    passes(&format!("{SETTLED}  - held: a/other\n{PAID}{MOVE}"));
}

#[test]
fn probes_are_answered_like_commands() {
    let silent = format!(
        "{SETTLED}{PAID}{MOVE}  - pass: 55s
  - expect: [ {{ command: t/Move, times: 4 }}, {{ command: t/Find, attempt: 1 }} ]\n"
    );
    passes(&format!("{silent}  - event: p/Found\n  - end: running"));
    let absent = "  - expect: [ { child: settlement, says: take-back } ]";
    passes(&format!("{silent}  - event: p/Absent\n{absent}"));
    passes(&format!("{silent}  - event: p/Absent\n    command: move~probe/1\n{absent}"));
}

#[test]
fn an_event_answers_what_has_no_answer_yet() {
    let saga = "
saga: fan
version: 1
start: { on: t/Placed, key: event.id }
data: { items: event.items }
within: 1d
events: { p/*: { by: command-id } }
steps:
  - step: all
    each: data.items
    at-most: 3
    steps:
      - step: one
        command: t/Do
        with: { item: '${item}' }
        done: p/Done
        set: { n: event.n }
        within: 10s
        compensate: { command: t/Undo, done: p/Undone }
    collect: { ns: branch.n }
";
    let given = "{ on: t/Placed, event: { id: k, items: [a, b] } }";
    let told = |steps: &str| told_of(saga, given, steps);
    let begun = "  - expect: [ { command: t/Do, with: { item: a } }, { command: t/Do } ]\n";
    let done = |n: u32| format!("  - event: p/Done\n    body: {{ n: {n} }}\n");
    let both =
        format!("{begun}{}{}  - data: {{ ns: [2, 1] }}\n  - end: completed", done(1), done(2));
    assert_eq!(told(&both), "passed  it goes");
    let named = format!("{begun}{}    command: one[0]/1\n{}", done(1), done(2));
    assert_eq!(told(&format!("{named}  - data: {{ ns: [1, 2] }}")), "passed  it goes");
}

const CHILD: &str = "
saga: settlement
version: 1
start: { by: parent }
data: { id: event.id }
within: 1d
events: { p/*: { by: command-id } }
steps:
  - step: pay
    command: t/Pay
    done: p/Paid
    set: { receipt: event.receipt }
    failed: { on: p/Declined, reason: event.why }
    within: 10s
    compensate: { command: t/Refund, done: p/Refunded }
";

#[test]
fn a_child_has_a_parent() {
    let given = "{ by: parent, key: k/settle, event: { id: k } }";
    let told = |steps: &str| told_of(CHILD, given, steps);
    let paid = "  - expect: [ { command: t/Pay, key: k/settle } ]
  - event: p/Paid\n    body: { receipt: r-1 }
  - expect: [ { parent: completed, with: { receipt: r-1 } } ]\n  - end: completed\n";
    assert_eq!(told(paid), "passed  it goes");
    let back = "  - parent: take-back\n  - expect: [ { command: t/Refund } ]\n  - event: p/Refunded
  - expect: [ { parent: taken-back } ]\n  - end: compensated";
    assert_eq!(told(&format!("{paid}{back}")), "passed  it goes");
    let declined =
        "  - expect: [ { command: t/Pay } ]\n  - event: p/Declined\n    body: { why: no }
  - expect: [ { parent: compensated } ]\n  - end: compensated";
    assert_eq!(told(declined), "passed  it goes");
    fails_as(&told(&paid.replace("r-1 } } ]", "r-2 } } ]")), &["step 3", "receipt", "receipt"]);
    let orphan = told_of(CHILD, "{ on: t/Placed, event: { id: k } }", "");
    fails_as(&orphan, &["given: t/Placed starts no settlement"]);
    let grown = told_of(SAGA, "{ by: parent, event: { id: k } }", "");
    fails_as(&grown, &["given: flow is no child"]);
}

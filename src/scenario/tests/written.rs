//! Scenarios that are written, and those that are rewritten.

use super::super::{parse, run, update, write};
use super::SAGA;
use crate::definition;

const GIVEN: &str = "{ on: t/Placed, event: { id: k, total: 1.50 } }";

fn saga() -> definition::Definition {
    definition::parse("saga.yaml", SAGA).unwrap_or_else(|e| panic!("\n{e}"))
}

/// Written and read again it says the same; what is written twice is the same text.
fn same(text: &str) {
    let scenario = parse("it.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
    let written = write(&scenario);
    let again = parse("it.yaml", &written).unwrap_or_else(|e| panic!("\n{e}\n{written}"));
    assert_eq!(write(&again), written);
    let does =
        |s: &super::super::Scenario| s.run.iter().map(|s| s.does.clone()).collect::<Vec<_>>();
    assert_eq!(does(&again), does(&scenario), "{written}");
    assert_eq!(
        (&again.name, &again.given.by, &again.given.key, &again.given.body),
        (&scenario.name, &scenario.given.by, &scenario.given.key, &scenario.given.body)
    );
}

#[test]
fn what_is_written_is_read_as_the_same() {
    same("scenario: nothing\ngiven: { by: parent, key: p/c }\nrun: []");
    same(&format!(
        "scenario: 'all: of it # said'
given:
  on: t/Placed
  id: e-1
  source: /web/shop 7
  key: 'no'
  event: {{ id: k, n: 1e400, list: [ 1, {{ a: 'x: y' }} ] }}
run:
  - expect: []
  - expect:
      - {{ command: t/A, with: {{ a: '{long}', b: {{ c: null, d: true }} }}, key: k, attempt: 2 }}
      - {{ fact: t/B, headers: {{ tenant: '7', n: 7 }}, times: any }}
      - {{ call: POST https://x.y/v1?a=b, body: {{ a: [] }}, times: 3 }}
      - {{ question: compliance, text: 'Pay {{1}}?', choices: [ 'yes', 'no' ] }}
      - {{ child: settlement, key: k/1 }}
      - {{ child: settlement, says: take-back }}
      - {{ parent: completed, with: {{ a: 1 }} }}
      - {{ complaint: 'it: `data.a` is missing' }}
  - event: t/A
    body: {{ text: '{long}', more: 'true', empty: '' }}
    command: check[2]~probe/1
    key: '7'
    id: 'a b'
    source: '7'
  - event: t/A
    by-key: true
  - called: {{ status: 200, headers: {{ a: '1' }}, body: [ 1, 2 ] }}
    command: score/2
  - called: {{ failed: 'connection refused: twice' }}
  - child: settle
    says: completed
    data: {{ receipt: r-1 }}
  - child: settle
    says: compensated
    reason: too dear
  - parent: let-go
  - held: account/7
  - freed: account/7
  - rejected: duplicate
  - pass: 1h30m
  - down: 2w
  - answer: approve
    step: ask
    by: ann
    note: 'off'
    data: {{ a: 1 }}
  - act: {{ resolve-done: ship, data: {{ parcel: p-1 }}, by: ann, why: 'she saw it' }}
  - act: {{ go-back: ~ }}
  - act: {{ pause: ~, by: ann, why: 'an audit' }}
  - act: {{ set-data: ~, data: {{ total: 2.50 }} }}
  - act: {{ resume: ~ }}
  - act: {{ cancel: ~ }}
  - data: {{ a: '{long}', b: {{ c: '{long}' }} }}
  - end: stuck
    at: ship
    undoing: true
  - end: compensated
    because: deadline
  - end: ended
  - end: forgotten
",
        long = "a rather long text, ".repeat(6)
    ));
}

/// The file after an update, which passes, and how much was changed.
fn updated(steps: &str) -> (String, usize) {
    let text = format!("scenario: it goes\ngiven: {GIVEN}\nrun:\n{steps}");
    let updated = update(&saga(), "it.yaml", &text).unwrap_or_else(|e| panic!("\n{e}"));
    let scenario = parse("it.yaml", &updated.text).unwrap_or_else(|e| panic!("\n{e}"));
    let report = run(&saga(), &scenario);
    assert!(report.passed(), "{report}\n{}", updated.text);
    let steps = updated.text.split_once("run:\n").expect("it has steps").1.to_owned();
    (steps, updated.changes.len())
}

#[test]
fn what_holds_is_left_as_it_is() {
    let steps = "  # first\n  - expect: [ {command: t/Charge} ]   # odd spaces\n";
    assert_eq!(updated(steps), (steps.to_owned(), 0));
}

#[test]
fn expectations_become_what_is_seen_and_comments_stay() {
    let (steps, changes) = updated(
        "  # it begins
  - expect:                           # the money
      - command: t/Charge
        with: { total: 7, card: { kind: amex } }   # from the card
        headers: { tenant: 'x', gone: y }
        attempt: 3
  # it is paid
  - event: t/Charged
    body: { receipt: 1 }              # a receipt
  - expect: [ { command: t/Refund } ]  # told
  - data: { receipt: 2 }
  - end: compensated
    at: charge
",
    );
    assert_eq!(
        steps,
        "  # it begins
  # the money
  # from the card
  - expect:
      - { command: t/Charge, with: { total: 1.50, card: { kind: visa } }, \
headers: { tenant: shop-k }, attempt: 1 }
  # it is paid
  - event: t/Charged
    body: { receipt: 1 }              # a receipt
  - expect: [ { fact: t/Told } ]  # told
  - data: { receipt: 1 }
  - end: completed
"
    );
    assert_eq!(changes, 4);
}

#[test]
fn what_is_missing_is_added_and_what_never_comes_goes() {
    let (steps, changes) = updated(
        "  - event: t/Charged
    body: { receipt: 1 }
  - event: t/Charged
    body: { receipt: 1 }
  # nothing was declined
  - rejected: refused
  - end: completed
  - rejected: duplicate               # not now
",
    );
    assert_eq!(
        steps,
        "  - expect: [ { command: t/Charge } ]
  - event: t/Charged
    body: { receipt: 1 }
  - expect: [ { fact: t/Told } ]
  - event: t/Charged
    body: { receipt: 1 }
  # nothing was declined
  - rejected: duplicate
  - end: completed
"
    );
    assert_eq!(changes, 4);
}

#[test]
fn repetitions_are_counted_anew() {
    let silent = "  - expect: [ { command: t/Charge, with: { total: 1.50 } } ]\n  - pass: 40s\n";
    let (steps, _) = updated(&format!(
        "{silent}  - expect: [ {{ command: t/Charge, with: {{ total: 1.50 }}, times: 9 }} ]\n"
    ));
    let counted = "  - expect:
      - { command: t/Charge, with: { total: 1.50 }, times: 2 }
      - { command: t/Refund }\n";
    let line = "  - expect: [ { command: t/Charge, with: { total: 1.50 }, times: 2 }, \
                { command: t/Refund } ]\n";
    assert!(steps == format!("{silent}{counted}") || steps == format!("{silent}{line}"), "{steps}");
}

#[test]
fn what_no_expectation_can_mend_is_refused() {
    let refused = |steps: &str, wanted: &str| {
        let text = format!("scenario: it goes\ngiven: {GIVEN}\nrun:{steps}");
        let why = update(&saga(), "it.yaml", &text).expect_err("it cannot be mended");
        assert!(why.contains(wanted), "{why}");
    };
    refused("\n  - expect: [ { command: t/Charge } ]\n  - called: { status: 200 }", "it.yaml:5: ");
    refused(" [ { event: t/Charged } ]", "write each as `- …` on a line of its own");
    refused(" []", "`run` has no steps");
    refused("\n  - expect: { }", "`expect` is a mapping");
}

#[test]
fn an_engine_that_stands_still_is_late_with_everything() {
    let saga =
        SAGA.replace("late: 1d", "within: 5s\nlate: 1d").replace("within: 10s", "within: 3s");
    let saga = definition::parse("saga.yaml", &saga).unwrap_or_else(|e| panic!("\n{e}"));
    let passes = |steps: &str| {
        let text = format!("scenario: it goes\ngiven: {GIVEN}\nrun:\n{steps}");
        let scenario = parse("it.yaml", &text).unwrap_or_else(|e| panic!("\n{e}"));
        let report = run(&saga, &scenario);
        assert!(report.passed(), "{report}");
    };
    let begun = "  - expect: [ { command: t/Charge } ]\n";
    let back = "  - event: t/Refunded\n  - end: compensated\n    because: deadline\n";
    passes(&format!(
        "{begun}  - pass: 5s
  - expect: [ {{ command: t/Charge }}, {{ command: t/Refund }} ]\n{back}"
    ));
    passes(&format!("{begun}  - down: 5s\n  - expect: [ {{ command: t/Refund }} ]\n{back}"));
}

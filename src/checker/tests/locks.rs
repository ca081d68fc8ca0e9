//! Runs on which a lock is taken once more, for what is undone late.

use super::drawn::locked;
use super::*;
use crate::engine::tests::drive::Dice;
use crate::engine::tests::random_saga::{CHILD, random_saga};

fn report(text: &str) -> Report {
    let definition = parse("saga.yaml", text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    check(&definition, &[], STATES_MAX)
}

const HEAD: &str = "
saga: s
version: 1
start: { on: t/Placed, key: event.id }
data: { id: event.id }
events: { t/*: { by: command-id } }
within: 5d
steps:
";

const END: &str = "ends: { completed: { emit: t/End }, stuck: { emit: t/Help } }\n";

#[test]
fn a_lock_is_taken_as_often_as_something_is_undone_under_it() {
    for release in ["block", "pivot"] {
        let text = format!(
            "{HEAD}
  - step: alone
    lock: [\"bay/${{data.id}}\"]
    within: 1d
    release: {release}
    steps:
      - step: both
        parallel:
          hook:
            - {{ step: hook, command: t/Hook, done: t/Hooked,
                compensate: {{ command: t/Unhook, done: t/Unhooked }} }}
          gate:
            - {{ step: gate, command: t/Close, done: t/Closed,
                compensate: {{ command: t/Open, done: t/Opened }} }}
{END}"
        );
        let report = report(&text);
        assert!(report.is_proved(), "{report}");
    }
}

#[test]
fn what_is_skipped_behind_the_pivot_needs_no_lock_when_it_succeeds_late() {
    let text = format!(
        "{HEAD}
  - {{ step: go, pivot: true, emit: t/Told }}
  - step: alone
    lock: [\"hall/${{data.id}}\"]
    within: 1d
    failed: {{ then: go-on }}
    steps: [ {{ step: hall, command: t/Book, done: t/Booked }} ]
  - {{ step: bus, command: t/Hire, done: t/Hired }}
{END}"
    );
    let report = report(&text);
    assert!(report.is_proved(), "{report}");
    let undoes = |end: &Ending| matches!(end, Ending::Stuck { undoing: true, .. });
    assert!(!report.endings.iter().any(undoes), "behind the pivot nothing is undone: {report}");
}

#[test]
fn a_saga_may_end_while_a_lock_is_held_for_what_is_undone_late() {
    for release in ["pivot", "end"] {
        let text = format!(
            "{HEAD}
  - step: alone
    lock: [\"pit/${{data.id}}\"]
    within: 1d
    release: {release}
    steps:
      - {{ step: charge, command: t/Lay, done: t/Laid, unknown: park,
          compensate: {{ command: t/Remove, done: t/Removed }} }}
  - {{ step: blast, pivot: true, command: t/Blast, done: t/Blasted }}
{END}"
        );
        let report = report(&text);
        assert!(report.is_proved(), "{report}");
    }
}

/// Looks for what no definition can do, in so many states of each: what lies behind may be an end.
/// Answers how many of the definitions have no more.
fn search(
    drawn: impl Iterator<Item = Definition>,
    others: &[&Definition],
    states_max: usize,
) -> usize {
    let mut looked = 0;
    for definition in drawn {
        let report = check(&definition, others, states_max);
        looked += usize::from(report.bound.is_none());
        assert!(!report.shows_own_mistake(), "{}\n{report}", definition.source);
    }
    looked
}

#[test]
fn no_definition_with_a_lock_breaks_what_the_engine_keeps() {
    let drawn = (0..40).map(|seed| {
        let text = locked(&mut Dice::of(seed));
        parse("saga.yaml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"))
    });
    let looked = search(drawn, &[], 800);
    assert!(looked >= 8, "only {looked} are small");
}

#[test]
fn no_definition_at_all_breaks_what_the_engine_keeps() {
    let child = parse("child.yaml", CHILD).expect("it parses");
    let text = |seed| random_saga(&mut Dice::of(seed));
    let drawn = (0..60).filter_map(|seed| parse("saga.yaml", &text(seed)).ok());
    let looked = search(drawn, &[&child], 200);
    assert!(looked > 0, "none is small");
}

#[test]
fn what_the_engine_breaks_itself_blocks_nobody() {
    for promise in Promise::ALL {
        let broken = Broken::new(promise, "debit", "it is broken".to_owned());
        let definition = parse("transfer.yaml", TRANSFER).expect("it parses");
        let finding = Finding {
            broken,
            line: 1,
            line_text: definition.source.lines().next().unwrap_or_default().to_owned(),
            story: Vec::new(),
        };
        let severity = finding.diagnostic("transfer.yaml").severity;
        let is_warning = severity == crate::definition::Severity::Warning;
        assert_eq!(is_warning, promise.is_engines(), "{promise:?}");
    }
}

//! What comes a second time: the very event, and another one of its kind.

use crate::checker::{Report, STATES_MAX, check};
use crate::definition::parse;

fn checked(text: &str) -> Report {
    let definition = parse("saga.yaml", text).unwrap_or_else(|e| panic!("{e}"));
    check(&definition, &[], STATES_MAX)
}

/// A first reading starts it, a second one is waited for.
fn readings(condition: &str) -> String {
    format!(
        "
saga: readings
version: 1
start: {{ on: t/Read, key: event.meter }}
events: {{ t/*: {{ key: event.meter }} }}
data: {{ at: event.at, id: event.id }}
steps:
  - {{ step: second, wait: {{ on: t/Read{condition} }}, within: 35d }}
  - {{ step: bill, emit: t/Bill, compensate: none }}
"
    )
}

#[test]
fn what_starts_a_saga_does_not_end_its_wait_when_it_comes_again() {
    for condition in ["", ", where: event.at > data.at", ", where: event.id != data.id"] {
        let report = checked(&readings(condition));
        assert!(report.is_proved(), "{condition}: {report}");
    }
}

#[test]
fn an_answer_in_two_parts_that_exclude_each_other_is_no_mistake() {
    let report = checked(
        "
saga: parts
version: 1
start: { on: t/Placed, key: event.id }
events: { t/*: { key: event.id } }
data: { id: event.id }
steps:
  - step: void
    command: t/Void
    done:
      - { on: t/Answered, where: event.status == 'pending', set: { over: 'false' } }
      - { on: t/Answered, where: event.status == 'over', set: { over: 'true' } }
    failed: { on: t/Answered, where: event.status == 'no' }
    within: 10s
    compensate: none
  - step: outcome
    when: '!data.over'
    wait: { on: t/Answered, where: event.status == 'over' }
    failed: { on: t/Answered, where: event.status == 'no' }
    within: 7d
  - { step: tell, emit: t/Voided, compensate: none }
",
    );
    assert!(report.is_proved(), "{report}");
}

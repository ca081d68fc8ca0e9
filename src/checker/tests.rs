use super::*;
use crate::definition::{Step, StepKind, parse};

fn checked(path: &str) -> Report {
    let text = std::fs::read_to_string(path).expect("a definition that ships");
    let definition = parse(path, &text).expect("it parses");
    check(&definition, &[], STATES_MAX)
}

#[test]
fn the_order_saga_keeps_every_promise() {
    let report = checked("sagas/order-fulfilment/saga.yaml");
    assert!(report.is_proved(), "{report}");
    assert!(report.endings.contains(&Ending::Completed), "{report}");
}

/// Two branches beside each other, then a fact that is waited for.
const PAIR: &str = "
saga: pair
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
within: 30d
events: { t/*: { key: event.id } }
steps:
  - step: both
    parallel:
      one:
        - { step: a, command: t/A, done: t/ADone, set: { got: event.got }, compensate: none }
      two:
        - { step: b, command: t/B, done: t/BDone, compensate: none }
  - { step: answer, wait: t/Yes, within: 3d }
  - { step: tell, emit: t/Told, with: { got: \"${data.got}\" }, compensate: none }
";

/// What goes wrong with a definition that was right before this change.
fn broken(doctor: impl FnOnce(&mut Definition)) -> Vec<(Promise, String)> {
    let mut definition = parse("pair.yaml", PAIR).expect("it parses");
    let report = check(&definition, &[], STATES_MAX);
    assert!(report.is_proved(), "{report}");
    doctor(&mut definition);
    let report = check(&definition, &[], STATES_MAX);
    assert!(!report.is_proved(), "{report}");
    assert!(report.findings.iter().all(|f| !f.story.is_empty()), "{report}");
    report.findings.into_iter().map(|f| (f.broken.promise, f.broken.step)).collect()
}

fn step<'d>(definition: &'d mut Definition, name: &str) -> &'d mut Step {
    let found = definition.steps.iter_mut().find(|step| step.name.as_str() == name);
    found.expect("a step of that name")
}

#[test]
fn a_field_that_nothing_sets_is_missed_where_it_is_read() {
    let found = broken(|definition| step(definition, "a").set.clear());
    assert_eq!(found, [(Promise::Filled, "tell".to_owned())]);
}

#[test]
fn an_answer_that_two_steps_would_take_is_told() {
    let found = broken(|definition| {
        let (StepKind::Command(a), address) = (&step(definition, "a").kind, "t/ADone") else {
            panic!("a command");
        };
        assert_eq!(a.request.done[0].on.to_string(), address);
        let on = a.request.done[0].on.clone();
        if let StepKind::Command(b) = &mut step(definition, "b").kind {
            b.request.done[0].on = on;
        }
    });
    assert!(found.iter().any(|(promise, _)| *promise == Promise::Answered), "{found:?}");
}

#[test]
fn a_wait_without_any_limit_is_told() {
    let found = broken(|definition| {
        definition.within = None;
        if let StepKind::Wait(wait) = &mut step(definition, "answer").kind {
            wait.within = None;
        }
    });
    assert_eq!(found, [(Promise::Waits, "answer".to_owned())]);
}

#[test]
fn a_bound_that_is_reached_is_said() {
    let definition = parse("pair.yaml", PAIR).expect("it parses");
    let report = check(&definition, &[], 10);
    assert!(report.bound.is_some() && !report.is_proved(), "{report}");
    assert!(report.to_string().contains("not all was looked at"), "{report}");
}

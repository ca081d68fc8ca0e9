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

/// The scenarios for what goes wrong with a definition after a change, each of which fails.
fn failing(doctor: impl FnOnce(&mut Definition)) -> Vec<String> {
    let mut definition = parse("pair.yaml", PAIR).expect("it parses");
    doctor(&mut definition);
    let (report, written) = check_and_write(&definition, &[], STATES_MAX, &[]);
    assert_eq!(report.findings.len(), written.broken.len());
    let one = |broken: Result<Scenario, String>| {
        let text = crate::scenario::write(&broken.expect("it can be shown"));
        let read = crate::scenario::parse("it.yaml", &text).expect("what is written is read");
        let told = crate::scenario::run(&definition, &read);
        assert!(!told.passed(), "{text}");
        format!("{text}{told}")
    };
    written.broken.into_iter().map(one).collect()
}

#[test]
fn a_field_that_nothing_sets_is_shown_by_a_scenario_that_fails() {
    let told = failing(|definition| step(definition, "a").set.clear());
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("scenario: \"broken: `data.got` is read"), "{told}");
    assert!(told.contains("  - event: t/Yes\n"), "{told}");
    assert!(told.contains("  - end: running\n"), "{told}");
    assert!(told.contains("stuck"), "{told}");
}

#[test]
fn a_wait_without_any_limit_is_shown_by_a_scenario_that_fails() {
    let told = failing(|definition| {
        definition.within = None;
        if let StepKind::Wait(wait) = &mut step(definition, "answer").kind {
            wait.within = None;
        }
    });
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("  - pass: 365d\n  - end: ended\n"), "{told}");
}

#[test]
fn an_answer_that_another_step_takes_is_shown_by_a_scenario_that_fails() {
    let told = failing(|definition| {
        let StepKind::Command(a) = &step(definition, "a").kind else { panic!("a command") };
        let on = a.request.done[0].on.clone();
        if let StepKind::Command(b) = &mut step(definition, "b").kind {
            b.request.done[0].on = on;
        }
    });
    assert!(told.iter().any(|told| told.contains("by-key: true")), "{told:?}");
}

#[test]
fn every_end_of_a_small_saga_is_reached_without_any_example() {
    let definition = parse("pair.yaml", PAIR).expect("it parses");
    let (report, written) = check_and_write(&definition, &[], STATES_MAX, &[]);
    assert_eq!(written.unreached, []);
    let reached: Vec<&Ending> = written.endings.iter().map(|(end, _)| end).collect();
    assert_eq!(reached, report.endings.iter().collect::<Vec<_>>());
    for (_, scenario) in &written.endings {
        let told = crate::scenario::run(&definition, scenario);
        assert!(told.passed(), "{told}");
    }
}

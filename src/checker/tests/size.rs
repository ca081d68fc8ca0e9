//! How many states there are to look at: what stands side by side, or one behind the other, is to
//! have an answer.

use super::drawn::drawn_sagas;
use super::reduced::{report, world};
use super::*;
use crate::engine::tests::drive::Dice;
use crate::engine::tests::random_saga::{CHILD, random_saga};

/// The most steps of a drawn definition that is counted.
const STEPS: usize = 15;

fn parsed(text: &str) -> Definition {
    parse("saga.yaml", text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Looks at everything, branches that share nothing in turns from the beginning.
fn in_turns(text: &str) -> Report {
    let definition = parsed(text);
    let report = report(world(&definition, &[]).in_turns(), &definition, STATES_MAX);
    assert!(report.is_proved(), "{report}");
    report
}

/// Some bookings, each with its undoing.
fn bookings(count: usize) -> Vec<String> {
    let booking = |n| {
        format!(
            "{{ step: s{n}, command: t/Do{n}, done: t/Done{n}, failed: t/No{n}, \
             compensate: {{ command: t/Undo{n}, done: t/Undone{n} }} }}"
        )
    };
    (0..count).map(booking).collect()
}

/// A saga of these steps, which may end at any time by its deadline.
fn saga(steps: &[String]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}\n")).collect();
    format!(
        "saga: s\nversion: 1\nstart: {{ on: u/Placed, key: event.id }}\nwithin: 60d\n\
         data: {{ fields: event.fields }}\nsteps:\n{}\
         \x20 - {{ step: told, pivot: true, emit: u/Ready }}\n\
         ends:\n  completed: {{ emit: u/Done }}\n  compensated: {{ emit: u/Off }}\n  \
         stuck: {{ emit: u/Help }}\n",
        steps.concat()
    )
}

/// Branches beside each other, each of these steps.
fn side_by_side(steps: &[String]) -> String {
    let branch = |(n, step): (usize, &String)| format!("b{n}: [ {step} ]");
    let branches: Vec<String> = steps.iter().enumerate().map(branch).collect();
    saga(&[format!("{{ step: all, parallel: {{ {} }} }}", branches.join(", "))])
}

#[test]
fn five_bookings_side_by_side_have_an_answer() {
    let report = in_turns(&side_by_side(&bookings(5)));
    let stuck = |end: &&Ending| matches!(end, Ending::Stuck { .. });
    assert_eq!(report.endings.iter().filter(stuck).count(), 5, "{report}");
    assert!(report.states < 5_000, "{} states", report.states);
}

#[test]
fn branches_take_turns_only_if_there_is_too_much_nearby() {
    let definition = parsed(&side_by_side(&bookings(3)));
    let explored = |states_max, nearby_max| {
        let door = Door(engine::step);
        explored(door, &definition, &[], states_max, nearby_max).1
    };
    let (all, turned) = (explored(STATES_MAX, STATES_MAX), explored(STATES_MAX, 400));
    assert_eq!((all.bound, turned.bound), (None, None));
    assert!(turned.states() * 2 < all.states(), "{} of {}", turned.states(), all.states());
    assert!(all.endings.keys().eq(turned.endings.keys()));
    assert!(explored(300, 400).bound.is_some(), "no more is looked at than may be");
}

#[test]
fn a_request_in_a_fan_out_in_a_fan_out_has_an_answer() {
    let sow = "{ step: sow, command: t/Sow, with: { plot: '${item}' }, \
               done: { on: t/Sown, where: event.plot == item }, \
               failed: { on: t/NotSown, where: event.plot == item }, \
               compensate: { command: t/Plough, done: { on: t/Ploughed, \
               where: event.plot == item } } }";
    let plots = format!("{{ step: plots, each: item.plots, at-most: 9, steps: [ {sow} ] }}");
    let fields = format!("{{ step: fields, each: data.fields, at-most: 9, steps: [ {plots} ] }}");
    let report = in_turns(&saga(&[fields]));
    assert!(report.states < 12_000, "{} states", report.states);
}

#[test]
fn three_waits_beside_each_other_have_an_answer() {
    let wait = |n: usize| format!("{{ step: w{n}, wait: t/Heard{n}, within: 3d }}");
    let behind = |(n, booking): (usize, String)| format!("{booking}, {}", wait(n));
    let branches: Vec<String> = bookings(3).into_iter().enumerate().map(behind).collect();
    let report = in_turns(&side_by_side(&branches));
    assert!(report.states < 2_000, "{} states", report.states);
}

#[test]
fn what_stands_one_behind_the_other_is_added_and_not_multiplied() {
    let states = |count| {
        let definition = parsed(&saga(&bookings(count)));
        let report = check(&definition, &[], STATES_MAX);
        assert!(report.is_proved(), "{report}");
        report.states
    };
    let (three, four, five) = (states(3), states(4), states(5));
    assert!(five - four <= (four - three) * 5 / 4, "{three}, {four}, {five} states");
}

/// What counts as an answer in time. States are counted, for they are the same everywhere.
const ANSWERED_MAX: usize = 60_000;

/// Looks at so many drawn definitions: the seeds of those that are too large.
fn too_large(count: usize) -> Vec<u64> {
    let child = parse("child.yaml", CHILD).unwrap_or_else(|e| panic!("{e}"));
    let drawn = (0..).filter_map(|seed| {
        let definition = parse("saga.yaml", &random_saga(&mut Dice::of(seed))).ok()?;
        (definition.steps.len() <= STEPS).then_some((seed, definition))
    });
    let mut large = Vec::new();
    for (seed, definition) in drawn.take(count) {
        let report = check(&definition, &[&child], ANSWERED_MAX);
        assert!(!report.shows_own_mistake(), "seed {seed}: {}\n{report}", definition.source);
        if report.bound.is_some() {
            eprintln!("seed {seed}: {} steps are too many", definition.steps.len());
            large.push(seed);
        }
    }
    large
}

#[test]
#[ignore = "takes many minutes: run it with --release and --ignored"]
fn of_a_hundred_drawn_definitions_one_at_most_has_no_answer() {
    let count = drawn_sagas(300);
    let large = too_large(count);
    assert!(large.len() <= count.div_ceil(100), "no answer for the seeds {large:?} of {count}");
}

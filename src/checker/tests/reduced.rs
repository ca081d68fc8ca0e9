//! What the checker spares changes nothing in what it finds.

use std::collections::{BTreeSet, VecDeque};

use super::drawn::fan_out;
use super::*;
use crate::checker::edge::{Known, Led, edges};
use crate::checker::explore::{explore, nothing};
use crate::checker::mark::{Mark, least};
use crate::engine::tests::drive::Dice;
use crate::engine::tests::random_saga::{CHILD, random_saga};

/// Larger ones are not looked at twice.
const SMALL: usize = 400;

fn world(definition: &Definition, others: &[&Definition]) -> World {
    World::new(Door(engine::step), definition, others)
}

fn report(world: World, definition: &Definition, states_max: usize) -> Report {
    let worlds = [world];
    Report::new(definition, &worlds[0], &explore(&worlds, states_max))
}

/// The code and the step of everything that goes wrong, whichever element it is about.
fn broken(report: &Report) -> BTreeSet<(String, String)> {
    let step = |broken: &Broken| broken.step.replace("[1]", "[0]");
    let all = report.findings.iter().map(|f| &f.broken);
    all.map(|broken| (broken.promise.code().to_string(), step(broken))).collect()
}

/// Which states lead to which, twins being one.
fn ways(world: &World) -> BTreeSet<(Mark, Mark)> {
    let whose = |state: &model::State| least(&world.symmetry, state);
    let mut known = Known::from([(world.mark(&nothing()), 0)]);
    let (mut reached, mut found) = (vec![whose(&nothing())], BTreeSet::new());
    let mut queue = VecDeque::from([(0, nothing())]);
    while let Some((at, state)) = queue.pop_front() {
        for edge in edges(world, &state, &known).edges {
            let Some(Led::Elsewhere { mark, reached: new, .. }) = edge.led else { continue };
            let to = *known.entry(mark).or_insert(reached.len());
            if to == reached.len() {
                let new = new.expect("it was not known").state;
                reached.push(whose(&new));
                queue.push_back((to, new));
            }
            if reached[at] != reached[to] {
                found.insert((reached[at], reached[to]));
            }
        }
    }
    found
}

/// Looks at a definition with and without reduction: the states of both.
fn compare(
    definition: &Definition,
    others: &[&Definition],
    states_max: usize,
) -> Option<(usize, usize)> {
    let plain = report(world(definition, others).unreduced(), definition, states_max);
    if plain.bound.is_some() {
        return None;
    }
    let reduced = report(world(definition, others), definition, states_max);
    let text = &definition.source;
    assert_eq!(reduced.endings, plain.endings, "{text}");
    assert_eq!(broken(&reduced), broken(&plain), "{text}\n{plain}\n{reduced}");
    assert_eq!(reduced.bound, None);
    let of_plain = ways(&world(definition, others).unreduced());
    let of_reduced = ways(&world(definition, others));
    let differ = of_plain.symmetric_difference(&of_reduced).count();
    assert_eq!(differ, 0, "of {} and {} ways: {text}", of_plain.len(), of_reduced.len());
    Some((plain.states, reduced.states))
}

#[test]
fn twins_are_spared_and_nothing_else_is() {
    let (mut states, mut spared, mut looked) = (0, 0, 0);
    for seed in 0..40 {
        let text = fan_out(&mut Dice::of(seed));
        let definition = parse("saga.yaml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert!(!world(&definition, &[]).symmetry.is_empty(), "{text}");
        let Some((plain, reduced)) = compare(&definition, &[], SMALL) else { continue };
        (states, spared, looked) = (states + plain, spared + plain - reduced, looked + 1);
    }
    assert!(looked >= 16, "only {looked} are small");
    assert!(spared * 8 > states, "{spared} of {states} are spared");
}

#[test]
fn the_fan_out_that_ships_is_reduced() {
    let text = fs::read_to_string("sagas/model-data-flow/saga.yaml").expect("it ships");
    // As far as the fan-out goes: what comes behind it is looked at by `tests/foreseen.rs`.
    let text = text.split("  - step: transform").next().expect("the first part");
    let text = text.replace("  pipelines.events/*: { by: command-id }\n", "");
    let definition = parse("saga.yaml", &text).expect("it parses");
    let (plain, reduced) = compare(&definition, &[], STATES_MAX).expect("it is small");
    assert!(reduced * 3 < plain * 2, "{reduced} of {plain}");
}

#[test]
fn twins_of_any_definition_are_one() {
    let child = parse("child.yaml", CHILD).unwrap_or_else(|e| panic!("{e}"));
    let drawn =
        (0..600).filter_map(|seed| parse("saga.yaml", &random_saga(&mut Dice::of(seed))).ok());
    let alike = drawn.filter(|definition| !world(definition, &[&child]).symmetry.is_empty());
    let looked = alike.filter_map(|definition| compare(&definition, &[&child], SMALL)).count();
    assert!(looked >= 5, "only {looked} are small");
}

/// How many states a fan-out has, plain and reduced, after a change of its text.
fn states_of(from: &str, to: &str) -> (usize, usize) {
    assert!(FAN_OUT.contains(from), "{from}");
    let definition = parse("fan-out.yaml", &FAN_OUT.replace(from, to)).expect("it parses");
    let plain = report(world(&definition, &[]).unreduced(), &definition, STATES_MAX);
    let reduced = report(world(&definition, &[]), &definition, STATES_MAX);
    assert_eq!((&plain.bound, &plain.endings), (&None, &reduced.endings));
    (plain.states, reduced.states)
}

#[test]
fn elements_are_alike_unless_something_tells_them_apart() {
    let spares = |from: &str, to: &str| {
        let (plain, reduced) = states_of(from, to);
        assert!(reduced == plain || reduced * 3 < plain * 2, "{reduced} of {plain}");
        reduced < plain
    };
    let (with, steps) = ("with: { line: \"${item}\" }", "    steps:\n");
    assert!(spares(with, with));
    assert!(spares(with, "with: { line: \"${index}\" }"), "what is sent is not kept");
    assert!(spares(with, "when: item.weight > 3"));
    assert!(spares(steps, "    collect: { all: item }\n    steps:\n"));
    assert!(!spares(with, "when: index > 0"));
    assert!(!spares(with, "set: { place: index }"));
    assert!(!spares(steps, "    collect: { all: index }\n    steps:\n"));
    let wait = "      - { step: hear, wait: { on: u/Heard, where: event.line == item } }\n";
    assert!(!spares(steps, &format!("{steps}{wait}")), "a fact is taken by the first");
    let lock =
        "      - { step: shelf, lock: [shelf], within: 5s, steps: [{ step: rest, sleep: 5s }] }\n";
    assert!(!spares(steps, &format!("{steps}{lock}")), "they share the lock");
}

#[test]
fn an_end_of_one_element_alone_is_no_reason_to_believe_in_its_twin() {
    let definition = parse("fan-out.yaml", FAN_OUT).expect("it parses");
    // The first branch is blamed for whatever the second does.
    let door = Door(|catalog, id, before, input, now| {
        spoilt((catalog, id, before, input, now), |made| {
            let newest = made.after.as_mut().and_then(|after| after.lives.last_mut());
            let failure = newest.and_then(|newest| newest.failure.as_mut());
            let step = failure.and_then(|failure| failure.step.as_mut());
            if let Some(step) = step.filter(|step| step.to_string() == "pick[1]") {
                step.branch = vec![0];
            }
        })
    });
    let plain = World::new(door, &definition, &[]).unreduced();
    let plain = report(plain, &definition, STATES_MAX);
    assert_eq!(check_behind(door, &definition, &[], STATES_MAX), plain);
}

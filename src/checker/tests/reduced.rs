//! What the checker spares changes nothing in what it finds.

use std::collections::{BTreeSet, VecDeque};

use super::drawn::{beside, drawn_sagas, drawn_states, fan_out, locked};
use super::*;
use crate::checker::edge::{Known, Led, edges};
use crate::checker::explore::{explore, nothing};
use crate::checker::mark::Mark;
use crate::engine::tests::drive::Dice;
use crate::engine::tests::random_saga::{CHILD, random_saga};

/// Larger ones are not looked at twice.
const SMALL: usize = 400;

pub(super) fn world(definition: &Definition, others: &[&Definition]) -> World {
    World::new(Door(engine::step), definition, others)
}

/// A world in which nothing is spared.
fn bare(definition: &Definition, others: &[&Definition]) -> World {
    world(definition, others).unreduced().with_settled()
}

pub(super) fn report(world: World, definition: &Definition, states_max: usize) -> Report {
    let worlds = [world];
    Report::new(definition, &worlds[0], &explore(&worlds, states_max))
}

/// The code and the step of everything that goes wrong, whichever element it is about.
fn broken(report: &Report) -> BTreeSet<(String, String)> {
    let step = |broken: &Broken| broken.step.replace("[1]", "[0]");
    let all = report.findings.iter().map(|f| &f.broken);
    all.map(|broken| (broken.promise.code().to_string(), step(broken))).collect()
}

/// Which states lead to which, as another world tells states apart.
fn ways(world: &World, apart: &World) -> BTreeSet<(Mark, Mark)> {
    let mut known = Known::from([(world.mark(&nothing()), 0)]);
    let (mut reached, mut found) = (vec![apart.mark(&nothing())], BTreeSet::new());
    let mut queue = VecDeque::from([(0, nothing())]);
    while let Some((at, state)) = queue.pop_front() {
        for edge in edges(world, &state, &known).edges {
            let Some(Led::Elsewhere { mark, reached: new, .. }) = edge.led else { continue };
            let to = *known.entry(mark).or_insert(reached.len());
            if to == reached.len() {
                let new = new.expect("it was not known").state;
                reached.push(apart.mark(&new));
                queue.push_back((to, new));
            }
            if reached[at] != reached[to] {
                found.insert((reached[at], reached[to]));
            }
        }
    }
    found
}

/// Looks at a definition without any reduction and with some: the states of both.
fn compare(
    definition: &Definition,
    others: &[&Definition],
    states_max: usize,
    spare: fn(World) -> World,
) -> Option<(usize, usize)> {
    let plain = report(bare(definition, others), definition, states_max);
    if plain.bound.is_some() {
        return None;
    }
    let spared = || spare(world(definition, others));
    let reduced = report(spared(), definition, states_max);
    let text = &definition.source;
    assert_eq!(reduced.endings, plain.endings, "{text}");
    assert_eq!(broken(&reduced), broken(&plain), "{text}\n{plain}\n{reduced}");
    assert_eq!(reduced.bound, None);
    let of_plain = ways(&bare(definition, others), &spared());
    let of_reduced = ways(&spared(), &spared());
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
        let Some((plain, reduced)) = compare(&definition, &[], SMALL, World::with_settled) else {
            continue;
        };
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
    let (plain, reduced) =
        compare(&definition, &[], STATES_MAX, World::with_settled).expect("it is small");
    assert!(reduced * 3 < plain * 2, "{reduced} of {plain}");
}

#[test]
fn twins_of_any_definition_are_one() {
    let child = parse("child.yaml", CHILD).unwrap_or_else(|e| panic!("{e}"));
    let drawn =
        (0..600).filter_map(|seed| parse("saga.yaml", &random_saga(&mut Dice::of(seed))).ok());
    let alike = drawn.filter(|definition| !world(definition, &[&child]).symmetry.is_empty());
    let looked = alike
        .filter_map(|definition| compare(&definition, &[&child], SMALL, World::with_settled))
        .count();
    assert!(looked >= 5, "only {looked} are small");
}

/// How many drawn definitions a comparison is about, and how large they are at most.
fn asked_for() -> (usize, usize) {
    match drawn_sagas(0) {
        0 => (40, drawn_states(SMALL / 2)),
        many => (many, drawn_states(SMALL)),
    }
}

/// Definitions of every sort, without an end.
fn drawn() -> impl Iterator<Item = Definition> {
    let sorts: [fn(&mut Dice) -> String; 4] = [random_saga, fan_out, beside, locked];
    (0..).flat_map(move |seed| {
        let texts = sorts.map(|draw| draw(&mut Dice::of(seed)));
        texts.into_iter().filter_map(|text| parse("saga.yaml", &text).ok())
    })
}

/// What comes of as many drawn definitions as are asked for, of those that have no more states
/// than the comparison is told.
fn compared<T>(compare: impl Fn(&Definition, usize) -> Option<T>) -> Vec<T> {
    let (looked, states_max) = asked_for();
    let small = drawn().take(4 * looked).filter_map(|drawn| compare(&drawn, states_max));
    let found: Vec<T> = small.take(looked).collect();
    assert_eq!(found.len(), looked, "too few are small");
    found
}

#[test]
fn what_is_over_is_spared_and_nothing_else_is() {
    let child = parse("child.yaml", CHILD).unwrap_or_else(|e| panic!("{e}"));
    let found = compared(|drawn, max| compare(drawn, &[&child], max, |world| world));
    let states: usize = found.iter().map(|(plain, _)| plain).sum();
    let spared: usize = found.iter().map(|(plain, reduced)| plain - reduced).sum();
    assert!(spared * 5 > states, "{spared} of {states} are spared");
}

/// How many states a fan-out has, plain and reduced, after a change of its text.
fn states_of(from: &str, to: &str) -> (usize, usize) {
    assert!(FAN_OUT.contains(from), "{from}");
    let definition = parse("fan-out.yaml", &FAN_OUT.replace(from, to)).expect("it parses");
    let plain = report(bare(&definition, &[]), &definition, STATES_MAX);
    let reduced = report(world(&definition, &[]).with_settled(), &definition, STATES_MAX);
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

/// Looks at a definition without any reduction, with branches in turns, and with all that is spared
/// together: the states of each.
pub(super) fn compare_turns(
    definition: &Definition,
    others: &[&Definition],
    states_max: usize,
) -> Option<[usize; 3]> {
    let plain = report(bare(definition, others), definition, states_max);
    if plain.bound.is_some() {
        return None;
    }
    let reduced = report(bare(definition, others).in_turns(), definition, states_max);
    let text = &definition.source;
    assert_eq!(reduced.endings, plain.endings, "{text}");
    assert_eq!(broken(&reduced), broken(&plain), "{text}\n{plain}\n{reduced}");
    assert_eq!(reduced.bound, None);
    let both = report(world(definition, others).in_turns(), definition, states_max);
    assert_eq!((&both.endings, broken(&both)), (&plain.endings, broken(&plain)), "{text}");
    Some([plain.states, reduced.states, both.states])
}

/// Commands beside each other, each with its undoing, and with something more that may tell its
/// number.
fn commands_beside(count: usize, more: &str) -> String {
    let undo = |n| format!("compensate: {{ command: t/Undo{n}, done: t/Undone{n} }}");
    let command = |n| format!("step: s{n}, command: t/Do{n}, done: t/Done{n}, {}", undo(n));
    let more = |n: usize| more.replace("{n}", &n.to_string());
    let branch = |n| format!("      b{n}: [ {{ {}{} }} ]\n", command(n), more(n));
    format!(
        "saga: s\nversion: 1\nstart: {{ on: u/Placed, key: event.id }}\nwithin: 30d\nsteps:\n  \
         - step: all\n    parallel:\n{}",
        (0..count).map(branch).collect::<String>()
    )
}

/// How many states commands beside each other have, plain and in turns.
fn turns(count: usize, more: &str) -> (usize, usize) {
    let text = commands_beside(count, more);
    let definition = parse("saga.yaml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let [plain, turned, _] = compare_turns(&definition, &[], STATES_MAX).expect("it is small");
    (plain, turned)
}

#[test]
fn branches_take_turns_unless_they_share_something() {
    let spares = |more: &str| {
        let (plain, reduced) = turns(2, more);
        assert!(reduced == plain || reduced * 3 < plain * 2, "{more}: {reduced} of {plain}");
        reduced < plain
    };
    assert!(spares(""));
    assert!(spares(", set: { got{n}: event.got }"), "nobody else reads it");
    let no = ", failed: { on: t/No, where: event.side == \"{n}\" }";
    assert!(!spares(no), "an answer that names no command is tried at both");
}

#[test]
fn what_takes_turns_is_added_and_not_multiplied() {
    let text = commands_beside(4, "");
    let definition = parse("saga.yaml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let report = report(world(&definition, &[]).in_turns(), &definition, 8_000);
    assert!(report.is_proved(), "{report}");
    let stuck = |end: &&Ending| matches!(end, Ending::Stuck { .. });
    assert_eq!(report.endings.iter().filter(stuck).count(), 4, "{report}");
}

/// All that is spared together is judged by a search that spares nothing.
#[test]
fn drawn_definitions_come_to_the_same_however_they_are_searched() {
    let child = parse("child.yaml", CHILD).unwrap_or_else(|e| panic!("{e}"));
    let found = compared(|drawn, max| compare_turns(drawn, &[&child], max));
    let took_turns = found.iter().filter(|[plain, turned, _]| turned < plain).count();
    let states: usize = found.iter().map(|[plain, ..]| plain).sum();
    let left: usize = found.iter().map(|[.., left]| left).sum();
    assert!(took_turns * 60 >= found.len(), "only {took_turns} take turns");
    // The smaller they are, the less is spared.
    let (of, at_most) = if drawn_sagas(0) > 0 { (4, 3) } else { (5, 4) };
    assert!(left * of < states * at_most, "{left} of {states} are left");
}

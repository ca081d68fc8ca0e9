//! Where one gets from a state, and what is wrong with the ways.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Choice;
use super::mark::{Mark, rests_on};
use super::model::{Ending, State};
use super::moves::{Move, starts};
use super::promise::{Broken, Promise};
use super::promises::{ending, forever, judge};
use super::spots::{coordinate, requests, spots};
use super::world::{Step, World};
use crate::definition::{Composite, Correlation, Definition};
use crate::engine::{Instance, Progress};
use crate::message::Coordinate;

/// One move of a run, and the answers of its conditions.
pub(super) type Stride = (Move, Vec<u8>);
/// The places of the states that were reached.
pub(super) type Known = BTreeMap<Mark, usize>;

/// Everywhere that one gets from a state.
pub(super) struct Expanded {
    pub edges: Vec<Edge>,
    /// Whether there are more ways than were looked at.
    pub is_cut: bool,
}

/// One move from a state.
pub(super) struct Edge {
    pub by: Stride,
    pub broken: Vec<Broken>,
    /// Where it leads to; nowhere if it was refused.
    pub led: Option<Led>,
}

/// Where a move leads to.
pub(super) enum Led {
    /// Nothing has changed.
    Nowhere,
    Elsewhere {
        mark: Mark,
        /// Why it goes back from here, if it does, and what that rests on.
        went_back: Option<(Ending, Mark)>,
        /// How it has ended, and what that rests on.
        ending: Option<(Ending, Mark)>,
        /// None if the state is known.
        reached: Option<Box<Reached>>,
    },
}

/// A state that was not known.
pub(super) struct Reached {
    pub state: State,
    pub forever: Option<Broken>,
}

/// Every way from a state.
pub(super) fn edges(world: &World, state: &State, known: &Known) -> Expanded {
    let definition = &world.definition;
    let moves = if is_begun(state) { world.moves(state) } else { starts(definition) };
    let from = world.mark(state);
    let mut expanded = Expanded { edges: Vec::new(), is_cut: false };
    for next in moves {
        let (outcomes, is_cut) = world.take(state, &next);
        expanded.is_cut |= is_cut;
        for step in outcomes {
            if is_like_before(&next, &step) && !leaves_assumed_gap(definition, &step) {
                expanded.edges.push(edge(world, state, &from, &next, step, known));
            }
        }
    }
    expanded
}

/// Whether there is a life; before, an event may have come that is kept for its start.
pub(super) fn is_begun(state: &State) -> bool {
    state.instance.as_ref().is_some_and(|instance| instance.newest().is_some())
}

/// Whether an answer that comes again says what it said before.
fn is_like_before(next: &Move, step: &Step) -> bool {
    let differs = |choice: &Choice| choice.is_of_event && choice.taken > 0;
    !matches!(next, Move::Again { .. }) || !step.choices.iter().any(differs)
}

/// Whether no guard of a choice holds although its author says that they leave no gap.
fn leaves_assumed_gap(definition: &Definition, step: &Step) -> bool {
    let life = step.outcome.as_ref().ok().and_then(|taken| taken.state.instance.as_ref()?.newest());
    let Some(life) = life.filter(|life| !life.stuck.is_empty()) else { return false };
    let is_stuck = |name: &Coordinate| {
        life.stuck.iter().any(|stuck| !stuck.undoing && coordinate(definition, stuck) == *name)
    };
    spots(definition, life).iter().any(|spot| {
        let state = spot.state(life);
        let is_total = matches!(definition.step(state.step).composite(),
            Some(Composite::Choose(choose)) if choose.total);
        is_total && state.frames().is_empty() && is_stuck(&spot.name)
    })
}

fn edge(world: &World, state: &State, from: &Mark, next: &Move, step: Step, known: &Known) -> Edge {
    let definition = &world.definition;
    let mut broken = Vec::new();
    judge(definition, state, next, &step, &mut broken);
    if broken.is_empty() {
        broken.extend(unnamed(world, state, next, &step));
    }
    let led = step.outcome.ok().map(|taken| {
        let mark = world.mark(&taken.state);
        if mark == *from {
            return Led::Nowhere;
        }
        let memory = &taken.state.around.memory;
        let went_back = taken.went_back.map(|end| (end, rests_on(definition, state, memory)));
        let is_new = !known.contains_key(&mark);
        let state = taken.state;
        let rests = |end| (end, rests_on(definition, &state, &state.around.memory));
        let ending = ending(definition, &state).map(rests);
        let reached = is_new.then(|| {
            let forever = forever(definition, &state);
            Box::new(Reached { state, forever })
        });
        Led::Elsewhere { mark, went_back, ending, reached }
    });
    Edge { by: (next.clone(), step.script), broken, led }
}

/// A reply that does not say which command it answers must mean the same.
fn unnamed(world: &World, state: &State, next: &Move, named: &Step) -> Option<Broken> {
    let (Move::Reply { asked, address }, Ok(meant)) = (next, &named.outcome) else {
        return None;
    };
    let by = world.definition.rule(address).map(|rule| rule.by);
    if by == Some(Correlation::CommandId) || !named.choices.is_empty() {
        return None;
    }
    let step = world.unnamed(state, next, named.script.clone())?;
    let taken = step.outcome.ok()?;
    if taken.state == meant.state {
        return None;
    }
    // Two undoings of one step are as good as each other.
    let whose = |after: &State| answered(&world.definition, state, after);
    if whose(&taken.state) == whose(&meant.state) {
        return None;
    }
    let step = asked.spot.name.to_string();
    let words = format!(
        "a {} that does not name its command is taken by another step than {step}",
        address.event_type
    );
    Some(Broken::new(Promise::Answered, step, words))
}

/// The steps that have one more answer.
fn answered(definition: &Definition, before: &State, after: &State) -> BTreeSet<Coordinate> {
    let answered = |state: &State| {
        let life = state.instance.as_ref().and_then(Instance::newest);
        let all = life.map(|g| requests(definition, g)).unwrap_or_default();
        let done = all.into_iter().filter(|asked| asked.progress == Progress::Answered);
        done.map(|asked| (asked.spot.name, asked.part)).collect::<BTreeSet<_>>()
    };
    let before = answered(before);
    answered(after).difference(&before).map(|(name, _)| name.clone()).collect()
}

//! Proves a definition: lets the production engine run through everything that can happen.
//!
//! ```text
//!   state ──▶ moves: every answer of every participant, every timer, cancel, person, child, lock
//!     ▲            │
//!     │            ▼
//!   canon ◀── engine::step, once for each answer of the conditions on the way (the oracle)
//!                  │
//!                  └──▶ promises: what must be true of every move and every ending
//! ```
//!
//! Explicit-state search, the nearest states first, as SPIN and TLC do it; the model is the engine
//! itself. States that differ only in which element of a list is which count as one, and branches
//! that share nothing are undone one after the other if there is too much else. Data is not
//! known: a condition may hold or not, but keeps its answer as long as what it reads is the same.
//! Time is not known either: any timer may be the next to strike.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answers;
mod apart;
mod bound;
mod canon;
mod edge;
mod element;
mod explore;
mod input;
mod mark;
mod model;
mod moves;
mod named;
mod oracle;
mod promise;
mod promises;
mod report;
mod settled;
mod spots;
mod story;
mod symmetry;
mod timers;
mod turns;
mod unread;
mod value;
mod world;
mod written;

#[cfg(test)]
mod tests;

pub use bound::Bound;
pub use explore::STATES_MAX;
pub use model::Ending;
pub use promise::{Broken, Promise};
pub use report::{Finding, Report};
pub use written::Written;

use std::thread;

use crate::definition::Definition;
use crate::engine;
use crate::scenario::Scenario;

use apart::Apart;
use explore::Explored;
use world::{Door, World};

/// The most threads that one exploration runs on.
const WORKERS_MAX: usize = 4;

/// The most states that are looked at before any order is spared: so the stories are the shortest,
/// and the engine itself is tried in every order.
const NEARBY_MAX: usize = 12_000;

/// Runs a definition through everything that can happen to one of its instances, at most so many
/// states; `others` are the definitions beside it, for its children.
#[must_use]
pub fn check(definition: &Definition, others: &[&Definition], states_max: usize) -> Report {
    check_behind(Door(engine::step), definition, others, states_max)
}

/// The same with another engine.
fn check_behind(
    door: Door,
    definition: &Definition,
    others: &[&Definition],
    states_max: usize,
) -> Report {
    let (world, explored) = explored(door, definition, others, states_max, NEARBY_MAX);
    Report::new(definition, &world, &explored)
}

/// Does the same, and writes a scenario for every end that it found; `examples` are the scenarios
/// beside the definition, whose bodies it borrows.
#[must_use]
pub fn check_and_write(
    definition: &Definition,
    others: &[&Definition],
    states_max: usize,
    examples: &[Scenario],
) -> (Report, Written) {
    let door = Door(engine::step);
    let (world, explored) = explored(door, definition, others, states_max, NEARBY_MAX);
    let written = written::write(definition, &world, &explored, examples);
    (Report::new(definition, &world, &explored), written)
}

/// Everything that can happen, reduced by what is alike; if that is too much, with branches that
/// share nothing undone one after the other.
fn explored(
    door: Door,
    definition: &Definition,
    others: &[&Definition],
    states_max: usize,
    nearby_max: usize,
) -> (World, Explored) {
    let can_turn = !Apart::of(definition).is_empty();
    let nearby_max = if can_turn { states_max.min(nearby_max) } else { states_max };
    let nearby = alike(definition, worlds(door, definition, others), nearby_max);
    if nearby.1.bound.is_none() || nearby_max == states_max {
        return nearby;
    }
    let in_turns = worlds(door, definition, others).into_iter().map(World::in_turns);
    let turned = alike(definition, in_turns.collect(), states_max);
    if turned.1.broken.iter().any(|(broken, ..)| broken.promise == Promise::Ends) {
        // A branch that stood still might have led to an end.
        return alike(definition, worlds(door, definition, others), states_max);
    }
    turned
}

/// The same in these worlds.
fn alike(definition: &Definition, mut worlds: Vec<World>, states_max: usize) -> (World, Explored) {
    let mut explored = explore::explore(&worlds, states_max);
    let symmetry = &worlds[0].symmetry;
    let is_told = |end| explored.endings.contains_key(&symmetry.twin(definition, end));
    if explored.bound.is_none() && !explored.endings.keys().all(is_told) {
        // An end of one element that none was seen of for the other: this one is looked for.
        worlds = worlds.into_iter().map(World::unreduced).collect();
        explored = explore::explore(&worlds, states_max);
    }
    (worlds.swap_remove(0), explored)
}

/// A world for each worker.
fn worlds(door: Door, definition: &Definition, others: &[&Definition]) -> Vec<World> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
    (0..workers).map(|_| World::new(door, definition, others)).collect()
}

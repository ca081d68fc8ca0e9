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
//! itself. Data is not known: a condition may hold or not, but keeps its answer as long as what it
//! reads is the same. Time is not known either: any timer may be the next to strike.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod canon;
mod explore;
mod model;
mod moves;
mod oracle;
mod promises;
mod report;
mod spots;
mod story;
mod world;
mod written;

#[cfg(test)]
mod tests;

pub use explore::STATES_MAX;
pub use model::Ending;
pub use promises::{Broken, Promise};
pub use report::{Finding, Report};
pub use written::Written;

use crate::definition::Definition;
use crate::scenario::Scenario;

/// Runs a definition through everything that can happen to one of its instances, at most so many
/// states; `others` are the definitions beside it, for its children.
#[must_use]
pub fn check(definition: &Definition, others: &[&Definition], states_max: usize) -> Report {
    let world = world::World::new(definition, others);
    let explored = explore::explore(&world, states_max);
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
    let world = world::World::new(definition, others);
    let explored = explore::explore(&world, states_max);
    let written = written::write(definition, &world, &explored, examples);
    (Report::new(definition, &world, &explored), written)
}

//! Writes a scenario for every way to end, and for every promise that is broken.
//!
//! An exploration knows which answers and timers lead to an end, but neither data nor times. A run
//! of it is followed here by the real engine: bodies come from the scenarios beside the definition
//! or from what its expressions read, and are varied until every condition says what the run wants
//! ([`bodies`]); a timer is waited for, or, if another would come first, the engine stands still.

mod bodies;
mod broken;
mod finish;
mod learn;
mod plan;
mod replay;
mod saying;
mod shape;
mod slots;

use super::explore::{Explored, Way};
use super::model::Ending;
use super::world::World;
use crate::definition::Definition;
use crate::message::Coordinate;
use crate::scenario::{Does, How, Scenario, Stand};
use bodies::Bodies;
use plan::{Goal, Plan};
use replay::Replay;

/// What was written of one definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// A scenario for each end that was reached.
    pub endings: Vec<(Ending, Scenario)>,
    /// The ends that no scenario reaches, and why not.
    pub unreached: Vec<(Ending, String)>,
    /// A scenario that fails for each broken promise, in the order in which they are told; or why
    /// there is none.
    pub broken: Vec<Result<Scenario, String>>,
}

/// Writes what an exploration has found.
pub(super) fn write(
    definition: &Definition,
    world: &World,
    explored: &Explored,
    examples: &[Scenario],
) -> Written {
    let bodies = Bodies::of(definition, examples);
    let replay = Replay { definition, bodies: &bodies };
    let mut written = Written { endings: Vec::new(), unreached: Vec::new(), broken: Vec::new() };
    for (end, ways) in &explored.endings {
        let plan = |(at, last): &Way| {
            let mut run = explored.run(*at);
            run.extend(last.clone());
            Plan::of(world, &run, Goal::End(end.clone()))
        };
        match replay.play(ways.iter().map(plan)) {
            Ok(played) => {
                let name = format!("it can be {end}");
                let scenario = played.scenario(name, file_of(end), vec![Does::End(stand(end))]);
                written.endings.push((end.clone(), scenario));
            }
            Err(why) => written.unreached.push((end.clone(), why)),
        }
    }
    for (number, broken) in (1..).zip(&explored.broken) {
        written.broken.push(broken::scenario(&replay, world, explored, broken, number));
    }
    written
}

/// The end as a scenario says it.
fn stand(end: &Ending) -> Stand {
    use crate::engine::Status;
    match end {
        Ending::Completed => {
            Stand { how: How::Is(Status::Completed), at: None, because: None, undoing: None }
        }
        Ending::Compensated { step, kind } => Stand {
            how: How::Is(Status::Compensated),
            at: step.as_ref().map(Coordinate::to_string),
            because: Some(kind),
            undoing: None,
        },
        Ending::Stuck { step, undoing } => Stand {
            how: How::Is(Status::Stuck),
            at: Some(step.to_string()),
            because: None,
            undoing: Some(*undoing),
        },
    }
}

/// The name of the file for an end.
fn file_of(end: &Ending) -> String {
    named(&end.to_string())
}

/// A file's name of some words.
fn named(words: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let words: String = words.chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    format!("{}.yaml", words.join("-"))
}

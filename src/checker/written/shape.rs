//! Tells whether a real instance stands where the explored one does.

use std::collections::BTreeMap;

use super::super::model::Stands;
use super::super::model::State;
use super::super::spots::{coordinate, spots};
use crate::definition::Definition;
use crate::engine::{Direction, Instance, Life, Phase, Progress};
use crate::message::{Coordinate, StepName};

/// What two instances have in common whose data and times differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    direction: Direction,
    ended: bool,
    pivoted: bool,
    /// Where it is stuck, and whether on an undoing.
    stuck: Vec<(Coordinate, bool)>,
    /// Every step outside of fan-outs, whose branches run side by side in the real engine.
    steps: BTreeMap<StepName, Standing>,
}

#[derive(Debug, Clone, PartialEq)]
struct Standing {
    phase: Phase,
    action: Option<Asked>,
    probe: Option<Asked>,
    undos: Vec<Asked>,
    branches: usize,
}

/// What a request awaits, whatever the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Sent,
    Answered,
    GivenUp,
    Parked,
    Open,
}

impl Shape {
    /// What is not as it was foreseen, in words.
    pub fn unlike(&self, foreseen: &Self) -> String {
        let step = |(name, standing): (&StepName, &Standing)| {
            let other = self.steps.get(name);
            (other != Some(standing)).then(|| {
                let seen = other.map_or_else(|| "not there".to_owned(), |s| format!("{s:?}"));
                format!("{name} is {seen}, and {standing:?} was foreseen")
            })
        };
        if let Some(words) = foreseen.steps.iter().find_map(step) {
            return words;
        }
        if let Some(more) = self.steps.keys().find(|name| !foreseen.steps.contains_key(*name)) {
            return format!("{more} has begun, which was not foreseen");
        }
        let line = |shape: &Self| {
            let Self { direction, ended, pivoted, stuck, .. } = shape;
            format!("{direction:?}, ended {ended}, past its pivot {pivoted}, stuck at {stuck:?}")
        };
        format!("it is {}, and {} was foreseen", line(self), line(foreseen))
    }
}

/// The shape of an explored state; none while it waits for a lock that nobody holds, which the
/// real one has got already.
pub(super) fn foreseen(definition: &Definition, state: &State, held: usize) -> Option<Shape> {
    let waiting = |stands: &Stands| matches!(stands, Stands::Waiting);
    if state.around.partners.values().filter(|p| waiting(&p.stands)).count() > held {
        return None;
    }
    state.instance.as_ref().and_then(Instance::newest).map(|g| shape(definition, g))
}

/// The shape of one life.
pub(super) fn shape(definition: &Definition, life: &Life) -> Shape {
    let stuck = life.stuck.iter().map(|stuck| (coordinate(definition, stuck), stuck.undoing));
    let all = spots(definition, life);
    let steps = all.iter().filter(|spot| spot.name.branch.is_empty()).map(|spot| {
        let state = spot.state(life);
        let asked = |request: &crate::engine::Request| asked(request.progress);
        let standing = Standing {
            phase: state.phase,
            action: state.action().map(asked),
            probe: state.probe().map(asked),
            undos: state.undos.iter().map(asked).collect(),
            branches: state.frames().len(),
        };
        (spot.name.step.clone(), standing)
    });
    Shape {
        direction: life.direction,
        ended: life.ended.is_some(),
        pivoted: life.pivoted,
        stuck: stuck.collect(),
        steps: steps.collect(),
    }
}

fn asked(progress: Progress) -> Asked {
    match progress {
        Progress::Waiting(_) | Progress::Pausing(_) => Asked::Sent,
        Progress::Answered => Asked::Answered,
        Progress::GivenUp => Asked::GivenUp,
        Progress::Parked => Asked::Parked,
        Progress::Open => Asked::Open,
    }
}

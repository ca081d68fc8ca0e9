//! How far each step of a life is.

use std::collections::BTreeMap;

use super::StepReached;
use super::steps::steps;
use crate::definition::Definition;
use crate::engine::{Direction, Life, Phase, Request, StepState, Stuck};
use crate::graph::Mark;

/// The steps that a life has reached, each once, however many branches it runs in.
pub(super) fn reached(definition: Option<&Definition>, life: &Life) -> Vec<StepReached> {
    let Some(definition) = definition else { return Vec::new() };
    let mut marks: BTreeMap<&str, Mark> = BTreeMap::new();
    for (branch, state) in steps(&life.frame) {
        let is_at = |stuck: &Stuck| stuck.step == state.step && stuck.branch == branch;
        let mark = if life.stuck.iter().any(is_at) { Mark::Stuck } else { mark(state) };
        let Some(step) = definition.steps.get(state.step.0 as usize) else { continue };
        let known = marks.entry(step.name.as_str()).or_insert(mark);
        *known = mark.max(*known);
    }
    let told = |(step, mark): (&str, Mark)| StepReached {
        step: step.to_owned(),
        mark: mark.text().to_owned(),
    };
    marks.into_iter().map(told).collect()
}

fn mark(state: &StepState) -> Mark {
    if state.is_being_undone() {
        return Mark::Owed;
    }
    let frames = state.frames();
    let is_back = !frames.is_empty() && frames.iter().all(|f| f.direction == Direction::Back);
    let is_undone = !state.undos.is_empty() && !state.undos.iter().any(Request::lacks_answer);
    match state.phase {
        Phase::Running => Mark::UnderWay,
        Phase::Rejected => Mark::Failed,
        Phase::Skipped => Mark::LeftOut,
        Phase::Succeeded | Phase::Unknown if is_undone || is_back => Mark::Undone,
        Phase::Succeeded => Mark::Done,
        Phase::Unknown => Mark::GivenUp,
    }
}

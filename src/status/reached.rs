//! How far each step of a life is.

use std::collections::BTreeMap;

use super::StepReached;
use crate::definition::Definition;
use crate::engine::{Direction, Frame, Life, Phase, Request, StepState, Stuck};
use crate::graph::Mark;

/// The steps that a life has reached, each once, however many branches it runs in.
pub(super) fn reached(definition: Option<&Definition>, life: &Life) -> Vec<StepReached> {
    let Some(definition) = definition else { return Vec::new() };
    let (branch, marks) = (Vec::new(), BTreeMap::new());
    let mut found = Found { definition, stuck: &life.stuck, branch, marks };
    found.list(&life.frame);
    let told = |(step, mark): (&str, Mark)| StepReached {
        step: step.to_owned(),
        mark: mark.text().to_owned(),
    };
    found.marks.into_iter().map(told).collect()
}

struct Found<'l> {
    definition: &'l Definition,
    stuck: &'l [Stuck],
    /// Which branch of every fan-out around the list that is looked at.
    branch: Vec<u32>,
    marks: BTreeMap<&'l str, Mark>,
}

impl Found<'_> {
    fn list(&mut self, frame: &Frame) {
        let is_fan_out = frame.item.is_some();
        if is_fan_out {
            self.branch.push(frame.index);
        }
        for state in &frame.steps {
            self.step(state);
            for inner in state.frames() {
                self.list(inner);
            }
        }
        if is_fan_out {
            self.branch.pop();
        }
    }

    fn step(&mut self, state: &StepState) {
        let is_at = |stuck: &Stuck| stuck.step == state.step && stuck.branch == self.branch;
        let mark = if self.stuck.iter().any(is_at) { Mark::Stuck } else { mark(state) };
        let definition = self.definition;
        let Some(step) = definition.steps.get(state.step.0 as usize) else { return };
        let known = self.marks.entry(step.name.as_str()).or_insert(mark);
        *known = mark.max(*known);
    }
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

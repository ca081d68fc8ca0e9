//! One branch for each element of a list.

use serde_json::{Map, Value};

use super::branches;
use super::handler::{Branches, Handler};
use crate::definition::{EachStep, Step, Verdict};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, Frame, StepState};
use crate::message::Span;

impl Handler for EachStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let bound = turn.bound(line);
        let list =
            self.items.evaluate(&bound.scope()).map_err(|e| format!("`each` has no value: {e}"))?;
        drop(bound);
        let items = match list {
            Value::Array(items) if items.len() <= self.at_most as usize => items,
            Value::Array(items) => {
                let (length, most) = (items.len(), self.at_most);
                let reason = format!("the list has {length} elements, at most {most}");
                return Ok(rejected(turn, line, step, self, reason));
            }
            other => {
                let instead = turn.instead(&self.items, &other);
                let reason = format!("`each: {}` is no list{instead}", self.items);
                return Ok(rejected(turn, line, step, self, reason));
            }
        };
        turn.room_for(&items, self.block)?;
        if items.is_empty() {
            let written = collected(turn, line, step, self, &[])?;
            turn.push_running(line, step);
            return Ok(Outcome::Succeeded(written));
        }
        let mut frames = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let branch = Frame::branch(self.block, index);
            frames.push(Frame { item: Some(Box::new(item)), ..branch });
        }
        Ok(branches::open(turn, line, step, frames, self.within))
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        branches::time_is_up(turn, place, &self.failed, self.within)
    }

    fn limits(&self) -> Option<(&Verdict, Option<Span>)> {
        Some((&self.failed, self.within))
    }

    fn branches(&self) -> Option<&dyn Branches> {
        Some(self)
    }
}

impl Branches for EachStep {
    fn at_once(&self) -> usize {
        self.at_once as usize
    }

    fn are_ready(&self, state: &StepState) -> bool {
        state.frames().iter().all(|f| f.over)
    }

    /// All branches are done or have dropped out: those that are done leave what is collected.
    fn join(&self, turn: &mut Turn<'_>, place: &Place, step: &Step) -> Outcome {
        let mut done = Vec::new();
        for (branch, frame) in turn.at(place).frames().iter().enumerate() {
            if frame.is_done() {
                done.push(place.branch(branch));
            }
        }
        match collected(turn, &place.line, step, self, &done) {
            Ok(written) => Outcome::Succeeded(written),
            Err(reason) => Outcome::Parked(reason),
        }
    }
}

/// A list that cannot be gone through: nothing has been sent.
fn rejected(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    each: &EachStep,
    reason: String,
) -> Outcome {
    let place = turn.push_running(line, step);
    let failure =
        Failure { step: Some(turn.name(line, step)), kind: FailureKind::Rejected, reason };
    turn.refused(&place, &each.failed, failure, None)
}

/// What is collected from these branches, and what the step itself sets.
fn collected(
    turn: &Turn<'_>,
    line: &Line,
    step: &Step,
    each: &EachStep,
    done: &[Line],
) -> Result<Map<String, Value>, String> {
    let mut written = Map::new();
    let mut outer = turn.bound(line);
    for assignment in &each.collect {
        let values: Result<Vec<Value>, _> = done
            .iter()
            .map(|branch| assignment.value.evaluate(&turn.bound(branch).scope()))
            .collect();
        let list = Value::Array(
            values.map_err(|e| format!("`collect: {}` has no value: {e}", assignment.field))?,
        );
        outer.set(&assignment.field, list.clone());
        written.insert(assignment.field.clone(), list);
    }
    for assignment in &step.set {
        let value = assignment
            .value
            .evaluate(&outer.scope())
            .map_err(|e| format!("`set: {}` has no value: {e}", assignment.field))?;
        outer.set(&assignment.field, value.clone());
        written.insert(assignment.field.clone(), value);
    }
    turn.fits(line, &written)?;
    Ok(written)
}

//! One branch for each element of a list.

use serde_json::{Map, Value};

use crate::definition::{EachStep, Step};
use crate::engine::course::forward;
use crate::engine::course::join;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, Frame};

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    each: &EachStep,
) -> Result<(), String> {
    let bound = turn.bound(line);
    let list =
        each.items.evaluate(&bound.scope()).map_err(|e| format!("`each` has no value: {e}"))?;
    drop(bound);
    let Value::Array(items) = list else {
        return Err(format!("`each: {}` is no list", each.items));
    };
    if items.len() > each.at_most as usize {
        let reason = format!("the list has {} elements, at most {}", items.len(), each.at_most);
        let place = turn.push_running(line, step);
        let step = turn.name(line, step).to_string();
        let failure = Failure { step, kind: FailureKind::Rejected, reason };
        forward::refuse(turn, &place, &each.failed, failure, None);
        return Ok(());
    }
    turn.room_for(&items, each.block)?;
    if items.is_empty() {
        let written = collected(turn, line, step, each, &[])?;
        let place = turn.push_running(line, step);
        forward::succeed(turn, &place, written);
        return Ok(());
    }
    let branches = items.into_iter().enumerate();
    let branch =
        |(index, item)| Frame { item: Some(Box::new(item)), ..Frame::branch(each.block, index) };
    join::open(turn, line, step, branches.map(branch).collect(), each.within);
    Ok(())
}

/// All branches are done or have dropped out: those that are done leave what is collected.
pub(in crate::engine) fn join(turn: &mut Turn<'_>, place: &Place, step: &Step, each: &EachStep) {
    let frames = &turn.at(place).frames;
    let done: Vec<usize> = (0..frames.len()).filter(|i| frames[*i].is_done()).collect();
    let done: Vec<Line> = done.into_iter().map(|branch| place.branch(branch)).collect();
    match collected(turn, &place.line, step, each, &done) {
        Ok(written) => forward::succeed(turn, place, written),
        Err(reason) => turn.park(place, false, &reason),
    }
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

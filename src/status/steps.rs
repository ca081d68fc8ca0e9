//! Every step of a life, with where it stands.

use crate::engine::{Frame, StepState};

/// The steps of a list and of all lists inside of it, in their order, each with its branch of every
/// fan-out around it.
pub(super) fn steps(frame: &Frame) -> Vec<(Vec<u32>, &StepState)> {
    let mut found = Vec::new();
    gather(frame, &mut Vec::new(), &mut found);
    found
}

fn gather<'f>(frame: &'f Frame, branch: &mut Vec<u32>, found: &mut Vec<(Vec<u32>, &'f StepState)>) {
    let is_fan_out = frame.item.is_some();
    if is_fan_out {
        branch.push(frame.index);
    }
    for state in &frame.steps {
        found.push((branch.clone(), state));
        for inner in state.frames() {
            gather(inner, branch, found);
        }
    }
    if is_fan_out {
        branch.pop();
    }
}

//! Finds the steps of an instance, at any depth.

use crate::definition::{Definition, Step};
use crate::engine::{Frame, Generation, Progress, Request, StepState, Stuck};
use crate::message::{CommandId, Coordinate, InstanceId, Part, Subject};

/// A step that was entered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spot {
    path: Vec<(usize, usize)>,
    at: usize,
    /// Its coordinate.
    pub name: Coordinate,
}

/// One request of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub spot: Spot,
    pub part: Part,
    pub progress: Progress,
    pub attempts: u32,
}

impl Spot {
    pub fn state<'g>(&self, generation: &'g Generation) -> &'g StepState {
        let inner =
            |frame: &'g Frame, (at, branch): &(usize, usize)| &frame.steps[*at].frames()[*branch];
        &self.path.iter().fold(&generation.frame, inner).steps[self.at]
    }

    pub fn state_mut<'g>(&self, generation: &'g mut Generation) -> &'g mut StepState {
        let mut frame = &mut generation.frame;
        for (at, branch) in &self.path {
            frame = &mut frame.steps[*at].frames_mut()[*branch];
        }
        &mut frame.steps[self.at]
    }

    /// Whether two steps stand in the same list.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.path == other.path
    }

    /// Whether it is on its way back, by itself or with the saga.
    pub fn frame<'g>(&self, generation: &'g Generation) -> &'g Frame {
        self.path
            .iter()
            .fold(&generation.frame, |frame, (at, branch)| &frame.steps[*at].frames()[*branch])
    }
}

impl Asked {
    /// The id of its first attempt.
    pub fn id(&self, instance: &InstanceId, generation: &Generation) -> CommandId {
        CommandId {
            instance: instance.clone(),
            generation: generation.life,
            subject: Subject::Step(self.spot.name.clone()),
            part: self.part,
            attempt: self.attempts.max(1),
        }
    }

    /// Whether it is answered by now.
    pub fn is_answered(&self, generation: &Generation) -> bool {
        let request = self.spot.state(generation).request(self.part);
        request.is_some_and(|request| request.progress == Progress::Answered)
    }

    pub fn request_mut<'g>(&self, generation: &'g mut Generation) -> Option<&'g mut Request> {
        self.spot.state_mut(generation).request_mut(self.part)
    }
}

/// Every step that was entered, outer ones first.
pub(super) fn spots(definition: &Definition, generation: &Generation) -> Vec<Spot> {
    let mut found = Vec::new();
    collect(definition, &generation.frame, &mut Vec::new(), &[], &mut found);
    found
}

fn collect(
    definition: &Definition,
    frame: &Frame,
    path: &mut Vec<(usize, usize)>,
    branch: &[u32],
    found: &mut Vec<Spot>,
) {
    for (at, state) in frame.steps.iter().enumerate() {
        let step = definition.step(state.step).name.clone();
        let name = Coordinate { step, branch: branch.to_vec() };
        found.push(Spot { path: path.clone(), at, name });
        for (place, inner) in state.frames().iter().enumerate() {
            path.push((at, place));
            let mut branch = branch.to_vec();
            branch.extend(inner.item.as_ref().map(|_| inner.index));
            collect(definition, inner, path, &branch, found);
            path.pop();
        }
    }
}

/// Every request that was sent.
pub(super) fn requests(definition: &Definition, generation: &Generation) -> Vec<Asked> {
    let mut found = Vec::new();
    for spot in spots(definition, generation) {
        for (part, request) in spot.state(generation).requests() {
            if request.attempts > 0 {
                let (progress, attempts) = (request.progress, request.attempts);
                found.push(Asked { spot: spot.clone(), part, progress, attempts });
            }
        }
    }
    found
}

/// The definition of a step.
pub(super) fn step<'d>(
    definition: &'d Definition,
    generation: &Generation,
    spot: &Spot,
) -> &'d Step {
    definition.step(spot.state(generation).step)
}

/// The step that is stuck.
pub(super) fn coordinate(definition: &Definition, stuck: &Stuck) -> Coordinate {
    let step = definition.step(stuck.step).name.clone();
    Coordinate { step, branch: stuck.branch.clone() }
}

//! Finds the steps of an instance, at any depth.

use crate::definition::{Definition, Step, StepId};
use crate::engine::{Direction, Frame, Life, Progress, Request, StepState, Stuck};
use crate::message::{CommandId, Coordinate, InstanceId, Part, Subject};

/// A step that was entered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spot {
    path: Vec<(usize, usize)>,
    at: usize,
    /// Its coordinate.
    pub name: Coordinate,
}

/// A branch, by the composite steps around it and which of their branches it is in.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Branch(Vec<(usize, usize)>);

impl Branch {
    /// Every branch of the steps of its list.
    pub fn branches<'g>(&self, list: &'g Frame) -> impl Iterator<Item = (Self, &'g Frame, StepId)> {
        list.steps.iter().enumerate().flat_map(move |(at, state)| {
            state.frames().iter().enumerate().map(move |(branch, inner)| {
                let path = self.0.iter().copied().chain([(at, branch)]).collect();
                (Self(path), inner, state.step)
            })
        })
    }
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
    pub fn state<'g>(&self, life: &'g Life) -> &'g StepState {
        let inner =
            |frame: &'g Frame, (at, branch): &(usize, usize)| &frame.steps[*at].frames()[*branch];
        &self.path.iter().fold(&life.frame, inner).steps[self.at]
    }

    pub fn state_mut<'g>(&self, life: &'g mut Life) -> &'g mut StepState {
        let mut frame = &mut life.frame;
        for (at, branch) in &self.path {
            frame = &mut frame.steps[*at].frames_mut()[*branch];
        }
        &mut frame.steps[self.at]
    }

    /// Whether it stands in a branch, however far in.
    pub fn is_inside(&self, branch: &Branch) -> bool {
        self.path.starts_with(&branch.0)
    }

    /// Whether the lists around it have gone on without it, or are undone.
    pub fn is_behind(&self, life: &Life) -> bool {
        let mut frame = &life.frame;
        self.path.iter().all(|(at, branch)| {
            frame = &frame.steps[*at].frames()[*branch];
            frame.direction == Direction::Forward || frame.over
        })
    }

    /// Whether two steps stand in the same list.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.path == other.path
    }

    /// Whether a list around it, however far out, has turned back by itself.
    pub fn is_left_behind(&self, life: &Life) -> bool {
        let mut frame = &life.frame;
        self.path.iter().any(|(at, branch)| {
            frame = &frame.steps[*at].frames()[*branch];
            frame.direction == Direction::Back
        })
    }
}

impl Asked {
    /// The id of its first attempt.
    pub fn id(&self, instance: &InstanceId, life: &Life) -> CommandId {
        CommandId {
            instance: instance.clone(),
            life: life.id,
            subject: Subject::Step(self.spot.name.clone()),
            part: self.part,
            attempt: self.attempts.max(1),
        }
    }

    /// Whether it is answered by now.
    pub fn is_answered(&self, life: &Life) -> bool {
        let request = self.spot.state(life).request(self.part);
        request.is_some_and(|request| request.progress == Progress::Answered)
    }

    pub fn request_mut<'g>(&self, life: &'g mut Life) -> Option<&'g mut Request> {
        self.spot.state_mut(life).request_mut(self.part)
    }
}

/// Every step that was entered, outer ones first.
pub(super) fn spots(definition: &Definition, life: &Life) -> Vec<Spot> {
    let mut found = Vec::new();
    collect(definition, &life.frame, &mut Vec::new(), &[], &mut found);
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
pub(super) fn requests(definition: &Definition, life: &Life) -> Vec<Asked> {
    let mut found = Vec::new();
    for spot in spots(definition, life) {
        for (part, request) in spot.state(life).requests() {
            if request.attempts > 0 {
                let (progress, attempts) = (request.progress, request.attempts);
                found.push(Asked { spot: spot.clone(), part, progress, attempts });
            }
        }
    }
    found
}

/// The definition of a step.
pub(super) fn step<'d>(definition: &'d Definition, life: &Life, spot: &Spot) -> &'d Step {
    definition.step(spot.state(life).step)
}

/// The step that is stuck.
pub(super) fn coordinate(definition: &Definition, stuck: &Stuck) -> Coordinate {
    let step = definition.step(stuck.step).name.clone();
    Coordinate { step, branch: stuck.branch.clone() }
}

/// Whether anything in a list has a time at which it goes on, or is asked for.
pub(super) fn waits(frame: &Frame) -> bool {
    let timed =
        |request: &Request| matches!(request.progress, Progress::Waiting(_) | Progress::Pausing(_));
    frame.steps.iter().any(|state| {
        state.until.is_some()
            || state.requests().any(|(_, request)| timed(request))
            || state.frames().iter().any(waits)
    })
}

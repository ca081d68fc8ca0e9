//! Where a step stands in an instance: its path from the main line inwards.

use super::{Frame, StepState};
use crate::definition::{BlockId, Definition, StepId, StepKind};
use crate::message::{Coordinate, StepName};

/// A list of steps under way: step and branch, step and branch, from the main line inwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct Line(Vec<(usize, usize)>);

/// A step that was entered: its list, and its place among the steps that were entered there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Place {
    pub line: Line,
    pub at: usize,
}

impl Line {
    pub fn main() -> Self {
        Self(Vec::new())
    }

    pub fn is_main(&self) -> bool {
        self.0.is_empty()
    }

    /// The branch `branch` of the step at `at`.
    pub fn inner(&self, at: usize, branch: usize) -> Self {
        let mut path = self.0.clone();
        path.push((at, branch));
        Self(path)
    }

    /// The composite step that this is a branch of; none for the main line.
    pub fn owner(&self) -> Option<Place> {
        let (last, outer) = self.0.split_last()?;
        Some(Place { line: Self(outer.to_vec()), at: last.0 })
    }

    /// This list and those around it, the innermost first.
    pub fn outwards(&self) -> impl Iterator<Item = Self> + '_ {
        (0..=self.0.len()).rev().map(|length| Self(self.0[..length].to_vec()))
    }

    pub fn is_inside(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    pub fn frame<'f>(&self, main: &'f Frame) -> &'f Frame {
        self.0.iter().fold(main, |frame, (at, branch)| &frame.steps[*at].frames()[*branch])
    }

    pub fn frame_mut<'f>(&self, main: &'f mut Frame) -> &'f mut Frame {
        self.0.iter().fold(main, |frame, (at, branch)| &mut frame.steps[*at].frames_mut()[*branch])
    }

    /// The frames on the way inwards, without the main line.
    pub fn branches<'f>(&self, main: &'f Frame) -> impl Iterator<Item = &'f Frame> {
        self.0.iter().scan(main, |frame, (at, branch)| {
            *frame = &frame.steps[*at].frames()[*branch];
            Some(*frame)
        })
    }

    /// The composite steps on the way inwards.
    pub fn owners<'f>(&self, main: &'f Frame) -> impl Iterator<Item = &'f StepState> {
        self.0.iter().scan(main, |frame, (at, branch)| {
            let owner = &frame.steps[*at];
            *frame = &owner.frames()[*branch];
            Some(owner)
        })
    }

    /// Which branch of every fan-out around it, from the outside in.
    pub fn coordinates(&self, main: &Frame) -> Vec<u32> {
        self.branches(main).filter(|f| f.item.is_some()).map(|f| f.index).collect()
    }

    /// The coordinate of a step of this list.
    pub fn coordinate(&self, main: &Frame, step: &StepName) -> Coordinate {
        Coordinate { step: step.clone(), branch: self.coordinates(main) }
    }
}

impl Place {
    pub fn state<'f>(&self, main: &'f Frame) -> &'f StepState {
        &self.line.frame(main).steps[self.at]
    }

    pub fn state_mut<'f>(&self, main: &'f mut Frame) -> &'f mut StepState {
        &mut self.line.frame_mut(main).steps[self.at]
    }

    /// One of its branches.
    pub fn branch(&self, branch: usize) -> Line {
        self.line.inner(self.at, branch)
    }

    /// Where a step stands, if it was entered.
    pub fn of(
        definition: &Definition,
        main: &Frame,
        step: StepId,
        coordinates: &[u32],
    ) -> Option<Self> {
        let mut rest = coordinates;
        let line = line_of(definition, main, definition.step(step).block, &mut rest)?;
        if !rest.is_empty() {
            return None;
        }
        let at = line.frame(main).steps.iter().position(|s| s.step == step)?;
        Some(Self { line, at })
    }

    /// Where the step of a coordinate stands, if it was entered.
    pub fn named(definition: &Definition, main: &Frame, named: &Coordinate) -> Option<Self> {
        let step = definition.steps.iter().find(|step| step.name == named.step)?;
        Self::of(definition, main, step.id, &named.branch)
    }
}

/// The list of steps that a block is at these coordinates, as far as it was begun.
fn line_of(
    definition: &Definition,
    main: &Frame,
    block: BlockId,
    coordinates: &mut &[u32],
) -> Option<Line> {
    let Some(owner) = definition.block(block).owner else {
        return Some(Line::main());
    };
    let owner = definition.step(owner);
    let outer = line_of(definition, main, owner.block, coordinates)?;
    let steps = &outer.frame(main).steps;
    let at = steps.iter().position(|s| s.step == owner.id)?;
    let branches = steps[at].frames();
    let branch = if let StepKind::Each(_) = owner.kind {
        let (index, rest) = coordinates.split_first()?;
        *coordinates = rest;
        branches.iter().position(|f| f.index == *index)?
    } else {
        branches.iter().position(|f| f.block == block)?
    };
    Some(outer.inner(at, branch))
}

/// Looks at every step that was entered, outer ones first, until `see` finds what it looks for.
pub(in crate::engine) fn walk<'f, T>(
    main: &'f Frame,
    mut see: impl FnMut(&Line, usize, &'f StepState) -> Option<T>,
) -> Option<T> {
    walk_frame(main, &Line::main(), &mut see)
}

fn walk_frame<'f, T>(
    frame: &'f Frame,
    line: &Line,
    see: &mut impl FnMut(&Line, usize, &'f StepState) -> Option<T>,
) -> Option<T> {
    for (at, state) in frame.steps.iter().enumerate() {
        if let Some(found) = see(line, at, state) {
            return Some(found);
        }
        for (branch, inner) in state.frames().iter().enumerate() {
            if let Some(found) = walk_frame(inner, &line.inner(at, branch), see) {
                return Some(found);
            }
        }
    }
    None
}

/// Every place whose step is as asked for, outer ones first.
pub(in crate::engine) fn places(main: &Frame, is_one: impl Fn(&StepState) -> bool) -> Vec<Place> {
    let mut found = Vec::new();
    walk(main, |line, at, state| {
        if is_one(state) {
            found.push(Place { line: line.clone(), at });
        }
        None::<()>
    });
    found
}

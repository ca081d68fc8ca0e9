//! Where a step stands, read off its coordinate.

use crate::definition::{BlockId, Definition, StepId, StepKind};

/// A list of steps in which an instance was: the main line, or a branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub block: BlockId,
    /// Which branch of every fan-out around it, from the outside in.
    pub branch: Vec<u32>,
}

/// A step and which branch of every fan-out around it, from the outside in.
pub(super) type Point = (StepId, Vec<u32>);

/// A step of an instance: the lists around it, from the main line inwards, with its place in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub step: StepId,
    path: Vec<(Line, usize)>,
}

impl Spot {
    /// None if a step has another number of fan-outs around it.
    pub fn of(definition: &Definition, step: StepId, coordinates: &[u32]) -> Option<Self> {
        let mut outwards = Vec::new();
        let mut inner = Some(step);
        while let Some(id) = inner {
            let block = definition.step(id).block;
            let at = definition.block(block).steps.iter().position(|s| *s == id)?;
            outwards.push((block, at));
            inner = definition.block(block).owner;
        }
        let (mut path, mut depth) = (Vec::with_capacity(outwards.len()), 0);
        for (block, at) in outwards.into_iter().rev() {
            let owner = definition.block(block).owner.map(|owner| &definition.step(owner).kind);
            depth += usize::from(matches!(owner, Some(StepKind::Each(_))));
            let branch = coordinates.get(..depth)?.to_vec();
            path.push((Line { block, branch }, at));
        }
        (depth == coordinates.len()).then_some(Self { step, path })
    }

    pub fn branch(&self) -> &[u32] {
        self.path.last().map_or(&[], |(line, _)| &line.branch)
    }

    pub fn point(&self) -> Point {
        (self.step, self.branch().to_vec())
    }

    /// The lists around it, from the main line inwards.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> + ExactSizeIterator {
        self.path.iter().map(|(line, _)| line)
    }

    /// The composite steps around it, from the outside in: each stands in the list of its number.
    pub fn owners(&self, definition: &Definition) -> Vec<Point> {
        let outer = self.path.iter().take(self.path.len().saturating_sub(1));
        let step = |line: &Line, at: usize| definition.block(line.block).steps[at];
        outer.map(|(line, at)| (step(line, *at), line.branch.clone())).collect()
    }

    /// The lock around it, if there is one.
    pub fn lock(&self, definition: &Definition) -> Option<Point> {
        let owners = self.owners(definition).into_iter();
        owners.rev().find(|(id, _)| matches!(definition.step(*id).kind, StepKind::Lock(_)))
    }

    /// Whether it begins only when another one, or what that stands in, is over: the number of the
    /// list, from the main line inwards, in which it comes later.
    pub fn follows(&self, other: &Self) -> Option<usize> {
        for (depth, (mine, theirs)) in self.path.iter().zip(&other.path).enumerate() {
            if mine.0 != theirs.0 {
                return None;
            }
            if mine.1 != theirs.1 {
                return (mine.1 > theirs.1).then_some(depth);
            }
        }
        None
    }
}

/// The name and the numbers of a coordinate such as `reserve[2]`.
pub(super) fn coordinate(text: &str) -> Option<(&str, Vec<u32>)> {
    let Some(open) = text.find('[') else {
        return Some((text, Vec::new()));
    };
    let inside = text[open..].strip_prefix('[')?.strip_suffix(']')?;
    let numbers = inside.split("][").map(|n| n.parse().ok()).collect::<Option<_>>()?;
    Some((&text[..open], numbers))
}

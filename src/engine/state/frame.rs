use serde_json::{Map, Value};

use super::{Direction, Failure, StepState};
use crate::definition::BlockId;

/// A list of steps under way: the main line, or one branch of a composite step.
///
/// Many instances are in memory at once, so what few of them have is boxed.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub struct Frame {
    /// Which list of the definition.
    pub block: BlockId,
    /// The next step's place in that list.
    pub position: u32,
    /// The steps that were entered, in their order.
    pub steps: Vec<StepState>,
    /// Which way a branch goes; the main line goes the life's way.
    pub direction: Direction,
    /// Whether a branch is over: done on its way forward, undone on its way back.
    pub over: bool,
    /// A branch's place among those of its step.
    pub index: u32,
    /// The element of the list that a fan-out's branch is for.
    pub item: Option<Box<Value>>,
    /// A branch's own fields: what a fan-out's branch reads as `branch`; what a branch of a race
    /// has set, which is in the data once it has won.
    pub fields: Map<String, Value>,
    /// Why a branch went back on its own.
    pub failure: Option<Box<Failure>>,
}

impl Frame {
    /// A branch that has not begun.
    pub(in crate::engine) fn branch(block: BlockId, index: usize) -> Self {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Self { block, index, ..Self::default() }
    }

    /// Whether a branch is done.
    pub(in crate::engine) fn is_done(&self) -> bool {
        self.over && self.direction == Direction::Forward
    }

    /// Whether something in it is being undone.
    pub(in crate::engine) fn owes(&self) -> bool {
        self.steps.iter().any(|s| s.is_being_undone() || s.frames().iter().any(Self::owes))
    }
}

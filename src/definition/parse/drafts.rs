use std::collections::BTreeMap;

use crate::definition::{Block, BlockId, Step, StepId};

use super::position::Position;

/// The steps and blocks of a file as far as they are read.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    /// The steps, by their ids; none for one that cannot be read.
    steps: Vec<Option<Step>>,
    blocks: Vec<Block>,
    /// Where each block's end stands; none if nothing comes out of it.
    ends: Vec<Option<Position>>,
    /// The blocks that are being read, the innermost last.
    open: Vec<BlockId>,
    /// The names of steps and the lines where they stand.
    pub names: BTreeMap<String, u32>,
}

impl Drafts {
    /// How many steps were begun.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Begins a step: ids are given in the order of the file.
    pub fn begin(&mut self) -> StepId {
        self.steps.push(None);
        StepId(u32::try_from(self.steps.len() - 1).expect("STEPS_MAX is small"))
    }

    /// Ends a step.
    pub fn end(&mut self, step: Step) {
        let place = step.id.0 as usize;
        self.steps[place] = Some(step);
    }

    /// Begins a block.
    pub fn begin_block(&mut self, owner: Option<StepId>, name: String) -> BlockId {
        self.blocks.push(Block { steps: Vec::new(), owner, name });
        self.ends.push(None);
        let block = BlockId(u32::try_from(self.blocks.len() - 1).expect("a file has few blocks"));
        self.open.push(block);
        block
    }

    /// The block that is being read.
    pub fn last_open(&self) -> BlockId {
        *self.open.last().expect("a step stands in a block")
    }

    /// Ends a block.
    pub fn end_block(&mut self, block: BlockId, steps: Vec<StepId>, end: Option<Position>) {
        self.blocks[block.0 as usize].steps = steps;
        self.ends[block.0 as usize] = end;
        self.open.pop();
    }

    /// Where a block's end stands; none if nothing comes out of it.
    pub fn end_of(&self, block: BlockId) -> Option<Position> {
        self.ends[block.0 as usize]
    }

    /// Every step and block, if each step could be read.
    pub fn finish(&mut self) -> Option<(Vec<Step>, Vec<Block>)> {
        let steps = std::mem::take(&mut self.steps).into_iter().collect::<Option<Vec<_>>>()?;
        Some((steps, std::mem::take(&mut self.blocks)))
    }
}

use super::Composite;
use crate::definition::{BlockId, Definition, Step, StepId, StepKind};

/// The composite steps around a list of steps, the innermost first.
#[derive(Debug, Clone)]
pub struct Around<'d> {
    definition: &'d Definition,
    block: BlockId,
}

impl Definition {
    /// The composite steps around a step, the innermost first.
    #[must_use]
    pub fn around(&self, step: StepId) -> Around<'_> {
        Around { definition: self, block: self.step(step).block }
    }

    /// The innermost fan-out around a step.
    #[must_use]
    pub fn fan_out_around(&self, step: StepId) -> Option<&Step> {
        self.around(step).find(|owner| matches!(owner.kind, StepKind::Each(_)))
    }
}

impl<'d> Iterator for Around<'d> {
    type Item = &'d Step;

    fn next(&mut self) -> Option<&'d Step> {
        let owner = self.definition.step(self.definition.block(self.block).owner?);
        self.block = owner.block;
        Some(owner)
    }
}

impl Step {
    /// The lists of steps in it: the branches of a composite step.
    #[must_use]
    pub fn blocks(&self) -> Vec<BlockId> {
        match self.composite() {
            Some(Composite::Parallel(parallel)) => parallel.branches.clone(),
            Some(Composite::Each(each)) => vec![each.block],
            Some(Composite::Choose(choose)) => choose.arms.iter().map(|arm| arm.block).collect(),
            Some(Composite::Lock(lock)) => vec![lock.block],
            None => Vec::new(),
        }
    }
}

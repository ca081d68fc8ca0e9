use std::ops::Range;

use super::outcome::{self, Fields};
use crate::definition::diagnostic::{Code, Severity};
use crate::definition::finding::Finding;
use crate::definition::places::{Keys, Places};
use crate::definition::secrets::Secrets;
use crate::definition::{Composite, Definition, Join, Step, StepId, StepKind};
use crate::expression::Expression;

/// A definition with the places of its parts, and what the rules found in it.
pub(super) struct Whole<'d> {
    pub definition: &'d Definition,
    pub places: &'d Places,
    pub found: Vec<Finding>,
    /// Fields that are set from sensitive ones, and from which.
    pub secrets: Secrets,
    fills: Vec<Fields>,
    undo_fills: Vec<Fields>,
    each: Vec<Option<StepId>>,
}

/// How two steps lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The first is over, or skipped, before the second begins.
    Before,
    /// They may run at the same time.
    Beside(Join),
    /// At most one of them runs.
    Apart,
    /// One is part of the other, or they are the same.
    Within,
}

impl<'d> Whole<'d> {
    pub fn new(definition: &'d Definition, places: &'d Places) -> Self {
        let fills = definition.steps.iter().map(outcome::fills).collect();
        let undo_fills = definition.steps.iter().map(outcome::undo_fills).collect();
        let each = |step: &Step| definition.fan_out_around(step.id).map(|each| each.id);
        let each = definition.steps.iter().map(each).collect();
        let (found, secrets) = (Vec::new(), Secrets::default());
        Self { definition, places, found, secrets, fills, undo_fills, each }
    }

    /// All that a step itself may fill on the way forward.
    pub fn fills(&self, step: StepId) -> &Fields {
        &self.fills[step.0 as usize]
    }

    /// All that undoing a step may fill.
    pub fn undo_fills(&self, step: StepId) -> &Fields {
        &self.undo_fills[step.0 as usize]
    }

    pub fn error(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (message, help) = (message.into(), help.into());
        self.found.push(Finding { code, severity: Severity::Error, span, message, help });
    }

    pub fn warn(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (message, help) = (message.into(), help.into());
        self.found.push(Finding { code, severity: Severity::Warning, span, message, help });
    }

    /// The line of a place in the file, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.definition.source[..at].matches('\n').count() + 1
    }

    pub fn steps(&self) -> impl Iterator<Item = &'d Step> + use<'d> {
        self.definition.steps.iter()
    }

    pub fn keys(&self, step: StepId) -> &'d Keys {
        &self.places.steps[step.0 as usize]
    }

    /// The composite steps around a step, the innermost first.
    pub fn around(&self, step: StepId) -> Vec<&'d Step> {
        self.definition.around(step).collect()
    }

    /// The step of the main line that a step is part of.
    pub fn outermost(&self, step: StepId) -> &'d Step {
        self.around(step).last().copied().unwrap_or_else(|| self.definition.step(step))
    }

    /// The innermost `each` around a step.
    pub fn each(&self, step: StepId) -> Option<StepId> {
        self.each[step.0 as usize]
    }

    /// The guards that were asked when a step runs: its own, its branches', and those around it.
    pub fn guards(&self, step: StepId) -> Vec<&'d Expression> {
        let mut found = Vec::new();
        let mut inner = self.definition.step(step);
        found.extend(inner.when.as_ref());
        for owner in self.around(step) {
            if let StepKind::Choose(choose) = &owner.kind {
                // That no branch before it was taken is known as well.
                let before = choose.arms.iter().filter(|arm| arm.block <= inner.block);
                found.extend(before.filter_map(|arm| arm.when.as_ref()));
            }
            found.extend(owner.when.as_ref());
            inner = owner;
        }
        found
    }

    /// How two steps lie to each other, the first one standing first in the file.
    pub fn relation(&self, first: StepId, second: StepId) -> Relation {
        let line = |step: StepId| {
            let mut line: Vec<StepId> = self.around(step).iter().map(|s| s.id).collect();
            line.reverse();
            line.push(step);
            line
        };
        let (first, second) = (line(first), line(second));
        let split = first.iter().zip(&second).position(|(a, b)| a != b);
        let Some(split) = split else {
            return Relation::Within;
        };
        let (a, b) = (self.definition.step(first[split]), self.definition.step(second[split]));
        if a.block == b.block {
            return Relation::Before;
        }
        let owner = self.definition.block(a.block).owner;
        match owner.and_then(|id| self.definition.step(id).composite()) {
            Some(Composite::Parallel(parallel)) => Relation::Beside(parallel.join),
            Some(Composite::Each(_) | Composite::Choose(_) | Composite::Lock(_)) | None => {
                Relation::Apart
            }
        }
    }
}

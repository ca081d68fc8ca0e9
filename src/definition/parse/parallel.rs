use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::{BlockId, Join, ParallelStep, StepKind, Then};
use crate::message::StepName;

use super::place::{Around, Place};
use super::position::Position;
use super::reader::{Fields, Reader};
use super::steps::Outline;
use super::verdict::Comes;

/// The most branches beside each other.
const BRANCHES_MAX: usize = 32;

impl Reader<'_> {
    /// Named branches beside each other.
    pub fn parallel(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let node = fields.take("parallel")?;
        let joins = [("all", Join::All), ("first", Join::First)];
        let join = fields.take("join").map(|n| self.choice(n, "join", &joins));
        let within = self.within(fields);
        let first = join == Some(Some(Join::First));
        let comes = if first { Comes::Always("every branch is rejected") } else { Comes::InTime };
        let failed = self.verdict(fields, position, Place::Alone, comes);
        let inside = match (first, &failed) {
            // Its branches go back alone, whatever stands before.
            (true, _) => Position::Before,
            (false, Some(failed)) if failed.then == Then::GoOn => position.undoable(),
            (false, _) if position == Position::Pivot => Position::Before,
            (false, _) => position,
        };
        self.around.push(Around::Parallel);
        let branches = self.branches(node, inside);
        self.around.pop();
        Some(StepKind::Parallel(ParallelStep {
            branches: branches?,
            join: join.unwrap_or(Some(Join::All))?,
            within,
            failed: failed?,
        }))
    }

    fn branches(&mut self, node: &Node, position: Position) -> Option<Vec<BlockId>> {
        drop(self.fields(node, "`parallel`")?);
        let Content::Map(entries) = &node.content else { return None };
        if entries.is_empty() || entries.len() > BRANCHES_MAX {
            let message = format!("`parallel` has {} branches", entries.len());
            let help = format!("give 1 to {BRANCHES_MAX}, such as `credit: [ … ]`");
            return self.error(Code::Range, node.span.clone(), message, help);
        }
        let mut blocks = Vec::new();
        for (name, steps) in entries {
            if let Err(e) = StepName::new(&name.text) {
                let help = "write such as `credit-check`";
                self.told::<()>(Code::Name, name.span.clone(), &e.to_string(), help);
            }
            let outline = Outline { key: &name.text, owner: self.step, name: name.text.clone() };
            blocks.push(self.block(steps, &outline, position));
        }
        Some(blocks)
    }
}

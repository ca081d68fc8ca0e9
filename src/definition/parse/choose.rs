use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::{Arm, ChooseStep, StepKind, Then};

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};
use super::steps::Outline;
use super::verdict::Comes;

/// The most branches of one choice.
const ARMS_MAX: usize = 32;

impl Reader<'_> {
    /// One of several branches.
    pub fn choose(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, node) = fields.entry("choose")?;
        let total = fields.entry("total");
        let gapless = total.and_then(|(_, n)| self.boolean(n, "total")).unwrap_or(false);
        let within = self.within(fields);
        let failed = self.verdict(fields, position, Place::Alone, Comes::InTime);
        let inside = match &failed {
            Some(failed) if failed.then == Then::GoOn => position.undoable(),
            _ => position,
        };
        let Content::List(nodes) = &node.content else {
            let message = format!("`choose` is {}, not a list", node.kind());
            let help = "begin every branch with `- `, such as `- { when: …, steps: [ … ] }`";
            return self.error(Code::WrongType, node.span.clone(), message, help);
        };
        if nodes.is_empty() || nodes.len() > ARMS_MAX {
            let message = format!("`choose` has {} branches", nodes.len());
            let help = format!("give 1 to {ARMS_MAX}, such as `- {{ when: …, steps: [ … ] }}`");
            return self.error(Code::Range, node.span.clone(), message, help);
        }
        let arms: Vec<_> = nodes.iter().map(|n| self.arm(n, inside)).collect();
        let arms: Vec<Arm> = arms.into_iter().collect::<Option<_>>()?;
        let otherwise = arms.iter().any(|arm| arm.when.is_none());
        if !otherwise && !gapless {
            let message = "the guards may leave a gap: no branch says `otherwise`";
            let help = "add `- { otherwise: true, steps: [ … ] }`, or `total: true` beside \
                        `choose` if the guards leave none";
            self.error::<()>(Code::NotTotal, key.span.clone(), message, help);
        }
        if let (true, Some((key, _))) = (otherwise && gapless, total) {
            let help = "leave `total` out: `otherwise` leaves no gap";
            self.warn(Code::NoEffect, key.span.clone(), "`total` has no effect here", help);
        }
        Some(StepKind::Choose(ChooseStep { arms, total: gapless, within, failed: failed? }))
    }

    fn arm(&mut self, node: &Node, position: Position) -> Option<Arm> {
        let mut fields = self.fields(node, "this branch")?;
        let when = self.optional(&mut fields, "when", Place::Guard);
        let guarded = fields.entry("when").is_some();
        let otherwise = fields.entry("otherwise");
        let said = otherwise.map(|(_, n)| self.boolean(n, "otherwise"));
        let steps = fields.need(self, "steps", "[ … ]");
        let outline = Outline { key: "steps", owner: self.step, name: String::new() };
        let block = steps.map(|n| self.block(n, &outline, position));
        let misspelt = fields.is_misspelt("when") || fields.is_misspelt("otherwise");
        let head = fields.head(self);
        fields.finish(self);
        match (guarded, said, otherwise) {
            (true, Some(_), Some((key, _))) => {
                let help = "keep one of them";
                let message = "`when` and `otherwise` contradict each other";
                return self.error(Code::Contradiction, key.span.clone(), message, help);
            }
            (false, Some(Some(false)), Some((key, _))) => {
                let help = "write `otherwise: true`, or a `when`";
                let message = "this branch is never taken";
                return self.error(Code::Unreachable, key.span.clone(), message, help);
            }
            (false, None, _) if !misspelt => {
                let help = "add `when: data.total > 1000`, or `otherwise: true`";
                let message = "this branch does not say when it is taken";
                return self.error(Code::MissingKey, head, message, help);
            }
            (false, None, _) => return None,
            _ => {}
        }
        if guarded && when.is_none() {
            return None;
        }
        Some(Arm { when, block: block? })
    }
}

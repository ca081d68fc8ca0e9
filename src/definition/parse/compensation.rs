use std::ops::Range;

use crate::definition::Compensation;
use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};
use super::request::UNDO_RETRY;

/// The keys that make a mapping a compensation.
const KINDS: [&str; 3] = ["command", "call", "emit"];

impl Reader<'_> {
    /// A step's `compensate`, or what it means that there is none.
    pub fn compensate(
        &mut self,
        fields: &mut Fields<'_>,
        position: Position,
        step: &Range<usize>,
    ) -> Option<Compensation> {
        match fields.entry("compensate") {
            Some((key, node)) => {
                self.check_undo(position, &key.span);
                self.compensation(node)
            }
            None if fields.is_misspelt("compensate") => None,
            None => Some(self.unsaid(position, step)),
        }
    }

    /// How a step is undone.
    fn compensation(&mut self, node: &Node) -> Option<Compensation> {
        if let Content::Scalar { text, .. } = &node.content {
            return self.plain_compensation(node, text);
        }
        let mut fields = self.fields(node, "`compensate`")?;
        let found: Vec<_> =
            KINDS.iter().filter_map(|k| fields.entry(k).map(|(key, n)| (*k, key, n))).collect();
        let undo = match &found[..] {
            [("command", _, command)] => self.undo_command(&mut fields, command),
            [("call", _, call)] => self.undo_call(&mut fields, call),
            [(_, _, emit)] => self.fact(&mut fields, emit, Place::Back).map(Compensation::Emit),
            [] => {
                let message = "`compensate` does not say what undoes the step";
                let help = "add `command: inventory.commands/ReleaseStock` or `emit: …`, \
                            or write `compensate: none`";
                let span = fields.head(self);
                fields.give_up();
                self.error(Code::MissingKey, span, message, help)
            }
            [(first, ..), (second, key, _), ..] => {
                let help = "undo it by one of them";
                let message = format!("`{first}` and `{second}` contradict each other");
                return self.error(Code::Contradiction, key.span.clone(), message, help);
            }
        };
        fields.finish(self);
        undo
    }

    fn plain_compensation(&mut self, node: &Node, text: &str) -> Option<Compensation> {
        let of = self.step.map(|step| self.places.steps[step.0 as usize].has("saga"));
        match text {
            "none" => Some(Compensation::Nothing),
            "child" if of == Some(true) => Some(Compensation::Child),
            "child" => {
                let message = "this step has no child that could take itself back";
                let help = "`compensate: child` stands in a `saga` step; undo this one by a \
                            `command`, a `call`, an `emit`, or say `none`";
                self.error(Code::NotAChoice, node.span.clone(), message, help)
            }
            _ => {
                let message = format!("`compensate` cannot be `{text}`");
                let help = "write `none`, `{ command: …, done: … }`, `{ call: … }`, \
                            `{ emit: … }`, or in a `saga` step `child`";
                self.error(Code::NotAChoice, node.span.clone(), message, help)
            }
        }
    }

    fn undo_command(&mut self, fields: &mut Fields<'_>, command: &Node) -> Option<Compensation> {
        let command = self.address(command, "command");
        let request = self.request(fields, command, Place::Back, UNDO_RETRY);
        let set = fields.take("set").map(|n| self.assignments(n, "set", Place::Undone));
        Some(Compensation::Command { request: request?, set: set.unwrap_or_default() })
    }

    fn undo_call(&mut self, fields: &mut Fields<'_>, call: &Node) -> Option<Compensation> {
        let request = self.call_request(fields, call, Place::Back, UNDO_RETRY);
        let set = fields.take("set").map(|n| self.assignments(n, "set", Place::UndoneHttp));
        Some(Compensation::Call { request: request?, set: set.unwrap_or_default() })
    }
}

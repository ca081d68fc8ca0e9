use cel::common::ast::{EntryExpr, Expr, IdedExpr, operators};
use serde_json::Value;

use super::condition::{field, literal};
use super::logic::{Logic, call};
use super::{Reference, print};

/// A path that an expression reads at one place, and what that place says of its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The path.
    pub path: Reference,
    /// What is done with its value.
    pub usage: Usage,
}

/// What an expression does with a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Usage {
    /// It is the whole expression.
    Alone,
    /// `has(…)` asks whether it is there.
    Asked,
    /// It must be true or false.
    Held,
    /// A loop goes over its elements.
    Looped,
    /// A method is called on it.
    Receiver(String),
    /// A function takes it as its first argument.
    Argument(String),
    /// It is compared with what stands beside it.
    Compared(Beside),
    /// It is added to what stands beside it: numbers, texts and lists can be.
    Added(Beside),
    /// It is computed with what stands beside it, as only numbers can be.
    Computed(Beside),
    /// Nothing that tells of what kind it is.
    Other,
}

/// What stands on the other side of an operator.
#[derive(Debug, Clone, PartialEq)]
pub enum Beside {
    /// A literal.
    Literal(Value),
    /// Another path.
    Path(Reference),
    /// Something else.
    Other,
}

/// Every path of a tree with what is done with it.
pub(super) fn of(tree: &IdedExpr) -> Vec<Use> {
    let mut found = Found { uses: Vec::new(), bound: Vec::new() };
    found.node(tree, Usage::Alone);
    found.uses
}

struct Found {
    uses: Vec<Use>,
    /// The names that loops around give to their elements.
    bound: Vec<String>,
}

impl Found {
    /// A node, and what is done with it if it is a path.
    fn node(&mut self, node: &IdedExpr, usage: Usage) {
        if self.path(node, usage) {
            return;
        }
        match Logic::of(node) {
            Logic::Literal(_) => {}
            Logic::Same(inner) | Logic::Not(inner) => self.node(inner, Usage::Held),
            Logic::And(left, right) | Logic::Or(left, right) => {
                self.node(left, Usage::Held);
                self.node(right, Usage::Held);
            }
            Logic::Choice(asked, yes, no) => {
                self.node(asked, Usage::Held);
                self.node(yes, Usage::Other);
                self.node(no, Usage::Other);
            }
            Logic::Value => self.value(node),
        }
    }

    fn value(&mut self, node: &IdedExpr) {
        match &node.expr {
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) => {}
            Expr::Select(select) => {
                let usage = if select.test { Usage::Asked } else { Usage::Other };
                self.node(&select.operand, usage);
            }
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if let Some(target) = &call.target {
                    self.node(target, Usage::Receiver(name.to_owned()));
                    call.args.iter().for_each(|argument| self.node(argument, Usage::Other));
                } else {
                    self.call(name, &call.args);
                }
            }
            Expr::List(list) => list.elements.iter().for_each(|e| self.node(e, Usage::Other)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.node(&entry.key, Usage::Other);
                        self.node(&entry.value, Usage::Other);
                    }
                }
            }
            Expr::Comprehension(inner) => {
                self.node(&inner.iter_range, Usage::Looped);
                let before = self.bound.len();
                self.bound.extend([inner.iter_var.clone(), inner.accu_var.clone()]);
                self.node(&inner.loop_step, Usage::Other);
                self.bound.truncate(before);
            }
        }
    }

    fn call(&mut self, name: &str, arguments: &[IdedExpr]) {
        let operator = print::binary(name);
        if let (Some(operator), [left, right]) = (operator, arguments) {
            let (near, far) = (last(left), first(right));
            self.path(near, usage(operator, far));
            self.path(far, usage(operator, near));
            for side in [left, right] {
                if field(side).is_none() {
                    self.node(side, Usage::Other);
                }
            }
            return;
        }
        let is_function = name.starts_with(|c: char| c.is_ascii_alphabetic());
        for (place, argument) in arguments.iter().enumerate() {
            let first = is_function && place == 0;
            self.node(
                argument,
                if first { Usage::Argument(name.to_owned()) } else { Usage::Other },
            );
        }
    }

    /// Notes a path; false if the node is none.
    fn path(&mut self, node: &IdedExpr, usage: Usage) -> bool {
        let (node, usage) = match &node.expr {
            Expr::Select(select) if select.test => {
                let mut select = select.clone();
                select.test = false;
                (&IdedExpr { id: node.id, expr: Expr::Select(select) }, Usage::Asked)
            }
            _ => (node, usage),
        };
        let Some(path) = field(node) else { return false };
        if !self.bound.iter().any(|bound| bound == path.name.text()) {
            self.uses.push(Use { path, usage });
        }
        true
    }
}

fn usage(operator: &str, beside: &IdedExpr) -> Usage {
    let beside = match (literal(beside), field(beside)) {
        (Some(literal), _) => Beside::Literal(literal),
        (None, Some(path)) => Beside::Path(path),
        (None, None) => Beside::Other,
    };
    match operator {
        "==" | "!=" | "<" | "<=" | ">" | ">=" => Usage::Compared(beside),
        "+" => Usage::Added(beside),
        "-" | "*" | "/" | "%" => Usage::Computed(beside),
        _ => Usage::Other,
    }
}

const ARITHMETIC: [&str; 5] = [
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
];

/// What stands last in a sum: the nearest to an operator behind it.
fn last(node: &IdedExpr) -> &IdedExpr {
    match call(node) {
        Some((name, [_, right])) if ARITHMETIC.contains(&name) => last(right),
        Some(_) | None => node,
    }
}

/// What stands first in a sum.
fn first(node: &IdedExpr) -> &IdedExpr {
    match call(node) {
        Some((name, [left, _])) if ARITHMETIC.contains(&name) => first(left),
        Some(_) | None => node,
    }
}

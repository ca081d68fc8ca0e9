use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::condition::field;
use super::logic::Logic;
use super::{Condition, Reference};

/// An element of a list that an expression reads by its place, such as `data.boxes[0]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// The list.
    pub list: Reference,
    /// Its place in it, from 0.
    pub place: u64,
    /// What the expression asks first: it is read only where all of these have this answer.
    pub asked: Vec<(Condition, bool)>,
}

/// Every element that a tree reads by its place, but those that a loop reads.
pub(super) fn of(tree: &IdedExpr) -> Vec<Element> {
    let mut look = Look { asked: Vec::new(), found: Vec::new() };
    look.node(tree);
    look.found
}

struct Look {
    asked: Vec<(Condition, bool)>,
    found: Vec<Element>,
}

impl Look {
    fn node(&mut self, node: &IdedExpr) {
        match Logic::of(node) {
            Logic::Literal(_) => {}
            Logic::Same(inner) | Logic::Not(inner) => self.node(inner),
            Logic::And(left, right) => self.beside(left, right, true),
            Logic::Or(left, right) => self.beside(left, right, false),
            Logic::Choice(asked, yes, no) => {
                self.node(asked);
                self.knowing(yes, asked, true);
                self.knowing(no, asked, false);
            }
            Logic::Value => self.value(node),
        }
    }

    /// Two sides of which each counts only where the other does not decide alone.
    fn beside(&mut self, left: &IdedExpr, right: &IdedExpr, undecided: bool) {
        self.knowing(left, right, undecided);
        self.knowing(right, left, undecided);
    }

    fn knowing(&mut self, node: &IdedExpr, asked: &IdedExpr, holds: bool) {
        self.asked.push((Condition::of(asked), holds));
        self.node(node);
        self.asked.pop();
    }

    fn value(&mut self, node: &IdedExpr) {
        match &node.expr {
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) => {}
            Expr::Select(select) => self.node(&select.operand),
            Expr::Call(call) => {
                if let (operators::INDEX, [of, at]) = (call.func_name.as_str(), &call.args[..])
                    && let (Some(list), Expr::Literal(LiteralValue::Int(place))) =
                        (field(of), &at.expr)
                    && let Ok(place) = u64::try_from(*place.inner())
                {
                    self.found.push(Element { list, place, asked: self.asked.clone() });
                }
                call.target.iter().for_each(|target| self.node(target));
                call.args.iter().for_each(|argument| self.node(argument));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.node(element)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.node(&entry.value);
                    }
                }
            }
            // Inside a loop a name may be the loop's own, and nobody knows how often it runs.
            Expr::Comprehension(inner) => self.node(&inner.iter_range),
        }
    }
}

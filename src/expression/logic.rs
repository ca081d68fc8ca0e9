use std::collections::BTreeSet;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::{Name, walk};

/// A part of a tree as logic sees it.
pub(super) enum Logic<'t> {
    /// `true` or `false`.
    Literal(bool),
    /// It holds where this does.
    Same(&'t IdedExpr),
    /// It holds where this does not.
    Not(&'t IdedExpr),
    /// Both must hold.
    And(&'t IdedExpr, &'t IdedExpr),
    /// One of them must hold.
    Or(&'t IdedExpr, &'t IdedExpr),
    /// `a ? b : c`.
    Choice(&'t IdedExpr, &'t IdedExpr, &'t IdedExpr),
    /// Only a value can tell.
    Value,
}

impl<'t> Logic<'t> {
    /// What logic a node is.
    pub fn of(node: &'t IdedExpr) -> Self {
        let Some((name, arguments)) = call(node) else {
            return literal(node).map_or(Self::Value, Self::Literal);
        };
        match (name, arguments) {
            (operators::LOGICAL_NOT, [inner]) => Self::Not(inner),
            (operators::LOGICAL_AND, [left, right]) => Self::And(left, right),
            (operators::LOGICAL_OR, [left, right]) => Self::Or(left, right),
            (operators::CONDITIONAL, [asked, yes, no]) => Self::Choice(asked, yes, no),
            (operators::EQUALS, [left, right]) => Self::compared(left, right, true),
            (operators::NOT_EQUALS, [left, right]) => Self::compared(left, right, false),
            _ => Self::Value,
        }
    }

    /// `has(x) == true` is `has(x)`; what may be no truth value at all is left as it stands.
    fn compared(left: &'t IdedExpr, right: &'t IdedExpr, is_equal: bool) -> Self {
        let sides = [(left, literal(right)), (right, literal(left))];
        for (side, literal) in sides {
            let Some(literal) = literal.filter(|_| is_truth(side)) else { continue };
            return if literal == is_equal { Self::Same(side) } else { Self::Not(side) };
        }
        Self::Value
    }
}

/// Whether a node is true or false, whatever the data.
fn is_truth(node: &IdedExpr) -> bool {
    match Logic::of(node) {
        Logic::Literal(_) | Logic::Not(_) | Logic::And(..) | Logic::Or(..) | Logic::Same(_) => true,
        Logic::Choice(_, yes, no) => is_truth(yes) && is_truth(no),
        Logic::Value => matches!(&node.expr, Expr::Select(select) if select.test),
    }
}

/// An operator or a function without a receiver, and what it is applied to.
pub(super) fn call(node: &IdedExpr) -> Option<(&str, &[IdedExpr])> {
    match &node.expr {
        Expr::Call(call) if call.target.is_none() => Some((&call.func_name, &call.args)),
        _ => None,
    }
}

fn literal(node: &IdedExpr) -> Option<bool> {
    match &node.expr {
        Expr::Literal(LiteralValue::Boolean(value)) => Some(*value.inner()),
        _ => None,
    }
}

/// A field of a name, as far as `has(…)` can ask for it without needing another.
pub(super) type Field = (Name, String);

/// The fields that surely are set where a node holds, or where it does not: those that it asks
/// for by `has(…)`.
pub(super) fn set_where(node: &IdedExpr, holds: bool) -> BTreeSet<Field> {
    set_if(node, holds).unwrap_or_default()
}

/// The same; none where the node cannot hold, or cannot but hold.
fn set_if(node: &IdedExpr, holds: bool) -> Option<BTreeSet<Field>> {
    match Logic::of(node) {
        Logic::Literal(value) => (value == holds).then(BTreeSet::new),
        Logic::Same(inner) => set_if(inner, holds),
        Logic::Not(inner) => set_if(inner, !holds),
        Logic::And(left, right) if holds => both(set_if(left, true), set_if(right, true)),
        Logic::Or(left, right) if !holds => both(set_if(left, false), set_if(right, false)),
        Logic::And(left, right) | Logic::Or(left, right) => {
            either(set_if(left, holds), set_if(right, holds))
        }
        Logic::Choice(asked, yes, no) => {
            let yes = both(set_if(asked, true), set_if(yes, holds));
            either(yes, both(set_if(asked, false), set_if(no, holds)))
        }
        Logic::Value if holds => Some(asked(node).into_iter().collect()),
        Logic::Value => Some(BTreeSet::new()),
    }
}

fn both(one: Option<BTreeSet<Field>>, other: Option<BTreeSet<Field>>) -> Option<BTreeSet<Field>> {
    Some(&one? | &other?)
}

fn either(one: Option<BTreeSet<Field>>, other: Option<BTreeSet<Field>>) -> Option<BTreeSet<Field>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(&one & &other),
        (one, other) => one.or(other),
    }
}

/// The field that a node asks for, if it is `has(name.field)`.
fn asked(node: &IdedExpr) -> Option<Field> {
    let (name, fields, tested) = walk::path(node)?;
    match &fields[..] {
        [field] if tested => Some((Name::of(name)?, field.clone())),
        _ => None,
    }
}

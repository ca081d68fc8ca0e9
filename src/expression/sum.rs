use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::{Name, Reference, walk};

/// An arithmetic operation of an expression, and what is known of its two sides: CEL does not
/// mix whole numbers with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// The operator, as authors write it.
    pub operator: &'static str,
    /// What stands left of it.
    pub left: Operand,
    /// What stands right of it.
    pub right: Operand,
}

/// One side of an arithmetic operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Surely a whole number.
    Int,
    /// Surely a number with a decimal point.
    Double,
    /// Whatever stands there.
    Path(Reference),
    /// Something else, or nobody knows.
    Unknown,
}

const ARITHMETIC: [(&str, &str); 5] = [
    (operators::ADD, "+"),
    (operators::SUBSTRACT, "-"),
    (operators::MULTIPLY, "*"),
    (operators::DIVIDE, "/"),
    (operators::MODULO, "%"),
];

/// Every arithmetic operation of a tree.
pub(super) fn of(tree: &IdedExpr) -> Vec<Sum> {
    let mut found = Vec::new();
    operand(tree, &mut found);
    found
}

fn operand(node: &IdedExpr, found: &mut Vec<Sum>) -> Operand {
    match &node.expr {
        Expr::Literal(LiteralValue::Int(_)) => Operand::Int,
        Expr::Literal(LiteralValue::Double(_)) => Operand::Double,
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            let target = call.target.iter().map(|target| operand(target, found)).next();
            let parts: Vec<_> = call.args.iter().map(|part| operand(part, found)).collect();
            if name == operators::INDEX {
                return path(node);
            }
            let operator = ARITHMETIC.iter().find(|(function, _)| *function == name);
            match (operator, &parts[..]) {
                (Some((_, operator)), [left, right]) => sum(operator, left, right, found),
                (None, [inner]) if name == operators::NEGATE => inner.clone(),
                (None, [_, yes, no]) if name == operators::CONDITIONAL && yes == no => yes.clone(),
                (None, [_]) if target.is_none() && name == "double" => Operand::Double,
                (None, [_]) if target.is_none() && matches!(name, "int" | "size") => Operand::Int,
                _ => Operand::Unknown,
            }
        }
        Expr::List(list) => {
            list.elements.iter().for_each(|element| drop(operand(element, found)));
            Operand::Unknown
        }
        Expr::Ident(_) | Expr::Select(_) => path(node),
        // Inside a loop a name may be the loop's own.
        Expr::Unspecified
        | Expr::Literal(_)
        | Expr::Comprehension(_)
        | Expr::Map(_)
        | Expr::Struct(_) => Operand::Unknown,
    }
}

fn sum(operator: &'static str, left: &Operand, right: &Operand, found: &mut Vec<Sum>) -> Operand {
    found.push(Sum { operator, left: left.clone(), right: right.clone() });
    match (left, right) {
        (Operand::Double, _) | (_, Operand::Double) => Operand::Double,
        (Operand::Int, _) | (_, Operand::Int) => Operand::Int,
        (Operand::Path(_) | Operand::Unknown, Operand::Path(_) | Operand::Unknown) => {
            Operand::Unknown
        }
    }
}

fn path(node: &IdedExpr) -> Operand {
    match walk::references(node).as_slice() {
        [reference] if reference.name != Name::Now => Operand::Path(reference.clone()),
        _ => Operand::Unknown,
    }
}

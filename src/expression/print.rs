use std::fmt::Write as _;

use cel::common::ast::{
    ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};

use super::literal;
use super::logic::call;

/// The binary operators with how tightly they bind; what binds tighter needs no brackets inside.
const BINARY: [(&str, &str, u8); 14] = [
    (operators::LOGICAL_OR, "||", 2),
    (operators::LOGICAL_AND, "&&", 3),
    (operators::EQUALS, "==", 4),
    (operators::NOT_EQUALS, "!=", 4),
    (operators::LESS, "<", 4),
    (operators::LESS_EQUALS, "<=", 4),
    (operators::GREATER, ">", 4),
    (operators::GREATER_EQUALS, ">=", 4),
    (operators::IN, "in", 4),
    (operators::ADD, "+", 5),
    (operators::SUBSTRACT, "-", 5),
    (operators::MULTIPLY, "*", 6),
    (operators::DIVIDE, "/", 6),
    (operators::MODULO, "%", 6),
];

const CHOICE: u8 = 1;
const UNARY: u8 = 7;
const POSTFIX: u8 = 8;

/// A tree as CEL again, the same for trees that are the same.
pub(super) fn text(tree: &IdedExpr) -> String {
    let mut text = String::new();
    write(&mut text, tree, 0);
    text
}

/// How an operator is written, if a function is one with two sides.
pub(super) fn binary(function: &str) -> Option<&'static str> {
    operator(function).map(|(text, _)| text)
}

fn operator(function: &str) -> Option<(&'static str, u8)> {
    let found = BINARY.iter().find(|(name, ..)| *name == function);
    found.map(|(_, text, level)| (*text, *level))
}

fn write(text: &mut String, node: &IdedExpr, around: u8) {
    let level = level(node);
    if level < around {
        text.push('(');
    }
    match &node.expr {
        Expr::Unspecified => {}
        Expr::Ident(name) => text.push_str(name),
        Expr::Literal(literal) => write_literal(text, literal),
        Expr::Select(select) => write_select(text, select),
        Expr::Call(call) => match &call.target {
            Some(target) => {
                write(text, target, POSTFIX);
                text.push('.');
                write_function(text, &call.func_name, &call.args);
            }
            None => write_call(text, &call.func_name, &call.args, level),
        },
        Expr::List(list) => {
            text.push('[');
            write_all(text, &list.elements);
            text.push(']');
        }
        Expr::Map(map) => {
            text.push('{');
            for (place, entry) in map.entries.iter().enumerate() {
                let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                text.push_str(if place > 0 { ", " } else { "" });
                write(text, &entry.key, 0);
                text.push_str(": ");
                write(text, &entry.value, 0);
            }
            text.push('}');
        }
        Expr::Struct(made) => text.push_str(&made.type_name),
        Expr::Comprehension(inner) => write_loop(text, inner),
    }
    if level < around {
        text.push(')');
    }
}

fn level(node: &IdedExpr) -> u8 {
    let Expr::Call(call) = &node.expr else { return POSTFIX };
    match (call.func_name.as_str(), call.args.len()) {
        (operators::CONDITIONAL, 3) => CHOICE,
        (operators::LOGICAL_NOT | operators::NEGATE, 1) => UNARY,
        (name, 2) => operator(name).map_or(POSTFIX, |(_, level)| level),
        _ => POSTFIX,
    }
}

fn write_call(text: &mut String, name: &str, arguments: &[IdedExpr], level: u8) {
    match (name, arguments) {
        (operators::CONDITIONAL, [asked, yes, no]) => {
            write(text, asked, CHOICE + 1);
            text.push_str(" ? ");
            write(text, yes, CHOICE + 1);
            text.push_str(" : ");
            write(text, no, CHOICE);
        }
        (operators::LOGICAL_NOT, [inner]) => {
            text.push('!');
            write(text, inner, UNARY);
        }
        (operators::NEGATE, [inner]) => {
            text.push('-');
            write(text, inner, POSTFIX);
        }
        (operators::INDEX, [of, index]) => {
            write(text, of, POSTFIX);
            text.push('[');
            write(text, index, 0);
            text.push(']');
        }
        (_, [left, right]) => match binary(name) {
            Some(operator) => {
                write(text, left, level);
                text.push(' ');
                text.push_str(operator);
                text.push(' ');
                write(text, right, level + 1);
            }
            None => write_function(text, name, arguments),
        },
        _ => write_function(text, name, arguments),
    }
}

fn write_function(text: &mut String, name: &str, arguments: &[IdedExpr]) {
    text.push_str(name);
    text.push('(');
    write_all(text, arguments);
    text.push(')');
}

fn write_all(text: &mut String, nodes: &[IdedExpr]) {
    for (place, node) in nodes.iter().enumerate() {
        text.push_str(if place > 0 { ", " } else { "" });
        write(text, node, 0);
    }
}

fn write_select(text: &mut String, select: &SelectExpr) {
    text.push_str(if select.test { "has(" } else { "" });
    write(text, &select.operand, POSTFIX);
    text.push('.');
    text.push_str(&select.field);
    text.push_str(if select.test { ")" } else { "" });
}

fn write_literal(text: &mut String, literal: &LiteralValue) {
    let written = match literal {
        LiteralValue::Boolean(value) => write!(text, "{}", value.inner()),
        LiteralValue::Bytes(value) => write!(text, "b{:?}", value.inner()),
        // A number is written one way, so that `1` and `1.0` are one question.
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => {
            literal::number(literal).map_or(Ok(()), |number| write!(text, "{number}"))
        }
        LiteralValue::Null => write!(text, "null"),
        LiteralValue::String(value) => write!(text, "{:?}", value.inner()),
    };
    written.expect("writing to a string never fails");
}

/// A loop by the macro that it was written as.
fn write_loop(text: &mut String, inner: &ComprehensionExpr) {
    let (name, parts) = loop_parts(inner);
    write(text, &inner.iter_range, POSTFIX);
    text.push('.');
    text.push_str(name);
    text.push('(');
    text.push_str(&inner.iter_var);
    for part in parts {
        text.push_str(", ");
        write(text, part, 0);
    }
    text.push(')');
}

/// The macro's name and what it was given besides the element's name.
pub(super) fn loop_parts(inner: &ComprehensionExpr) -> (&'static str, Vec<&IdedExpr>) {
    let step = call(&inner.loop_step);
    match step {
        Some((operators::LOGICAL_AND, [_, condition])) => ("all", vec![condition]),
        Some((operators::LOGICAL_OR, [_, condition])) => ("exists", vec![condition]),
        Some((operators::ADD, [_, added])) => ("map", element(added).into_iter().collect()),
        Some((operators::CONDITIONAL, [condition, added, _])) => match added_element(added) {
            Some(made) if is_name(made, &inner.iter_var) => ("filter", vec![condition]),
            Some(made) => ("map", vec![condition, made]),
            None => ("exists_one", vec![condition]),
        },
        Some(_) | None => ("loop", vec![&inner.accu_init, &inner.loop_step, &inner.result]),
    }
}

fn added_element(added: &IdedExpr) -> Option<&IdedExpr> {
    match call(added) {
        Some((operators::ADD, [_, added])) => element(added),
        Some(_) | None => None,
    }
}

fn element(list: &IdedExpr) -> Option<&IdedExpr> {
    match &list.expr {
        Expr::List(list) => list.elements.first(),
        _ => None,
    }
}

fn is_name(node: &IdedExpr, name: &str) -> bool {
    matches!(&node.expr, Expr::Ident(other) if other == name)
}

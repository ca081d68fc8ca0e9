use cel::common::ast::LiteralValue;

use super::number::Number;

/// The number that a literal is, if it is one.
pub(super) fn number(literal: &LiteralValue) -> Option<Number> {
    match literal {
        LiteralValue::Int(value) => Some(Number::from(*value.inner())),
        LiteralValue::UInt(value) => Number::parse(&value.inner().to_string()),
        // The shortest text that means this double: what the author wrote, up to 15 digits.
        LiteralValue::Double(value) => Number::parse(&value.inner().to_string()),
        LiteralValue::Boolean(_)
        | LiteralValue::Bytes(_)
        | LiteralValue::Null
        | LiteralValue::String(_) => None,
    }
}

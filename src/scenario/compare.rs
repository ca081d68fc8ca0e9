use serde_json::Value;

use super::model::Expected;
use crate::engine::{Effect, Message};

/// Whether an effect is the message that was expected, as far as that is said.
pub(super) fn is_expected(expected: &Expected, effect: &Effect) -> bool {
    let (message, is_command) = match effect {
        Effect::Command(message) => (message, true),
        Effect::Fact(message) => (message, false),
        Effect::Complaint(_) | Effect::Letter { .. } | Effect::Call(_) | Effect::Question(_) => {
            return false;
        }
    };
    is_command == expected.is_command
        && message.to == expected.to
        && expected.with.as_ref().is_none_or(|with| holds(with, &message.body))
        && expected.key.as_ref().is_none_or(|key| *key == message.key)
        && expected.attempt.is_none_or(|attempt| attempt == message.id.attempt)
        && expected.headers.iter().all(|(name, value)| has_header(message, name, value))
}

fn has_header(message: &Message, name: &str, value: &Value) -> bool {
    let wanted = super::words::header(value);
    message.headers.iter().any(|(n, v)| n == name && *v == wanted)
}

/// Whether a value says all that is expected: objects may have more fields, all else is equal.
pub(super) fn holds(expected: &Value, seen: &Value) -> bool {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => expected
            .iter()
            .all(|(name, value)| seen.get(name).is_some_and(|seen| holds(value, seen))),
        (Value::Array(expected), Value::Array(seen)) => {
            expected.len() == seen.len()
                && expected.iter().zip(seen).all(|(expected, seen)| holds(expected, seen))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => expected == seen,
    }
}

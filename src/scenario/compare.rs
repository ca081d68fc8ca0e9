use serde_json::Value;

use super::model::{Expected, ToChild, ToParent, What};
use crate::engine::{Call, Effect, Letter, Message, Question};
use crate::expression::Number;
use crate::message::InstanceId;

/// Whether an effect is the message that was expected, as far as that is said.
pub(super) fn is_expected(expected: &Expected, effect: &Effect) -> bool {
    match (&expected.what, effect) {
        (What::Command(to), Effect::Command(message)) | (What::Fact(to), Effect::Fact(message)) => {
            *to == message.to && is_message(expected, message)
        }
        (What::Call(line), Effect::Call(call)) => {
            *line == super::words::request(call) && is_call(expected, call)
        }
        (What::Question { who, text, choices }, Effect::Question(question)) => {
            *who == question.who && is_question(text.as_deref(), choices.as_deref(), question)
        }
        (What::Child { saga, says }, Effect::Letter { to, letter }) => {
            *saga == *to.saga.as_str() && is_to_child(expected, *says, to, letter)
        }
        (What::Parent(says), Effect::Letter { letter, .. }) => {
            is_to_parent(expected, *says, letter)
        }
        (What::Complaint(words), Effect::Complaint(reason)) => reason.contains(words.as_str()),
        (
            What::Command(_)
            | What::Fact(_)
            | What::Call(_)
            | What::Question { .. }
            | What::Child { .. }
            | What::Parent(_)
            | What::Complaint(_),
            Effect::Command(_)
            | Effect::Fact(_)
            | Effect::Call(_)
            | Effect::Question(_)
            | Effect::Letter { .. }
            | Effect::Complaint(_),
        ) => false,
    }
}

fn is_message(expected: &Expected, message: &Message) -> bool {
    with(expected, &message.body)
        && expected.key.as_ref().is_none_or(|key| *key == message.key)
        && expected.attempt.is_none_or(|attempt| attempt == message.id.attempt)
        && has_headers(expected, &message.headers)
}

fn is_call(expected: &Expected, call: &Call) -> bool {
    with(expected, call.body.as_ref().unwrap_or(&Value::Null))
        && expected.attempt.is_none_or(|attempt| attempt == call.id.attempt)
        && has_headers(expected, &call.headers)
}

fn is_question(text: Option<&str>, choices: Option<&[String]>, question: &Question) -> bool {
    text.is_none_or(|text| text == question.question)
        && choices.is_none_or(|choices| choices == question.choices)
}

fn is_to_child(expected: &Expected, says: ToChild, to: &InstanceId, letter: &Letter) -> bool {
    ToChild::of(&letter.say) == Some(says)
        && letter.say.carried().is_none_or(|body| with(expected, body))
        && expected.key.as_ref().is_none_or(|key| key == to.key.as_str())
}

fn is_to_parent(expected: &Expected, says: ToParent, letter: &Letter) -> bool {
    ToParent::of(&letter.say) == Some(says)
        && letter.say.carried().is_none_or(|data| with(expected, data))
}

fn with(expected: &Expected, body: &Value) -> bool {
    expected.with.as_ref().is_none_or(|with| holds(with, body))
}

fn has_headers(expected: &Expected, headers: &[(String, String)]) -> bool {
    expected.headers.iter().all(|(name, value)| {
        let wanted = super::words::header(value);
        headers.iter().any(|(n, v)| n == name && *v == wanted)
    })
}

/// Whether a value says all that is expected: objects may have more fields, all else is equal,
/// numbers by their size.
pub(super) fn holds(expected: &Value, seen: &Value) -> bool {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => expected
            .iter()
            .all(|(name, value)| seen.get(name).is_some_and(|seen| holds(value, seen))),
        (Value::Array(expected), Value::Array(seen)) => {
            expected.len() == seen.len()
                && expected.iter().zip(seen).all(|(expected, seen)| holds(expected, seen))
        }
        (Value::Number(expected), Value::Number(seen)) => Number::of(expected) == Number::of(seen),
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

use serde_json::Value;

use super::model::{Expected, Times};
use crate::engine::{Call, Effect, Message, Question};

/// An effect as a report shows it: the message, then what it carries.
pub(super) fn effect(effect: &Effect) -> Vec<String> {
    match effect {
        Effect::Command(message) => seen(message, "command"),
        Effect::Fact(message) => seen(message, "fact"),
        Effect::Complaint(reason) => vec![format!("complaint: {reason}")],
        Effect::Letter { to, letter } => vec![format!("letter to {to}: {}", letter.say.text())],
        Effect::Call(call) => called(call),
        Effect::Question(question) => asked(question),
    }
}

fn called(call: &Call) -> Vec<String> {
    let mut lines = vec![format!("call {} {}", call.method.text(), call.url)];
    lines.push(format!("  attempt {}", call.id.attempt));
    lines.extend(call.body.iter().flat_map(fields));
    for (name, value) in &call.headers {
        lines.push(format!("  header {name}: {value}"));
    }
    lines
}

fn asked(question: &Question) -> Vec<String> {
    let choices = question.choices.join(", ");
    vec![format!("question to {}: {}", question.who, question.question), format!("  {choices}")]
}

fn seen(message: &Message, what: &str) -> Vec<String> {
    let mut lines = vec![format!("{what} {}", message.to)];
    lines.push(format!("  key {}, attempt {}", message.key, message.id.attempt));
    lines.extend(fields(&message.body));
    for (name, value) in &message.headers {
        lines.push(format!("  header {name}: {value}"));
    }
    lines
}

/// An expectation as a report shows it.
pub(super) fn expected(expected: &Expected) -> Vec<String> {
    let what = if expected.is_command { "command" } else { "fact" };
    let mut lines = vec![format!("{what} {}", expected.to)];
    if let Some(key) = &expected.key {
        lines.push(format!("  key {key}"));
    }
    if let Some(attempt) = expected.attempt {
        lines.push(format!("  attempt {attempt}"));
    }
    match expected.times {
        Times::Exactly(1) => {}
        Times::Exactly(times) => lines.push(format!("  {times} times")),
        Times::Any => lines.push("  once or more often".to_owned()),
    }
    if let Some(with) = &expected.with {
        lines.extend(fields(with));
    }
    for (name, value) in &expected.headers {
        lines.push(format!("  header {name}: {}", header(value)));
    }
    lines
}

/// The fields of an object, a line each.
pub(super) fn fields(body: &Value) -> impl Iterator<Item = String> {
    let fields = body.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("  {name}: {value}"))
}

/// A header's value as text.
pub(super) fn header(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

use serde_json::Value;

use super::model::{Expected, Stand, Times, ToChild, What};
use crate::engine::{Call, Effect, Letter, Message, Question, Say};
use crate::message::InstanceId;

/// Effects as a report shows them; what was only sent again is counted.
pub(super) fn effects(effects: &[Effect]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = effects;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|other| is_again(first, other)).count().max(1);
        lines.extend(effect(first));
        if same > 1 {
            lines.push(format!("  and {} times more", same - 1));
        }
        rest = &rest[same..];
    }
    lines
}

/// Whether a message is another attempt of the same.
fn is_again(first: &Effect, other: &Effect) -> bool {
    if let (Effect::Call(first), Effect::Call(other)) = (first, other) {
        return first.url == other.url && first.idempotency_key == other.idempotency_key;
    }
    if let (Effect::Command(first), Effect::Command(other))
    | (Effect::Fact(first), Effect::Fact(other)) = (first, other)
    {
        return first.to == other.to && first.key == other.key && first.body == other.body;
    }
    false
}

/// An effect: the message, then what it carries.
fn effect(effect: &Effect) -> Vec<String> {
    match effect {
        Effect::Command(message) => seen(message, "command"),
        Effect::Fact(message) => seen(message, "fact"),
        Effect::Complaint(reason) => vec![format!("complaint: {reason}")],
        Effect::Letter { to, letter } => said(to, letter),
        Effect::Call(call) => called(call),
        Effect::Question(question) => asked(question),
    }
}

fn called(call: &Call) -> Vec<String> {
    let mut lines = vec![format!("call {}", request(call))];
    lines.push(format!("  attempt {}", call.id.attempt));
    lines.extend(call.body.iter().flat_map(fields));
    for (name, value) in &call.headers {
        lines.push(format!("  header {name}: {value}"));
    }
    lines
}

/// A call's request line, as definitions write it.
pub(super) fn request(call: &Call) -> String {
    format!("{} {}", call.method.text(), call.url)
}

fn asked(question: &Question) -> Vec<String> {
    let mut lines = vec![format!("question {}", question.who)];
    lines.push(format!("  text {}", question.question));
    lines.push(format!("  choices {}", question.choices.join(", ")));
    lines
}

fn said(to: &InstanceId, letter: &Letter) -> Vec<String> {
    match &letter.say {
        Say::Start { body, .. } => {
            let mut lines = vec![format!("child {}: start", to.saga), format!("  key {}", to.key)];
            lines.extend(fields(body));
            lines
        }
        Say::TakeBack { reason, .. } => {
            vec![
                format!("child {}: take-back", to.saga),
                format!("  key {}", to.key),
                format!("  {reason}"),
            ]
        }
        Say::Ended { completed, data, failure } => {
            let end = if *completed { "completed" } else { "compensated" };
            let mut lines = vec![format!("parent: {end}")];
            lines.extend(failure.iter().map(|f| format!("  {}: {}", f.kind.text(), f.reason)));
            lines.extend(fields(data));
            lines
        }
        Say::ParentGone
        | Say::Taken
        | Say::TakenBack
        | Say::Kept
        | Say::Acquire { .. }
        | Say::Release { .. }
        | Say::Withdraw
        | Say::Granted { .. }
        | Say::Full => vec![format!("parent: {}", letter.say.text())],
    }
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
    let mut lines = what(&expected.what);
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

fn what(what: &What) -> Vec<String> {
    match what {
        What::Command(to) => vec![format!("command {to}")],
        What::Fact(to) => vec![format!("fact {to}")],
        What::Call(line) => vec![format!("call {line}")],
        What::Question { who, text, choices } => {
            let mut lines = vec![format!("question {who}")];
            lines.extend(text.iter().map(|text| format!("  text {text}")));
            let choices = choices.iter().map(|all| format!("  choices {}", all.join(", ")));
            lines.extend(choices);
            lines
        }
        What::Child { saga, says } => vec![format!("child {saga}: {}", ToChild::text(*says))],
        What::Parent(says) => vec![format!("parent: {}", says.text())],
        What::Complaint(words) => vec![format!("complaint: {words}")],
    }
}

/// How an instance stands, as a report shows it.
pub(super) fn stand(stand: &Stand) -> Vec<String> {
    let Stand { how, at, because, undoing } = stand;
    let mut lines = vec![how.text().to_owned()];
    lines.extend(at.iter().map(|at| format!("  at {at}")));
    lines.extend(because.iter().map(|because| format!("  because {because}")));
    lines.extend(undoing.iter().map(|undoing| format!("  undoing: {undoing}")));
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

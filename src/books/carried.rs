//! Values that pass from the start event through to messages without anything computing with them.

use serde_json::Value;

use crate::definition::{Compensation, Definition, StepKind};
use crate::expression::{Expression, Name, Template};

/// A data field that is a plain path of the start event and is never written again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    pub field: String,
    path: Vec<String>,
}

/// A place of a message's body that a [`Source`] must reach unchanged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Carried {
    /// Which source, by its place.
    pub source: usize,
    /// The path within the source's value.
    within: Vec<String>,
    /// The path within the body.
    path: Vec<String>,
}

/// A value's JSON text, with every digit of its numbers; empty if there is no value.
pub(super) type Text = Box<str>;

/// The sources of a definition.
pub(super) fn sources(definition: &Definition) -> Vec<Source> {
    let rewritten = rewritten(definition);
    let plain = definition.data.iter().filter_map(|a| {
        let path = plain_path(&a.value, Name::Event)?;
        let kept = !rewritten.contains(&a.field.as_str());
        kept.then(|| Source { field: a.field.clone(), path })
    });
    plain.collect()
}

fn rewritten(definition: &Definition) -> Vec<&str> {
    let mut fields = Vec::new();
    for step in &definition.steps {
        fields.extend(step.set.iter().map(|a| a.field.as_str()));
        let compensation = match &step.kind {
            StepKind::Command(command) => {
                let done = command.request.done.iter().flat_map(|d| d.set.iter().flatten());
                let failed = command.failed.iter().flat_map(|f| &f.set);
                fields.extend(done.chain(failed).map(|a| a.field.as_str()));
                &command.compensate
            }
            StepKind::Emit(emit) => &emit.compensate,
            StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_) => continue,
        };
        if let Compensation::Command { request, set } = compensation {
            let done = request.done.iter().flat_map(|d| d.set.iter().flatten());
            fields.extend(done.chain(set).map(|a| a.field.as_str()));
        }
    }
    fields
}

/// The fields of `name.a.b`, if the expression is nothing but that.
fn plain_path(expression: &Expression, name: Name) -> Option<Vec<String>> {
    let references = expression.references();
    let [reference] = &references[..] else {
        return None;
    };
    let written = std::iter::once(name.text()).chain(reference.fields.iter().map(String::as_str));
    let written = written.collect::<Vec<_>>().join(".");
    (reference.name == name && expression.source().trim() == written)
        .then(|| reference.fields.clone())
}

/// Where a template puts sources.
pub(super) fn carried(template: Option<&Template>, sources: &[Source]) -> Vec<Carried> {
    let mut found = Vec::new();
    if let Some(template) = template {
        walk(template, sources, &mut Vec::new(), &mut found);
    }
    found
}

fn walk(template: &Template, sources: &[Source], path: &mut Vec<String>, found: &mut Vec<Carried>) {
    match template {
        Template::Literal(_) | Template::Text(_) => {}
        Template::Whole(expression) => {
            let Some(fields) = plain_path(expression, Name::Data) else {
                return;
            };
            let Some((first, within)) = fields.split_first() else {
                return;
            };
            if let Some(source) = sources.iter().position(|s| s.field == *first) {
                found.push(Carried { source, within: within.to_vec(), path: path.clone() });
            }
        }
        Template::List(items) => {
            for (place, item) in items.iter().enumerate() {
                path.push(place.to_string());
                walk(item, sources, path, found);
                path.pop();
            }
        }
        Template::Object(fields) => {
            for (name, field) in fields {
                path.push(name.clone());
                walk(field, sources, path, found);
                path.pop();
            }
        }
    }
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get(part),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

fn text(value: Option<&Value>) -> Text {
    value.map(Value::to_string).unwrap_or_default().into()
}

/// The sources' values in a start event.
pub(super) fn given(sources: &[Source], body: &Value) -> Vec<Text> {
    sources.iter().map(|s| text(at(body, &s.path))).collect()
}

/// The values at a message's places.
pub(super) fn received(carried: &[Carried], body: &Value) -> Vec<Text> {
    carried.iter().map(|c| text(at(body, &c.path))).collect()
}

/// The first place where what was given is not what was received: its path and both texts.
pub(super) fn changed(
    carried: &[Carried],
    given: &[Text],
    received: &[Text],
) -> Option<(String, Text, Text)> {
    for (place, seen) in carried.iter().zip(received) {
        let whole = given.get(place.source)?;
        let wanted = if place.within.is_empty() {
            whole.clone()
        } else {
            let value: Value = serde_json::from_str(whole).unwrap_or_default();
            text(at(&value, &place.within))
        };
        if wanted != *seen {
            return Some((place.path.join("."), wanted, seen.clone()));
        }
    }
    None
}

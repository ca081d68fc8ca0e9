//! Values that pass from the start event through to messages without anything computing with them.

use serde_json::Value;

use crate::definition::{Assignment, Compensation, Definition, Done, Late, StepKind};
use crate::expression::{Expression, Name, Template};
use crate::message::read_json;

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
    let sets = definition.steps.iter().flat_map(|step| {
        let own = std::iter::once(&step.set[..]);
        own.chain(outcomes(&step.kind)).chain(undone(step.compensation()))
    });
    sets.flatten().map(|a| a.field.as_str()).collect()
}

fn of_done(done: &[Done]) -> impl Iterator<Item = &[Assignment]> {
    done.iter().filter_map(|d| d.set.as_deref())
}

/// What the outcomes of a step write.
fn outcomes(kind: &StepKind) -> Vec<&[Assignment]> {
    let late = |late| match late {
        &Late::GoOn => &[][..],
        Late::Fail(verdict) => &verdict.set[..],
    };
    match kind {
        StepKind::Command(command) => {
            let probed = command.probe.iter().flat_map(|p| of_done(&p.request.done));
            let failed = command.failed.iter().map(|f| &f.set[..]);
            of_done(&command.request.done).chain(probed).chain(failed).collect()
        }
        StepKind::Wait(wait) => {
            let failed = wait.failed.iter().map(|f| &f.set[..]);
            of_done(&wait.on).chain(failed).chain([late(&wait.late)]).collect()
        }
        StepKind::Ask(ask) => {
            let chosen = ask.choices.iter().filter_map(|c| c.failed.as_ref());
            chosen.map(|verdict| &verdict.set[..]).chain([late(&ask.late)]).collect()
        }
        StepKind::Call(call) => {
            let done = call.request.done.iter().filter_map(|d| d.set.as_deref());
            done.chain(call.failed.iter().map(|f| &f.set[..])).collect()
        }
        StepKind::Saga(child) => vec![&child.failed.set],
        StepKind::Parallel(parallel) => vec![&parallel.failed.set],
        StepKind::Each(each) => vec![&each.collect, &each.failed.set],
        StepKind::Choose(choose) => vec![&choose.failed.set],
        StepKind::Lock(lock) => vec![&lock.failed.set],
        StepKind::Emit(_) | StepKind::Set | StepKind::Fail(_) | StepKind::Sleep(_) => Vec::new(),
    }
}

/// What undoing a step writes.
fn undone(compensation: &Compensation) -> Vec<&[Assignment]> {
    match compensation {
        Compensation::Command { request, set } => {
            of_done(&request.done).chain([&set[..]]).collect()
        }
        Compensation::Call { request, set } => {
            let done = request.done.iter().filter_map(|d| d.set.as_deref());
            done.chain([&set[..]]).collect()
        }
        Compensation::Unsaid
        | Compensation::Nothing
        | Compensation::Emit(_)
        | Compensation::Child => Vec::new(),
    }
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
    each_whole(template, path, &mut |expression, path| {
        let Some(fields) = plain_path(expression, Name::Data) else {
            return;
        };
        let Some((first, within)) = fields.split_first() else {
            return;
        };
        if let Some(source) = sources.iter().position(|s| s.field == *first) {
            found.push(Carried { source, within: within.to_vec(), path: path.to_vec() });
        }
    });
}

/// Where a template puts the token of the lock around it.
pub(super) fn fences(template: Option<&Template>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    if let Some(template) = template {
        each_whole(template, &mut Vec::new(), &mut |expression, path| {
            if plain_path(expression, Name::Fence).is_some_and(|fields| fields.is_empty()) {
                found.push(path.to_vec());
            }
        });
    }
    found
}

/// Looks at every place that is nothing but the value of an expression.
fn each_whole(
    template: &Template,
    path: &mut Vec<String>,
    see: &mut impl FnMut(&Expression, &[String]),
) {
    match template {
        Template::Literal(_) | Template::Text(_) => {}
        Template::Whole(expression) => see(expression, path),
        Template::List(items) => {
            for (place, item) in items.iter().enumerate() {
                path.push(place.to_string());
                each_whole(item, path, see);
                path.pop();
            }
        }
        Template::Object(fields) => {
            for (name, field) in fields {
                path.push(name.clone());
                each_whole(field, path, see);
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

/// The values at some places of a message.
pub(super) fn found(paths: &[Vec<String>], body: &Value) -> Vec<Text> {
    paths.iter().map(|path| text(at(body, path))).collect()
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
            let value: Value = read_json(whole.as_bytes()).unwrap_or_default();
            text(at(&value, &place.within))
        };
        if wanted != *seen {
            return Some((place.path.join("."), wanted, seen.clone()));
        }
    }
    None
}

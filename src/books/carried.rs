//! Values that pass from the start event through to messages without anything computing with them.

use serde_json::Value;

use crate::definition::{Composite, Definition, Outcome, StepId};
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
    /// The way within the source's value.
    within: Vec<Hop>,
    /// The path within the body.
    path: Vec<String>,
}

/// A step of the way into a value.
#[derive(Debug, Clone, PartialEq)]
enum Hop {
    Field(String),
    /// The element whose branch it is: of the fan-out with that number, from the outside in.
    Branch(usize),
}

/// Where a fan-out's `item` comes from: a source, and the way within it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    source: usize,
    within: Vec<Hop>,
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
        fields.extend(step.outcomes().iter().flat_map(Outcome::fields));
        let undone = step.undo_sets().into_iter().flatten();
        fields.extend(undone.map(|assignment| assignment.field.as_str()));
    }
    fields
}

/// The fields of `name.a.b`, if the expression is nothing but that.
fn plain_path(expression: &Expression, name: Name) -> Option<Vec<String>> {
    expression.path().filter(|path| path.name == name).map(|path| path.fields.clone())
}

/// What a step reads as `item`, if that is an element of a source.
pub(super) fn item(definition: &Definition, sources: &[Source], step: StepId) -> Option<Item> {
    let mut fan_outs = Vec::new();
    for owner in definition.around(step) {
        if let Some(Composite::Each(each)) = owner.composite() {
            fan_outs.push(&each.items);
        }
    }
    let mut item = None;
    for (number, items) in fan_outs.into_iter().rev().enumerate() {
        let mut list = find(items, sources, item.as_ref())?;
        list.within.push(Hop::Branch(number));
        item = Some(list);
    }
    item
}

/// The source that an expression is nothing but a path into.
fn find(expression: &Expression, sources: &[Source], item: Option<&Item>) -> Option<Item> {
    let hops = |fields: &[String]| fields.iter().cloned().map(Hop::Field).collect::<Vec<_>>();
    if let Some(fields) = plain_path(expression, Name::Data) {
        let (first, within) = fields.split_first()?;
        let source = sources.iter().position(|s| s.field == *first)?;
        return Some(Item { source, within: hops(within) });
    }
    let fields = plain_path(expression, Name::Item)?;
    let mut found = item?.clone();
    found.within.extend(hops(&fields));
    Some(found)
}

/// Where a template puts sources, or elements of them.
pub(super) fn carried(
    template: Option<&Template>,
    sources: &[Source],
    item: Option<&Item>,
) -> Vec<Carried> {
    let mut all = Vec::new();
    if let Some(template) = template {
        each_whole(template, &mut Vec::new(), &mut |expression, path| {
            if let Some(Item { source, within }) = find(expression, sources, item) {
                all.push(Carried { source, within, path: path.to_vec() });
            }
        });
    }
    all
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
/// `branch` says which element of each list around the step is meant.
pub(super) fn changed(
    carried: &[Carried],
    branch: &[u32],
    given: &[Text],
    received: &[Text],
) -> Option<(String, Text, Text)> {
    for (place, seen) in carried.iter().zip(received) {
        let whole = given.get(place.source)?;
        let wanted = if place.within.is_empty() {
            whole.clone()
        } else {
            let hop = |hop: &Hop| match hop {
                Hop::Field(field) => Some(field.clone()),
                Hop::Branch(number) => branch.get(*number).map(ToString::to_string),
            };
            let within: Option<Vec<String>> = place.within.iter().map(hop).collect();
            let value: Value = read_json(whole.as_bytes()).unwrap_or_default();
            text(at(&value, &within?))
        };
        if wanted != *seen {
            return Some((place.path.join("."), wanted, seen.clone()));
        }
    }
    None
}

use std::collections::BTreeSet;

use super::{kinds, outcome};
use crate::definition::diagnostic::{Code, Severity};
use crate::definition::finding::Finding;
use crate::definition::parse::{Place, nearest, places_of};
use crate::definition::places::Places;
use crate::definition::secrets::{Secrets, meet};
use crate::definition::{Definition, EventKind, SagaStep, Step};
use crate::expression::{Misfit, Name, Template};

/// Finds what a parent and its child do not agree on: fields that the child needs and does not
/// get, fields that it is asked for and never has, and the time that it may take.
pub(super) fn check(
    (parent, parent_definition): (&Places, &Definition),
    step: &Step,
    child: &SagaStep,
    definition: &Definition,
) -> Vec<Finding> {
    let mut found = asked_for(parent, step, definition);
    found.extend(handed_over(parent, step, child, definition));
    found.extend(too_long(parent, step, child, definition));
    found.extend(misfits(parent, step, child, (parent_definition, definition)));
    found.extend(secrets(parent, step, parent_definition, definition));
    found
}

/// What is sensitive on one side must be so on the other.
fn secrets(places: &Places, step: &Step, parent: &Definition, child: &Definition) -> Vec<Finding> {
    let (own, of_child) = (Secrets::of(parent), Secrets::of(child));
    let keys = &places.steps[step.id.0 as usize];
    let mut found = Vec::new();
    let mut tell = |span, message, help| {
        let (code, severity) = (Code::Sensitive, Severity::Warning);
        found.push(Finding { code, severity, span, message, help });
    };
    for (path, secret) in own.handed_over(parent, step) {
        let kept = child.expressions().into_iter().find_map(|placed| {
            let reads = placed.expression.references();
            let mut reads = reads.iter().filter(|read| read.name == Name::Event && !read.tested);
            let is_start = placed.event == Some(EventKind::Parent);
            let is_read = is_start && reads.any(|read| meet(&path, &read.fields));
            placed.fills.filter(|field| is_read && !of_child.is_secret(child, field))
        });
        let Some(field) = kept else { continue };
        let saga = &child.saga;
        let message = format!(
            "`{secret}` is sensitive, and `{saga}` keeps it in `data.{field}`, which is not"
        );
        let help = format!("name `data.{field}` under `sensitive` of `{saga}`, or leave it out");
        tell(keys.key("with"), message, help);
    }
    for placed in parent.expressions() {
        let Some(field) = placed.fills.filter(|_| placed.step == Some(step)) else { continue };
        let reads = placed.expression.references();
        let secret =
            reads.iter().filter(|read| read.name == Name::Child && !read.tested).find(|read| {
                matches!(&read.fields[..], [data, field, ..]
                if data == "data" && of_child.is_secret(child, field))
            });
        let is_kept_open =
            parent.fan_out_around(step.id).is_none() && !own.is_secret(parent, field);
        if let Some(read) = secret.filter(|_| is_kept_open) {
            let message = format!(
                "`{read}` is sensitive in `{}`, and `data.{field}` is not here",
                child.saga
            );
            let help = format!("name `data.{field}` under `sensitive`, or leave it out");
            tell(keys.value(&format!("set.{field}")), message, help);
        }
    }
    found
}

/// What is handed over must be of a kind that the child can compute with.
fn misfits(
    parent: &Places,
    step: &Step,
    child: &SagaStep,
    (own, definition): (&Definition, &Definition),
) -> Vec<Finding> {
    let found = kinds::of_child(own, step, child.with.as_ref(), definition);
    let span = parent.steps[step.id.0 as usize].key("with");
    let finding = |misfit: Misfit| Finding {
        code: Code::Kinds,
        severity: Severity::Error,
        span: span.clone(),
        message: format!("`{}` cannot compute with this: {}", definition.saga, misfit.message),
        help: format!("hand over what `{}` reads; there, {}", definition.saga, misfit.help),
    };
    found.into_iter().map(finding).collect()
}

/// What the parent reads of the child's data must be there.
fn asked_for(parent: &Places, step: &Step, child: &Definition) -> Vec<Finding> {
    let known = fields_of(child);
    let of_child = parent
        .reads
        .iter()
        .filter(|read| read.step == Some(step.id) && read.name == Name::Child && !read.asked);
    let mut found = Vec::new();
    for read in of_child {
        let [data, field, ..] = &read.fields[..] else { continue };
        if data != "data" || known.contains(field) {
            continue;
        }
        let message = format!("`{}` has no field `{field}`", child.saga);
        let help = near(field, known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("fill it in `{}`, or ask first by `has(…)`", child.saga));
        found.push(fields(Severity::Error, read.span.clone(), message, help));
    }
    found
}

/// Every field that a child may remember.
fn fields_of(child: &Definition) -> BTreeSet<String> {
    let start = child.data.iter().map(|a| a.field.clone());
    let own = child
        .steps
        .iter()
        .flat_map(|step| outcome::fills(step).into_iter().chain(outcome::undo_fills(step)));
    start.chain(own).collect()
}

/// What the child reads of its start event must be handed over.
fn handed_over(
    parent: &Places,
    step: &Step,
    child: &SagaStep,
    definition: &Definition,
) -> Option<Finding> {
    // That no parent may start it is another mistake.
    if !definition.by_parent {
        return None;
    }
    let given: Vec<&str> = match &child.with {
        None => Vec::new(),
        Some(Template::Object(fields)) => fields.iter().map(|(name, _)| name.as_str()).collect(),
        // What it holds is known when it runs.
        Some(_) => return None,
    };
    let places = places_of("", &definition.source);
    let read = places.reads.iter().find(|read| {
        let field = read.fields.first();
        let at_start = read.step.is_none() && matches!(read.place, Place::Data);
        at_start
            && read.name == Name::Event
            && !read.asked
            && field.is_some_and(|field| !given.contains(&field.as_str()))
    })?;
    let field = read.fields.first()?;
    let message = format!("`{}` needs `{field}`, and nothing hands it over", definition.saga);
    let odd = given.iter().copied().filter(|name| {
        !places
            .reads
            .iter()
            .any(|r| r.name == Name::Event && r.fields.first().is_some_and(|f| f == name))
    });
    let help = near(field, odd).unwrap_or_else(|| format!("add `{field}: …` to `with`"));
    let keys = &parent.steps[step.id.0 as usize];
    let key = if keys.has("with") { keys.key("with") } else { keys.value("saga") };
    Some(fields(Severity::Error, key, message, help))
}

/// A child that has more time than its parent waits is given up at work.
fn too_long(
    parent: &Places,
    step: &Step,
    child: &SagaStep,
    definition: &Definition,
) -> Option<Finding> {
    let (given, own) = (child.within?, definition.within?);
    if own <= given {
        return None;
    }
    let (given, own) = (given.to_string(), own.to_string());
    let message = format!("`{}` may take {own}, but it is given up after {given}", definition.saga);
    let help = format!("raise `within` above {own}, or shorten that of `{}`", definition.saga);
    let span = parent.steps[step.id.0 as usize].value("within");
    let (code, severity) = (Code::WaitTooLong, Severity::Warning);
    Some(Finding { code, severity, span, message, help })
}

fn near<'n>(field: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    nearest(field, known).map(|near| format!("did you mean `{near}`?"))
}

fn fields(
    severity: Severity,
    span: std::ops::Range<usize>,
    message: String,
    help: String,
) -> Finding {
    Finding { code: Code::ChildFields, severity, span, message, help }
}

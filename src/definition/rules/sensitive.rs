use std::ops::Range;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{Composite, Nature, Sent, Step, Waiting};
use crate::expression::{Expression, Name, Reference, Template};
use crate::message::Part;

/// Finds sensitive fields where everybody can read them.
pub(super) fn check(whole: &mut Whole<'_>) {
    if whole.definition.sensitive.is_empty() {
        return;
    }
    head(whole);
    for step in whole.steps() {
        own(whole, step);
    }
    let ends = &whole.definition.ends;
    let named = [
        ("completed", &ends.completed),
        ("compensated", &ends.compensated),
        ("stuck", &ends.stuck),
    ];
    for (name, fact) in named {
        if let Some(told) = fact {
            let spot = Spot { step: None, path: format!("ends.{name}") };
            message(whole, &spot, Sent::Fact(told));
        }
    }
}

/// Where something is written.
struct Spot<'d> {
    step: Option<&'d Step>,
    path: String,
}

impl Spot<'_> {
    fn span(&self, whole: &Whole<'_>, key: &str) -> Range<usize> {
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        match self.step {
            Some(step) => whole.keys(step.id).value(&path),
            None => whole.places.file.value(&path),
        }
    }
}

/// The sensitive field that a reference reads, the whole data included.
fn leak(whole: &Whole<'_>, references: &[Reference]) -> Option<String> {
    let read = references.iter().filter(|r| r.name == Name::Data && !r.tested);
    for reference in read {
        for path in &whole.definition.sensitive {
            if path.starts_with(&reference.fields) || reference.fields.starts_with(path) {
                return Some(format!("data.{}", path.join(".")));
            }
        }
    }
    None
}

fn refuse(whole: &mut Whole<'_>, span: Range<usize>, what: &str, path: &str) {
    let message = format!("`{path}` is sensitive, and {what} can be read by everybody");
    let help = "leave it out, or name it by something that is no secret, such as its order's id";
    whole.warn(Code::Sensitive, span, message, help);
}

fn expression(whole: &mut Whole<'_>, read: Option<&Expression>, span: Range<usize>, what: &str) {
    if let Some(path) = read.and_then(|read| leak(whole, &read.references())) {
        refuse(whole, span, what, &path);
    }
}

fn template(whole: &mut Whole<'_>, read: Option<&Template>, span: Range<usize>, what: &str) {
    if let Some(path) = read.and_then(|read| leak(whole, &read.references())) {
        refuse(whole, span, what, &path);
    }
}

fn headers(whole: &mut Whole<'_>, spot: &Spot<'_>, headers: &[(String, Template)]) {
    for (name, value) in headers {
        let span = spot.span(whole, &format!("headers.{name}"));
        template(whole, Some(value), span, "a header");
    }
}

/// The key and headers of a message, and the body of a fact; a command's body goes to one
/// participant.
fn message(whole: &mut Whole<'_>, spot: &Spot<'_>, sent: Sent<'_>) {
    expression(whole, sent.key(), spot.span(whole, "key"), "a key");
    match sent {
        Sent::Command(_) => {}
        Sent::Fact(fact) | Sent::Reminder(fact) => {
            template(whole, fact.with.as_ref(), spot.span(whole, "with"), "a fact");
        }
    }
    headers(whole, spot, sent.headers());
}

/// Keys made of what fills a sensitive field.
fn head(whole: &mut Whole<'_>) {
    let definition = whole.definition;
    let secret = |key: Option<&Expression>| {
        let key = key?.references();
        let mut fields = definition
            .data
            .iter()
            .filter(|a| definition.sensitive.iter().any(|path| path.first() == Some(&a.field)));
        let same = |one: &Reference, other: &Reference| {
            (one.name, &one.fields, one.tested) == (other.name, &other.fields, other.tested)
        };
        let from = |value: &Expression| {
            let mut read = value.references().into_iter().filter(|r| r.name == Name::Event);
            read.any(|r| key.iter().any(|other| same(&r, other)))
        };
        fields.find(|a| from(&a.value)).map(|a| format!("data.{}", a.field))
    };
    let starts = definition.starts.iter().enumerate();
    let starts = starts.map(|(n, start)| (format!("start.{n}.key"), start.key.as_ref()));
    let rules = definition.events.iter().map(|rule| {
        let event_type = rule.on.event_type.as_ref().map_or("*", |t| t.as_str());
        (format!("events.{}/{event_type}.key", rule.on.topic), rule.key.as_ref())
    });
    let all: Vec<_> = starts.chain(rules).collect();
    for (path, key) in all {
        if let Some(field) = secret(key) {
            let file = &whole.places.file;
            let span = if file.has(&path) { file.value(&path) } else { file.value("start.key") };
            refuse(whole, span, "a key", &field);
        }
    }
}

fn own(whole: &mut Whole<'_>, step: &Step) {
    let spot = Spot { step: Some(step), path: String::new() };
    match step.nature() {
        Nature::Waiting(Waiting::Person(ask)) => {
            template(whole, Some(&ask.question), spot.span(whole, "question"), "a question");
        }
        Nature::Waiting(Waiting::Child(child)) => {
            expression(whole, child.key.as_ref(), spot.span(whole, "key"), "a key");
        }
        Nature::Composite(Composite::Lock(lock)) => {
            for (place, key) in lock.keys.iter().enumerate() {
                let span = spot.span(whole, &format!("lock.{place}"));
                template(whole, Some(key), span, "a lock");
            }
        }
        Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) | Nature::Composite(_) => {}
    }
    for (part, sent) in step.messages() {
        let path = match (part, sent) {
            // What asks whether something happened is for the participant alone.
            (Part::Probe, _) => continue,
            (Part::Undo(_), _) => "compensate",
            (Part::Action, Sent::Reminder(_)) => "remind",
            (Part::Action, Sent::Command(_) | Sent::Fact(_)) => "",
        };
        message(whole, &Spot { step: Some(step), path: path.to_owned() }, sent);
    }
    for (part, call) in step.calls() {
        let path = if part == Part::Action { "" } else { "compensate" };
        let spot = Spot { step: Some(step), path: path.to_owned() };
        template(whole, Some(&call.path), spot.span(whole, "call"), "an address");
        headers(whole, &spot, &call.headers);
    }
}

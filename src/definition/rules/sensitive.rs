use std::ops::Range;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::secrets::Secrets;
use crate::definition::{Composite, Nature, Sent, Step, StepId, Waiting};
use crate::expression::{Expression, Name, Reference, Template};
use crate::message::Part;

/// Finds sensitive fields where everybody can read them.
pub(super) fn check(whole: &mut Whole<'_>) {
    if whole.definition.sensitive.is_empty() {
        return;
    }
    whole.secrets = Secrets::of(whole.definition);
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

/// What is wrong with reading these paths in the open, in words.
fn leak(whole: &Whole<'_>, references: &[Reference], step: Option<StepId>) -> Option<String> {
    let each = step.and_then(|step| whole.each(step));
    references.iter().find_map(|read| {
        let secret = whole.secrets.behind(whole.definition, read, each)?;
        let text = format!("{}.{}", read.name.text(), read.fields.join("."));
        let is_other =
            whole.secrets.has(&secret) && !text.starts_with(&secret) && !secret.starts_with(&text);
        Some(if is_other {
            format!("`{text}` is set from `{secret}`, which is sensitive")
        } else {
            format!("`{secret}` is sensitive")
        })
    })
}

fn refuse(whole: &mut Whole<'_>, span: Range<usize>, what: &str, leak: &str) {
    let message = format!("{leak}, and {what} can be read by everybody");
    let help = "leave it out, or name it by something that is no secret, such as its order's id";
    whole.warn(Code::Sensitive, span, message, help);
}

/// Refuses what everybody can read if it reads something sensitive.
fn told(
    whole: &mut Whole<'_>,
    spot: &Spot<'_>,
    reads: Option<Vec<Reference>>,
    span: Range<usize>,
    what: &str,
) {
    let step = spot.step.map(|step| step.id);
    if let Some(leak) = reads.and_then(|reads| leak(whole, &reads, step)) {
        refuse(whole, span, what, &leak);
    }
}

fn headers(whole: &mut Whole<'_>, spot: &Spot<'_>, headers: &[(String, Template)]) {
    for (name, value) in headers {
        let span = spot.span(whole, &format!("headers.{name}"));
        told(whole, spot, Some(value.references()), span, "a header");
    }
}

/// The key and headers of a message, and the body of a fact; a command's body goes to one
/// participant.
fn message(whole: &mut Whole<'_>, spot: &Spot<'_>, sent: Sent<'_>) {
    told(whole, spot, sent.key().map(Expression::references), spot.span(whole, "key"), "a key");
    match sent {
        Sent::Command(_) => {}
        Sent::Fact(fact) | Sent::Reminder(fact) => {
            told(
                whole,
                spot,
                fact.with.as_ref().map(Template::references),
                spot.span(whole, "with"),
                "a fact",
            );
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
            refuse(whole, span, "a key", &format!("`{field}` is sensitive"));
        }
    }
}

fn own(whole: &mut Whole<'_>, step: &Step) {
    let spot = Spot { step: Some(step), path: String::new() };
    match step.nature() {
        Nature::Waiting(Waiting::Person(ask)) => {
            told(
                whole,
                &spot,
                Some(ask.question.references()),
                spot.span(whole, "question"),
                "a question",
            );
        }
        Nature::Waiting(Waiting::Child(child)) => {
            told(
                whole,
                &spot,
                child.key.as_ref().map(Expression::references),
                spot.span(whole, "key"),
                "a key",
            );
        }
        Nature::Composite(Composite::Lock(lock)) => {
            for (place, key) in lock.keys.iter().enumerate() {
                let span = spot.span(whole, &format!("lock.{place}"));
                told(whole, &spot, Some(key.references()), span, "a lock");
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
        told(whole, &spot, Some(call.path.references()), spot.span(whole, "call"), "an address");
        headers(whole, &spot, &call.headers);
    }
}

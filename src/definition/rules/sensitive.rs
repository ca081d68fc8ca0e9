use std::ops::Range;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::secrets::{Secrets, Spot as Reading};
use crate::definition::{Attempted, Composite, EventKind, Failed, Nature, Sent, Step, Waiting};
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
fn leak(whole: &Whole<'_>, references: &[Reference], at: Reading<'_>) -> Option<String> {
    references.iter().find_map(|read| {
        let secret = whole.secrets.behind(whole.definition, read, at)?;
        let text = read.to_string();
        let is_same = text.starts_with(&secret) || secret.starts_with(&text);
        Some(match read.name {
            Name::Data | Name::Branch if is_same => format!("`{secret}` is sensitive"),
            Name::Data | Name::Branch => {
                format!("`{text}` is set from `{secret}`, which is sensitive")
            }
            Name::Event => format!("`{text}` goes into `{secret}`, which is sensitive"),
            Name::Item
            | Name::Child
            | Name::Key
            | Name::Now
            | Name::Failure
            | Name::Index
            | Name::Fence
            | Name::Answer => format!("`{text}` tells `{secret}`, which is sensitive"),
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
    let definition = whole.definition;
    let at = spot.step.map_or_else(Reading::default, |step| Reading::in_step(definition, step));
    if let Some(leak) = reads.and_then(|reads| leak(whole, &reads, at)) {
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
    let mut all = Vec::new();
    for (place, start) in definition.starts.iter().enumerate() {
        let on = (&start.on.topic, Some(&start.on.event_type));
        all.push((format!("start.{place}.key"), "start.key", on, start.key.as_ref()));
    }
    for rule in &definition.events {
        let event_type = rule.on.event_type.as_ref();
        let name = event_type.map_or("*", |event_type| event_type.as_str());
        let path = format!("events.{}/{name}.key", rule.on.topic);
        all.push((path, "events", (&rule.on.topic, event_type), rule.key.as_ref()));
    }
    for (place, cancel) in definition.cancel.iter().enumerate() {
        let on = (&cancel.on.topic, Some(&cancel.on.event_type));
        all.push((format!("cancel.{place}.key"), "cancel.key", on, cancel.key.as_ref()));
    }
    for (path, around, on, key) in all {
        let Some(key) = key else { continue };
        let mut reads = key.references().into_iter().filter(|r| r.name == Name::Event && !r.tested);
        let secret = reads.find_map(|read| whole.secrets.of_read(on, &read.fields));
        if let Some(field) = secret {
            let file = &whole.places.file;
            let span = if file.has(&path) { file.value(&path) } else { file.value(around) };
            refuse(whole, span, "a key", &format!("`{field}` is sensitive"));
        }
    }
}

/// Reasons: they stand in the history, the log and the facts of an end.
fn reasons(whole: &mut Whole<'_>, step: &Step) {
    let at = Reading::in_step(whole.definition, step);
    let mut all: Vec<(String, Vec<Reference>, Reading<'_>)> = Vec::new();
    let path = |place: usize| {
        let path = format!("failed.{place}.reason");
        if whole.keys(step.id).has(&path) { path } else { "failed.reason".to_owned() }
    };
    match step.nature() {
        Nature::Instant(instant) => {
            let reason = instant.reason().map(Template::references);
            all.extend(reason.map(|reads| ("fail".to_owned(), reads, at)));
        }
        Nature::Attempted(Attempted::Command(command)) => {
            all.extend(by_event(&command.failed, at, path));
        }
        Nature::Attempted(Attempted::Call(call)) => {
            for (place, failed) in call.failed.iter().enumerate() {
                let at = Reading { event: Some(EventKind::Call), ..at };
                let reason = failed.reason.as_ref().map(Expression::references);
                all.extend(reason.map(|reads| (path(place), reads, at)));
            }
        }
        Nature::Waiting(Waiting::Fact(wait)) => all.extend(by_event(&wait.failed, at, path)),
        Nature::Waiting(Waiting::Time(_) | Waiting::Person(_) | Waiting::Child(_))
        | Nature::Composite(_) => {}
    }
    for (path, reads, at) in all {
        if let Some(leak) = leak(whole, &reads, at) {
            refuse(whole, whole.keys(step.id).value(&path), "a reason", &leak);
        }
    }
}

/// The reasons that events give.
fn by_event<'d>(
    all: &'d [Failed],
    at: Reading<'d>,
    path: impl Fn(usize) -> String,
) -> Vec<(String, Vec<Reference>, Reading<'d>)> {
    let mut found = Vec::new();
    for (place, failed) in all.iter().enumerate() {
        let at = Reading { event: Some(EventKind::Event(&failed.on)), ..at };
        let reads = failed.reason.as_ref().map(Expression::references);
        found.extend(reads.map(|reads| (path(place), reads, at)));
    }
    found
}

fn own(whole: &mut Whole<'_>, step: &Step) {
    reasons(whole, step);
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

use std::ops::Range;

use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::{Compensation, Fact, Remind, Step, StepKind};
use crate::expression::{Expression, Name, Reference, Template};

/// Finds sensitive fields where everybody can read them.
pub(super) fn check(whole: &mut Whole<'_>) {
    if whole.definition.sensitive.is_empty() {
        return;
    }
    head(whole);
    for step in whole.steps() {
        own(whole, step);
        undo(whole, step);
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
            fact_of(whole, &spot, told);
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

fn fact_of(whole: &mut Whole<'_>, spot: &Spot<'_>, fact: &Fact) {
    expression(whole, fact.key.as_ref(), spot.span(whole, "key"), "a key");
    template(whole, fact.with.as_ref(), spot.span(whole, "with"), "a fact");
    headers(whole, spot, &fact.headers);
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
        let from = |value: &Expression| {
            value.references().iter().any(|r| r.name == Name::Event && key.contains(r))
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
    let remind = |whole: &mut Whole<'_>, remind: Option<&Remind>| {
        if let Some(remind) = remind {
            let spot = Spot { step: Some(step), path: "remind".to_owned() };
            fact_of(whole, &spot, &remind.fact);
        }
    };
    match &step.kind {
        StepKind::Command(command) => {
            expression(whole, command.request.key.as_ref(), spot.span(whole, "key"), "a key");
            headers(whole, &spot, &command.request.headers);
        }
        StepKind::Emit(emit) => fact_of(whole, &spot, &emit.fact),
        StepKind::Wait(wait) => remind(whole, wait.remind.as_ref()),
        StepKind::Ask(ask) => {
            template(whole, Some(&ask.question), spot.span(whole, "question"), "a question");
            remind(whole, ask.remind.as_ref());
        }
        StepKind::Call(call) => {
            template(whole, Some(&call.request.path), spot.span(whole, "call"), "an address");
            headers(whole, &spot, &call.request.headers);
        }
        StepKind::Saga(child) => {
            expression(whole, child.key.as_ref(), spot.span(whole, "key"), "a key");
        }
        StepKind::Lock(lock) => {
            for (place, key) in lock.keys.iter().enumerate() {
                let span = spot.span(whole, &format!("lock.{place}"));
                template(whole, Some(key), span, "a lock");
            }
        }
        StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Sleep(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_) => {}
    }
}

fn undo(whole: &mut Whole<'_>, step: &Step) {
    let spot = Spot { step: Some(step), path: "compensate".to_owned() };
    match step.compensation() {
        Compensation::Command { request, .. } => {
            expression(whole, request.key.as_ref(), spot.span(whole, "key"), "a key");
            headers(whole, &spot, &request.headers);
        }
        Compensation::Emit(fact) => fact_of(whole, &spot, fact),
        Compensation::Call { request, .. } => {
            template(whole, Some(&request.path), spot.span(whole, "call"), "an address");
            headers(whole, &spot, &request.headers);
        }
        Compensation::Unsaid | Compensation::Nothing | Compensation::Child => {}
    }
}

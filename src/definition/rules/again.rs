//! Sagas that start themselves, alone or by way of others, without an end.

use std::collections::BTreeSet;

use crate::definition::diagnostic::{Code, Diagnostic, Severity};
use crate::definition::finding::Finding;
use crate::definition::parse::{Reader, places_of};
use crate::definition::{After, Again, Definition, Sent, Start, Step};
use crate::message::{Address, Part};

/// Says which sagas are started again by what each of their runs tells.
pub(super) fn check(all: &[(&str, &Definition)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (file, definition) in all {
        for start in definition.starts.iter().filter(|start| begins_again(start)) {
            let Some(by) = told_by(all, definition, &start.on) else { continue };
            let mut reader = Reader::new(file, &definition.source);
            let span = places_of(file, &definition.source).file.value("start");
            let whom = if by == definition.saga.as_str() {
                "every run of it".to_owned()
            } else {
                format!("every run of `{by}`, which it starts in turn,")
            };
            reader.find(Finding {
                code: Code::StartsItself,
                severity: Severity::Warning,
                span,
                message: format!(
                    "`{}` starts this saga, and {whom} tells it: this has no end",
                    start.on
                ),
                help: "start it by another event, or by a `where` that some of them do not fulfil"
                    .to_owned(),
            });
            found.extend(reader.finish());
        }
    }
    found
}

/// Whether an event of the same key starts it again, whatever it says.
fn begins_again(start: &Start) -> bool {
    start.condition.is_none() && (start.after == After::New || start.again == Again::Queue)
}

/// The saga that tells an event on every run, among those that each run of this one starts.
fn told_by<'d>(
    all: &[(&str, &'d Definition)],
    definition: &'d Definition,
    on: &Address,
) -> Option<&'d str> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut next = vec![definition];
    while let Some(one) = next.pop() {
        if !seen.insert(one.saga.as_str()) {
            continue;
        }
        let told = told(one);
        if told.contains(&on) {
            return Some(one.saga.as_str());
        }
        let starts = |start: &Start| start.condition.is_none() && told.contains(&&start.on);
        next.extend(all.iter().map(|(_, other)| *other).filter(|d| d.starts.iter().any(starts)));
    }
    None
}

/// What every run that completes tells.
fn told(definition: &Definition) -> Vec<&Address> {
    let main = definition.main().iter().map(|id| definition.step(*id));
    let steps = main.filter(|step| step.when.is_none());
    let facts = steps.flat_map(Step::messages).filter_map(|(part, sent)| match (part, sent) {
        (Part::Action, Sent::Command(_) | Sent::Fact(_)) => Some(sent.to()),
        (Part::Action, Sent::Reminder(_)) | (Part::Probe | Part::Undo(_), _) => None,
    });
    facts.chain(definition.ends.completed.iter().map(|fact| &fact.to)).collect()
}

use std::ops::Range;

use super::{again, children};
use crate::definition::diagnostic::{Code, Diagnostics, Severity};
use crate::definition::finding::Finding;
use crate::definition::parse::{Position, Reader, nearest, places_of};
use crate::definition::{Compensation, Definition, Difference, Release, SagaStep, Step, StepKind};
use crate::message::SagaName;

/// Says what is wrong between definitions: two texts of one version, children that are not there,
/// that lock under a lock, or whose pivot stands where their parent could still go back. Each
/// definition comes with its file's name.
#[must_use]
pub fn check_together<'d>(all: impl IntoIterator<Item = (&'d str, &'d Definition)>) -> Diagnostics {
    check_beside(all, &[])
}

/// The same beside files that have mistakes of their own, each with the saga that it names: what is
/// in them is not known, so nothing is said of it.
#[must_use]
pub fn check_beside<'d>(
    all: impl IntoIterator<Item = (&'d str, &'d Definition)>,
    wrong: &[SagaName],
) -> Diagnostics {
    let all: Vec<(&str, &Definition)> = all.into_iter().collect();
    let mut found = Vec::new();
    for (at, (file, definition)) in all.iter().enumerate() {
        let mut reader = Reader::new(file, &definition.source);
        let has_children = definition.steps.iter().any(|s| matches!(s.kind, StepKind::Saga(_)));
        let twin = all[..at].iter().find(|(_, other)| is_other_text(definition, other));
        if !has_children && twin.is_none() {
            continue;
        }
        let places = places_of(file, &definition.source);
        if let Some((other, _)) = twin {
            let span = places.file.value("version");
            reader.find(version_twice(definition, other, span));
        }
        for step in &definition.steps {
            let StepKind::Saga(child) = &step.kind else { continue };
            if newest(&all, child).is_none() && wrong.contains(&child.saga) {
                continue;
            }
            let keys = &places.steps[step.id.0 as usize];
            let stand = places.stands[step.id.0 as usize];
            let told = child_of(&all, definition, step, child, stand);
            if let Some((code, message, help)) = told {
                let (span, severity) = (keys.value("saga"), Severity::Error);
                reader.find(Finding { code, severity, span, message, help });
            } else if let Some(message) = kept(&all, child, stand) {
                let (code, severity) = (Code::ChildNotTakenBack, Severity::Warning);
                let help = "say `compensate: child`: it takes itself back".to_owned();
                let span = keys.value("compensate");
                reader.find(Finding { code, severity, span, message, help });
            }
            let of = definition;
            if let Some(definition) = newest(&all, child) {
                for finding in children::check((&places, of), step, child, definition) {
                    reader.find(finding);
                }
            }
        }
        found.extend(reader.finish());
    }
    found.extend(again::check(&all));
    Diagnostics::in_order(found)
}

fn is_other_text(one: &Definition, other: &Definition) -> bool {
    (&one.saga, one.version) == (&other.saga, other.version)
        && Difference::between(one, other).is_some()
}

fn version_twice(definition: &Definition, other: &str, span: Range<usize>) -> Finding {
    let Definition { saga, version, .. } = definition;
    Finding {
        code: Code::VersionTwice,
        severity: Severity::Error,
        span,
        message: format!("version {version} of `{saga}` has another text in {other}"),
        help: "raise `version:` in the newer one, or leave one of the files out".to_owned(),
    }
}

type Told = (Code, String, String);

fn child_of(
    all: &[(&str, &Definition)],
    parent: &Definition,
    step: &Step,
    child: &SagaStep,
    stand: Position,
) -> Option<Told> {
    let Some(definition) = newest(all, child) else {
        let known = all.iter().map(|(_, d)| d.saga.as_str());
        let help = match nearest(child.saga.as_str(), known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "give its file as well, or write it".to_owned(),
        };
        return Some((Code::UnknownSaga, format!("there is no saga `{}`", child.saga), help));
    };
    if !definition.by_parent {
        let message = format!("`{}` is not started by a parent", child.saga);
        let help = "add `{ by: parent }` to its `start`".to_owned();
        return Some((Code::UnknownSaga, message, help));
    }
    let under = lock_held(parent, step);
    if let (Some(outer), Some(inner)) = (under, first_lock(all, definition, 0)) {
        let message = format!(
            "`{}` locks (`{inner}`), and `{outer}` on line {} holds a lock meanwhile",
            child.saga,
            line(parent, &outer)
        );
        let help = "take all keys at once in the parent, or start the child outside the lock";
        return Some((Code::ChildLocks, message, help.to_owned()));
    }
    let pivot = definition.steps.iter().find(|s| s.pivot);
    let pivot = pivot.filter(|_| matches!(stand, Position::Before | Position::Perhaps))?;
    let message = format!(
        "`{}` has a pivot (`{}`), so it must be its parent's pivot or stand behind it",
        child.saga, pivot.name
    );
    let help = "add `pivot: true` here, or move the step behind the pivot".to_owned();
    Some((Code::ChildPivot, message, help))
}

/// The newest definition of a child.
fn newest<'d>(all: &[(&str, &'d Definition)], child: &SagaStep) -> Option<&'d Definition> {
    let all = all.iter().map(|(_, d)| *d).filter(|d| d.saga == child.saga);
    all.max_by_key(|d| d.version)
}

/// Says that a child could undo what it did and is not asked to.
fn kept(all: &[(&str, &Definition)], child: &SagaStep, stand: Position) -> Option<String> {
    let back = matches!(stand, Position::Before | Position::Perhaps);
    if !back || child.compensate != Compensation::Nothing {
        return None;
    }
    let undone =
        |step: &&Step| !matches!(step.compensation(), Compensation::Nothing | Compensation::Unsaid);
    let step = newest(all, child)?.steps.iter().find(undone)?;
    Some(format!(
        "`{}` knows how to undo what it did (`{}`), but nothing asks it to",
        child.saga, step.name
    ))
}

/// The lock that is held when a step runs, by its name.
fn lock_held(definition: &Definition, step: &Step) -> Option<String> {
    let before = definition.main().iter().map(|id| definition.step(*id));
    let held = before
        .take_while(|s| s.id < step.id)
        .find(|s| matches!(&s.kind, StepKind::Lock(lock) if lock.release == Release::End));
    if let Some(held) = held {
        return Some(held.name.to_string());
    }
    let mut around = definition.around(step.id);
    around.find(|owner| matches!(owner.kind, StepKind::Lock(_))).map(|owner| owner.name.to_string())
}

fn line(definition: &Definition, name: &str) -> u32 {
    definition.steps.iter().find(|s| s.name.as_str() == name).map_or(0, |s| s.line)
}

/// The deepest chain of children that is looked into.
const DEPTH_MAX: usize = 16;

/// A lock that a saga or one of its children takes.
fn first_lock(all: &[(&str, &Definition)], of: &Definition, depth: usize) -> Option<String> {
    let own = of.steps.iter().find(|s| matches!(s.kind, StepKind::Lock(_)));
    if let Some(own) = own {
        return Some(own.name.to_string());
    }
    if depth == DEPTH_MAX {
        return None;
    }
    of.steps.iter().find_map(|step| {
        let StepKind::Saga(child) = &step.kind else { return None };
        newest(all, child).and_then(|child| first_lock(all, child, depth + 1))
    })
}

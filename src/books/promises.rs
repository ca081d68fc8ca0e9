//! What an end promises, proved from commands, answers and facts.

use super::Rule;
use super::account::Sent;
use super::audit::{Case, Life};
use super::names::Name;
use super::plan::{Plan, Undoing};
use super::story::End;
use crate::definition::{Step, StepKind};
use crate::message::Part;

/// A step of the main line, as the topics show it.
struct Seen<'p> {
    step: &'p Step,
    name: Option<Name>,
}

fn main_line<'p>(case: &Case<'p>, life: &Life<'_>) -> Vec<Seen<'p>> {
    let names = life.sent.iter().map(|s| s.step).chain(life.story.steps.keys().copied());
    let names: std::collections::BTreeMap<&str, Name> =
        names.map(|name| (case.text(name), name)).collect();
    case.plan
        .main()
        .map(|step| Seen { step, name: names.get(step.name.as_str()).copied() })
        .collect()
}

/// Completed: every step that is not conditional is done, and nothing is undone.
pub(super) fn completed(case: &mut Case<'_>, life: &Life<'_>) {
    if life.story.is_acted {
        return;
    }
    for Seen { step, name } in main_line(case, life) {
        let sent = name.and_then(|name| life.first(name, false));
        let is_message = matches!(step.kind, StepKind::Command(_) | StepKind::Emit(_));
        match (sent, name) {
            (Some(sent), Some(name)) if sent.is_command => {
                let said = case.answers.to((life.number, name, false));
                let fine = said.may_be_done() || (said.may_be_failed() && Plan::survives_no(step));
                if !fine {
                    let words =
                        format!("it completed, but nothing says that {} is done", step.name);
                    case.broken(Rule::Completed, Some(sent.place), words);
                }
            }
            (None, _) if is_message && step.when.is_none() => {
                let words = format!("it completed without {}", step.name);
                case.broken(Rule::Completed, None, words);
            }
            (Some(_) | None, _) => {}
        }
        let undo = name.and_then(|name| life.first(name, true));
        let told = name.map(|name| life.story.step(name)).unwrap_or_default();
        if let Some(undo) = undo.filter(|_| !told.given_up && !told.late) {
            let words = format!("it completed, but {} was undone", step.name);
            case.broken(Rule::Completed, Some(undo.place), words);
        }
    }
}

/// Compensated: exactly what may have happened is undone.
pub(super) fn compensated(case: &mut Case<'_>, life: &Life<'_>) {
    if life.story.is_acted {
        return;
    }
    for Seen { step, name } in main_line(case, life) {
        let undoing = case.plan.undoing(step.name.as_str());
        let Some(name) = name.filter(|_| undoing != Undoing::Nothing) else {
            continue;
        };
        let action = life.first(name, false);
        let undo = life.first(name, true);
        let said = case.answers.to((life.number, name, false));
        let told = life.story.step(name);
        let request = (life.number, name, false);
        let refused = said.is_surely_failed()
            && (told.rejected || case.answers.is_refused_in_time(request, &life.sent));
        let happened = action.is_some_and(|a| !a.is_command || !refused);
        match (happened, undo) {
            (true, None) => {
                let words = format!("{} may have happened and no undoing was sent", step.name);
                case.broken(Rule::Compensated, action.map(|a| a.place), words);
            }
            (false, Some(undo)) => {
                let words = format!("{} was undone although it did not happen", step.name);
                case.broken(Rule::Compensated, Some(undo.place), words);
            }
            (true, Some(undo)) => {
                let said = case.answers.to((life.number, name, true));
                if undo.is_command && !said.may_be_done() {
                    let words = format!("nothing says that the undoing of {} is done", step.name);
                    case.broken(Rule::Compensated, Some(undo.place), words);
                }
            }
            (false, None) => {}
        }
    }
}

/// The history says what the answers say, and all answers to one request agree.
pub(super) fn answered(case: &mut Case<'_>, life: &Life<'_>, end: Option<End>) {
    for Seen { step, name } in main_line(case, life) {
        let Some(name) = name.filter(|_| matches!(step.kind, StepKind::Command(_))) else {
            continue;
        };
        let said = case.answers.to((life.number, name, false));
        let undone = case.answers.to((life.number, name, true));
        let told = life.story.step(name);
        let place = life.first(name, false).map(|sent| sent.place);
        if said.contradicts_itself() {
            let words = format!("{} is answered as done and as failed", step.name);
            case.broken(Rule::Answers, place, words);
        }
        if life.story.is_acted || !case.books.has_history {
            continue;
        }
        let mut broken = |words: &str| {
            let words = format!("{} {words}", step.name);
            case.broken(Rule::Answers, place, words);
        };
        if told.succeeded && !said.may_be_done() {
            broken("succeeded by an answer that is on no topic");
        }
        if told.rejected && !said.may_be_failed() {
            broken("was rejected by an answer that is on no topic");
        }
        if told.late && !said.may_be_done() {
            broken("succeeded late by an answer that is on no topic");
        }
        let by_command = case.plan.undoing(step.name.as_str()) == Undoing::Command;
        if told.undone > 0 && by_command && !undone.may_be_done() {
            let words = format!("{} was undone by an answer that is on no topic", step.name);
            case.broken(Rule::Answers, place, words);
        }
        let obeyed = told.succeeded || told.rejected || told.given_up || told.late_answer;
        if end.is_some() && said.is_clear() && !obeyed {
            let words = format!("{} was answered, and nothing came of it", step.name);
            case.broken(Rule::Answers, place, words);
        }
    }
}

/// Undone in reverse order, as far as causes and offsets within one partition show it.
pub(super) fn reverse(case: &mut Case<'_>, life: &Life<'_>) {
    if life.story.is_acted {
        return;
    }
    let first = |s: &&&Sent| s.is_command && s.part == Part::Undo(1) && s.attempt == 1;
    let undos: Vec<&Sent> = life.sent.iter().filter(first).copied().collect();
    for undo in &undos {
        let name = case.text(undo.step);
        let Some(own) = case.plan.place(name).filter(|_| !life.story.step(undo.step).late) else {
            continue;
        };
        let answered = undo.cause.and_then(|id| case.answers.undone_by.get(&id)).copied();
        let after = answered.filter(|(generation, ..)| *generation == life.number);
        let before = undos.iter().filter(|other| {
            other.place.topic == undo.place.topic
                && other.place.partition == undo.place.partition
                && other.place.offset < undo.place.offset
                && !life.story.step(other.step).late
        });
        let before: Vec<Name> =
            before.map(|other| other.step).chain(after.map(|(_, step, _)| step)).collect();
        for other in before {
            let other = case.text(other);
            if case.plan.place(other).is_some_and(|place| place < own) {
                let words = format!("{name} was undone after {other}, which was done before it");
                case.broken(Rule::Reverse, Some(undo.place), words);
            }
        }
    }
}

//! What a life promises: at its end, to its answers, and in the order of its undoings.

use super::Rule;
use super::account::Sent;
use super::case::{Case, LifeCase};
use super::names::Name;
use super::plan::{Plan, Undoing};
use super::story::{End, Told};
use crate::definition::{Step, StepKind};
use crate::message::{Part, PartKind};

/// A step, as the topics show it.
struct Seen<'p> {
    step: &'p Step,
    name: Name,
    told: Told,
}

/// Every step that the topics or the history know of.
fn seen<'p>(case: &Case<'p>, life: &LifeCase<'_>) -> Vec<Seen<'p>> {
    let names = life.sent.iter().map(|s| s.step).chain(life.story.steps.keys().copied());
    let names: std::collections::BTreeSet<Name> = names.collect();
    let step = |name: Name| {
        let step = case.plan.find(case.text(name))?;
        let mut told = life.story.step(name);
        // Without a history nothing is told, and it stands where it stands.
        told.spot = told.spot.or_else(|| case.plan.spot(case.text(name)));
        Some(Seen { step, name, told })
    };
    names.into_iter().filter_map(step).collect()
}

/// Whether a step is, or without a history may be, left behind while the saga goes on.
fn is_left(case: &Case<'_>, life: &LifeCase<'_>, told: &Told) -> bool {
    let Some(spot) = &told.spot else { return false };
    if case.books.has_history {
        life.story.left_behind(case.plan, spot).is_some()
    } else {
        case.plan.may_be_left(spot)
    }
}

/// Completed: every step that is not conditional is done, and nothing is undone.
pub(super) fn completed(case: &mut Case<'_>, life: &LifeCase<'_>) {
    if life.story.is_acted {
        return;
    }
    let all = seen(case, life);
    for Seen { step, name, told } in &all {
        if is_left(case, life, told) {
            continue;
        }
        let what = case.text(*name);
        if let Some(sent) = life.first(*name, PartKind::Action).filter(|sent| sent.is_command) {
            let said = case.answers.to((life.number, *name, PartKind::Action));
            let probed = case.answers.to((life.number, *name, PartKind::Probe));
            let goes_on = said.may_be_failed() && step.may_be_passed();
            if !(said.may_be_done() || probed.may_be_done() || goes_on) {
                let words = format!("it completed, but nothing says that {what} is done");
                case.broken(Rule::Completed, Some(sent.place), words);
            }
        }
        let undo = life.first(*name, PartKind::Undo);
        if let Some(undo) = undo.filter(|_| !told.given_up && !told.late) {
            let words = format!("it completed, but {what} was undone");
            case.broken(Rule::Completed, Some(undo.place), words);
        }
    }
    for step in case.plan.definition.main() {
        let step = case.plan.definition.step(*step);
        let is_message = matches!(step.kind, StepKind::Command(_) | StepKind::Emit(_));
        let sent = all.iter().find(|seen| seen.step.id == step.id);
        let sent = sent.is_some_and(|seen| life.first(seen.name, PartKind::Action).is_some());
        if is_message && step.when.is_none() && !sent {
            let words = format!("it completed without {}", step.name);
            case.broken(Rule::Completed, None, words);
        }
    }
}

/// Compensated: exactly what may have happened is undone.
pub(super) fn compensated(case: &mut Case<'_>, life: &LifeCase<'_>) {
    if life.story.is_acted {
        return;
    }
    for Seen { step, name, told } in seen(case, life) {
        let what = case.text(name);
        let undoing = case.plan.undoing(what);
        let on_topics = matches!(step.kind, StepKind::Command(_) | StepKind::Emit(_))
            && matches!(undoing, Undoing::Command | Undoing::Fact);
        if !on_topics {
            continue;
        }
        let action = life.first(name, PartKind::Action);
        let undo = life.first(name, PartKind::Undo);
        let happened =
            action.is_some_and(|a| !a.is_command || !is_refused(case, life, name, &told));
        match (happened, undo) {
            (true, None) => {
                let words = format!("{what} may have happened and no undoing was sent");
                case.broken(Rule::Compensated, action.map(|a| a.place), words);
            }
            (false, Some(undo)) if told.undoings == 0 || !told.late_answer => {
                let words = format!("{what} was undone although it did not happen");
                case.broken(Rule::Compensated, Some(undo.place), words);
            }
            (true, Some(undo)) => {
                let said = case.answers.to((life.number, name, PartKind::Undo));
                if undo.is_command && !said.may_be_done() {
                    let words = format!("nothing says that the undoing of {what} is done");
                    case.broken(Rule::Compensated, Some(undo.place), words);
                }
            }
            (false, Some(_) | None) => {}
        }
    }
}

/// Whether it is known, and was known in time, that an action did not happen.
fn is_refused(case: &Case<'_>, life: &LifeCase<'_>, name: Name, told: &Told) -> bool {
    let request = (life.number, name, PartKind::Action);
    let said = case.answers.to(request);
    let probed = case.answers.to((life.number, name, PartKind::Probe));
    if case.books.has_history {
        // That an answer supports what the history says is looked at elsewhere.
        return !told.happened;
    }
    if probed.may_be_failed() {
        return life.first(name, PartKind::Undo).is_none();
    }
    // A refusal in time may send nothing, while something else is still being undone.
    let in_time = case.answers.is_refused_in_time(request, &life.sent);
    said.is_surely_failed() && (in_time || life.first(name, PartKind::Undo).is_none())
}

/// The history says what the answers say, and all answers to one request agree.
pub(super) fn answered(case: &mut Case<'_>, life: &LifeCase<'_>, end: Option<End>) {
    for Seen { step, name, told } in seen(case, life) {
        let what = case.text(name);
        let place = life.first(name, PartKind::Action).map(|sent| sent.place);
        for words in unanswered(case, life, end, step, name, &told) {
            case.broken(Rule::Answers, place, format!("{what} {words}"));
        }
    }
}

/// What the answers to one step do not support, in words behind its name.
fn unanswered(
    case: &Case<'_>,
    life: &LifeCase<'_>,
    end: Option<End>,
    step: &Step,
    name: Name,
    told: &Told,
) -> Vec<&'static str> {
    let [said, probed, undone] = [PartKind::Action, PartKind::Probe, PartKind::Undo]
        .map(|part| case.answers.to((life.number, name, part)));
    let is_command = matches!(step.kind, StepKind::Command(_));
    let by_event = is_command || matches!(step.kind, StepKind::Wait(_));
    let (done, refused) = (
        said.may_be_done() || probed.may_be_done(),
        said.may_be_failed() || probed.may_be_failed() || (told.timed_out && !is_command),
    );
    let mut words = Vec::new();
    // What was undone may be refused when it comes again.
    if is_command && said.contradicts_itself() && life.first(name, PartKind::Undo).is_none() {
        words.push("is answered as done and as failed");
    }
    if life.story.is_acted || !case.books.has_history {
        return words;
    }
    if by_event && told.succeeded && !done {
        words.push("succeeded by an answer that is on no topic");
    }
    if by_event && told.rejected && !refused {
        words.push("was rejected by an answer that is on no topic");
    }
    if is_command && told.late && !said.may_be_done() {
        words.push("succeeded late by an answer that is on no topic");
    }
    let is_ask = matches!(step.kind, StepKind::Ask(_));
    if is_ask
        && (told.succeeded || (told.rejected && !told.timed_out))
        && !is_said(case, step, name)
    {
        words.push("was decided by nobody who stands on a topic");
    }
    let by_command = undoing_is_sent(case.plan, case.text(name), told);
    if told.undone > 0 && by_command && !undone.may_be_done() {
        words.push("was undone by an answer that is on no topic");
    }
    let obeyed = told.succeeded || told.rejected || told.given_up || told.late_answer;
    if is_command && end.is_some() && said.is_clear() && !obeyed {
        words.push("was answered, and nothing came of it");
    }
    words
}

/// Whether a person answered a question; they may name the step in full, by its name, or not.
fn is_said(case: &Case<'_>, step: &Step, name: Name) -> bool {
    let names = ["", step.name.as_str(), case.text(name)];
    case.account.said.iter().any(|said| names.contains(&case.text(*said)))
}

/// Whether a step was undone by a command; a child may have taken itself back before.
fn undoing_is_sent(plan: &Plan, what: &str, told: &Told) -> bool {
    plan.undoing(what) == Undoing::Command && !told.asked_back
}

/// Undone in reverse order, as far as causes and offsets within one partition show it.
pub(super) fn reverse(case: &mut Case<'_>, life: &LifeCase<'_>) {
    if life.story.is_acted {
        return;
    }
    let first = |s: &&&Sent| s.is_command && s.part == Part::Undo(1) && s.attempt == 1;
    let undos: Vec<&Sent> = life.sent.iter().filter(first).copied().collect();
    for undo in &undos {
        let name = case.text(undo.step);
        let Some(own) = case.plan.spot(name).filter(|_| !life.story.step(undo.step).late) else {
            continue;
        };
        let answered = undo.cause.and_then(|id| case.answers.undone_by.get(&id)).copied();
        let after = answered.filter(|(of, ..)| *of == life.number);
        let before = undos.iter().filter(|other| {
            other.place.topic == undo.place.topic
                && other.place.partition == undo.place.partition
                && other.place.offset < undo.place.offset
                && !life.story.step(other.step).late
        });
        let before: Vec<Name> =
            before.map(|other| other.step).chain(after.map(|(_, step, _)| step)).collect();
        for other in before {
            let told = Told { spot: case.plan.spot(case.text(other)), ..Told::default() };
            let earlier = told.spot.as_ref().is_some_and(|spot| own.follows(spot).is_some());
            if earlier && !is_left(case, life, &told) {
                let other = case.text(other);
                let words = format!("{name} was undone after {other}, which was done before it");
                case.broken(Rule::Reverse, Some(undo.place), words);
            }
        }
    }
}

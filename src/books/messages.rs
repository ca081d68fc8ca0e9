//! What the history says was sent stands on the topics, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;
use super::account::Place;
use super::case::{Case, LifeCase};
use super::names::Name;
use super::plan::{Sort, Undoing};
use super::story::{Attempt, Told};
use crate::message::PartKind;

/// Compares both sides of one life.
pub(super) fn as_the_topics(case: &mut Case<'_>, life: &LifeCase<'_>) {
    requests(case, life);
    told(case, life);
    facts(case, life);
    fences(case, life);
    asked(case, life);
}

fn requests(case: &mut Case<'_>, life: &LifeCase<'_>) {
    let mut seen: BTreeMap<Attempt, (u32, Place)> = BTreeMap::new();
    for sent in life.sent.iter().filter(|s| s.is_command) {
        let key = (sent.step, sent.part.kind(), sent.attempt);
        seen.entry(key).or_insert((0, sent.place)).0 += 1;
    }
    for (key, told) in &life.story.sent {
        let count = seen.get(key).map_or(0, |(count, _)| *count);
        if count < *told {
            let words = format!("{} is in the history, but on no topic", named(case, key));
            case.broken(Rule::History, None, words);
        }
    }
    for (key, (count, place)) in &seen {
        if *count > life.story.sent.get(key).copied().unwrap_or(0) {
            let words = format!("{} is on a topic, but not in the history", named(case, key));
            case.broken(Rule::History, Some(*place), words);
        }
    }
}

fn words(part: PartKind) -> &'static str {
    match part {
        PartKind::Action => "the command",
        PartKind::Probe => "the probe",
        PartKind::Undo => "the undoing",
    }
}

fn named(case: &Case<'_>, (step, part, attempt): &Attempt) -> String {
    format!("{} of {}, attempt {attempt},", words(*part), case.text(*step))
}

/// Facts, and their corrections, that the history tells of.
fn told(case: &mut Case<'_>, life: &LifeCase<'_>) {
    for (step, told) in &life.story.steps {
        let name = case.text(*step);
        if told.announced && life.first(*step, PartKind::Action).is_none() {
            let words = format!("the fact of {name} is in the history, but on no topic");
            case.broken(Rule::History, None, words);
        }
        let corrected = told.undone > 0 && told.undoing == Undoing::Fact;
        if corrected && life.first(*step, PartKind::Undo).is_none() {
            let words = format!("{name} is undone by a fact that is on no topic");
            case.broken(Rule::History, None, words);
        }
    }
    for (step, transition) in &life.story.reminded {
        let is_it =
            |s: &&super::account::Sent| s.step == *step && u64::from(s.attempt) == *transition;
        if !life.sent.iter().copied().any(|sent| is_it(&sent)) {
            let words = format!("a reminder of {} is on no topic", case.text(*step));
            case.broken(Rule::History, None, words);
        }
    }
}

/// Facts that stand on a topic, and those that must.
fn facts(case: &mut Case<'_>, life: &LifeCase<'_>) {
    for sent in life.sent.iter().filter(|s| !s.is_command) {
        let name = case.text(sent.step);
        let told: Told = life.story.step(sent.step);
        let reminder =
            case.plan.message(name, sent.part.kind()).is_some_and(|e| e.sort == Sort::Reminder);
        let known = match name {
            "ends.completed" | "ends.compensated" => true,
            _ if name.starts_with("ends.stuck.") => {
                life.story.stuck.keys().any(|step| case.text(*step) == stuck_at(name))
            }
            _ if reminder => life.story.reminded.contains(&(sent.step, u64::from(sent.attempt))),
            _ if sent.part.kind() == PartKind::Undo => told.undone > 0,
            _ => told.announced,
        };
        if !known {
            let words = format!("the fact of {name} is on a topic, but not in the history");
            case.broken(Rule::History, Some(sent.place), words);
        }
    }
    if case.plan.message("ends.stuck", PartKind::Action).is_none() {
        return;
    }
    let facts = life.sent.iter().map(|s| case.text(s.step));
    let answered: BTreeSet<&str> =
        facts.filter(|n| n.starts_with("ends.stuck.")).map(stuck_at).collect();
    for step in life.story.stuck.keys() {
        let step = case.text(*step);
        if !answered.contains(step) {
            let words = format!("nobody was told that it is stuck at {step}");
            case.broken(Rule::Ended, None, words);
        }
    }
}

/// The step that `ends.stuck.<step>` and `ends.stuck.<step>.undo` tell of.
fn stuck_at(name: &str) -> &str {
    let step = name.strip_prefix("ends.stuck.").unwrap_or(name);
    step.strip_suffix(".undo").unwrap_or(step)
}

/// What is sent under a lock carries the token under which it was sent.
fn fences(case: &mut Case<'_>, life: &LifeCase<'_>) {
    for sent in life.sent.iter().filter(|s| !s.fences.is_empty() && !s.is_again()) {
        let key = (sent.step, sent.part.kind(), sent.attempt);
        let Some(under) = life.story.under.get(&key) else { continue };
        let fits = |seen: &str| under.iter().any(|(_, token)| seen == token.to_string());
        if let Some(wrong) = sent.fences.iter().find(|seen| !fits(seen)) {
            let words =
                format!("{} carries the token {wrong}, which is not its own", named(case, &key));
            case.broken(Rule::Exclusive, Some(sent.place), words);
        }
    }
}

/// Every question that was asked stands on its topic, once.
fn asked(case: &mut Case<'_>, life: &LifeCase<'_>) {
    let own = case.account.questions.iter().filter(|(number, ..)| *number == life.number);
    let seen: BTreeSet<(Name, u64)> = own.map(|(_, step, at)| (*step, u64::from(*at))).collect();
    for (step, _) in life.story.asked.difference(&seen) {
        let words =
            format!("the question of {} is in the history, but on no topic", case.text(*step));
        case.broken(Rule::History, None, words);
    }
    for (step, _) in seen.difference(&life.story.asked) {
        let words =
            format!("the question of {} is on a topic, but not in the history", case.text(*step));
        case.broken(Rule::History, None, words);
    }
}

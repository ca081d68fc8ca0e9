//! What the history tells of one life of an instance, and the promises that it must keep.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Noted, Place, Turn};
use super::carried::Text;
use super::names::{Name, Names};
use super::plan::{Plan, Undoing};
use super::{Delivery, Rule};
use crate::engine::NoteKind;

/// Both ways that a saga ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Completed,
    Compensated,
}

/// One life of an instance, folded from its history.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub is_started: bool,
    pub ended: Option<End>,
    pub is_stuck: bool,
    /// How often it was told to be stuck, by step.
    pub stuck: BTreeMap<Name, u32>,
    pub failure: Option<Text>,
    /// Whether a person acted: then promises about single steps are theirs.
    pub is_acted: bool,
    pub late: u64,
    pub steps: BTreeMap<Name, Told>,
    /// What was sent: step, whether it undoes, attempt.
    pub sent: BTreeMap<(Name, bool, u32), u32>,
    /// Steps in the order in which they were done or given up.
    completions: Vec<Name>,
    pub broken: Vec<(Rule, Place, String)>,
}

/// What the history tells of one step.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each may hold beside any other")]
pub(super) struct Told {
    pub succeeded: bool,
    pub rejected: bool,
    pub given_up: bool,
    pub announced: bool,
    pub skipped: bool,
    /// A success that came after it was given up.
    pub late: bool,
    /// An answer, whichever, that came after it was given up.
    pub late_answer: bool,
    pub undoings: u32,
    pub undone: u32,
}

/// The kind of note that a word of the history is.
pub(super) fn kind_of(word: &str) -> Option<NoteKind> {
    const ALL: [NoteKind; 20] = [
        NoteKind::Started,
        NoteKind::Queued,
        NoteKind::Sent,
        NoteKind::Told,
        NoteKind::Succeeded,
        NoteKind::Rejected,
        NoteKind::Skipped,
        NoteKind::TimedOut,
        NoteKind::GivenUp,
        NoteKind::WentBack,
        NoteKind::Undoing,
        NoteKind::Undone,
        NoteKind::Late,
        NoteKind::Cancelled,
        NoteKind::Refused,
        NoteKind::Stuck,
        NoteKind::Acted,
        NoteKind::Completed,
        NoteKind::Compensated,
        NoteKind::Forgotten,
    ];
    ALL.into_iter().find(|kind| kind.text() == word)
}

/// The stories of an instance's lives, by generation.
pub(super) fn stories(
    plan: &Plan,
    names: &Names,
    turns: &[Turn],
    delivery: Delivery,
) -> BTreeMap<u32, Story> {
    let mut stories: BTreeMap<u32, Story> = BTreeMap::new();
    let mut seen: BTreeMap<(u32, u64), &[Noted]> = BTreeMap::new();
    for turn in turns {
        let number = (turn.generation, turn.transition);
        if turn.transition > 0 {
            match seen.get(&number) {
                Some(notes) if delivery == Delivery::AtLeastOnce && *notes == turn.notes => {
                    continue;
                }
                Some(_) => {
                    let words = format!("transition {} stands in the history twice", number.1);
                    let story = stories.entry(turn.generation).or_default();
                    story.broken.push((Rule::Once, turn.place, words));
                }
                None => {
                    seen.insert(number, &turn.notes);
                }
            }
        }
        // A start that waited begins in the transition that ended the life before it.
        let begins = turn.notes.iter().position(|n| n.kind == NoteKind::Started);
        for (place, note) in turn.notes.iter().enumerate() {
            let before = begins.is_some_and(|begins| place < begins) && turn.generation > 1;
            let generation = turn.generation - u32::from(before);
            let story = stories.entry(generation).or_default();
            story.take(plan, names, note, turn.place);
            if note.kind != NoteKind::Forgotten {
                story.is_stuck = turn.is_stuck && !before;
            }
        }
    }
    stories
}

impl Story {
    pub fn step(&self, step: Name) -> Told {
        self.steps.get(&step).copied().unwrap_or_default()
    }

    fn take(&mut self, plan: &Plan, names: &Names, note: &Noted, place: Place) {
        let name = names.text(note.step);
        let mut broken = Vec::new();
        match note.kind {
            NoteKind::Started => {
                if self.is_started {
                    broken.push((Rule::Started, "it started twice".to_owned()));
                }
                self.is_started = true;
            }
            NoteKind::Sent => {
                if self.ended.is_some() {
                    broken.push((Rule::AfterEnd, format!("{name} was commanded after the end")));
                }
                *self.sent.entry((note.step, false, note.attempt)).or_default() += 1;
            }
            NoteKind::Undoing => {
                *self.sent.entry((note.step, true, note.attempt)).or_default() += 1;
                if note.attempt == 1 {
                    broken = self.undoing(plan, names, note.step);
                }
            }
            NoteKind::Undone => {
                if plan.undoing(name) == Undoing::Fact {
                    broken = self.undoing(plan, names, note.step);
                }
                self.told(note.step).undone += 1;
            }
            NoteKind::Told => {
                if self.ended.is_some() {
                    broken.push((Rule::AfterEnd, format!("{name} was told after the end")));
                }
                self.told(note.step).announced = true;
                self.completions.push(note.step);
            }
            NoteKind::Succeeded => {
                self.told(note.step).succeeded = true;
                self.completions.push(note.step);
            }
            NoteKind::Rejected => self.told(note.step).rejected = true,
            NoteKind::Skipped => self.told(note.step).skipped = true,
            NoteKind::GivenUp => {
                self.told(note.step).given_up = true;
                self.completions.push(note.step);
            }
            NoteKind::Late => self.late(note),
            NoteKind::WentBack => self.failure.clone_from(&note.words),
            NoteKind::Stuck => *self.stuck.entry(note.step).or_default() += 1,
            NoteKind::Acted => self.is_acted = true,
            NoteKind::Completed => broken = self.end(plan, names, End::Completed),
            NoteKind::Compensated => broken = self.end(plan, names, End::Compensated),
            NoteKind::Queued
            | NoteKind::TimedOut
            | NoteKind::Cancelled
            | NoteKind::Refused
            | NoteKind::Forgotten
            | NoteKind::Probed
            | NoteKind::Waiting
            | NoteKind::Asked
            | NoteKind::Reminded
            | NoteKind::Kept
            | NoteKind::Dropped
            | NoteKind::Locked
            | NoteKind::Released => {}
        }
        self.broken.extend(broken.into_iter().map(|(rule, words)| (rule, place, words)));
    }

    fn told(&mut self, step: Name) -> &mut Told {
        self.steps.entry(step).or_default()
    }

    fn late(&mut self, note: &Noted) {
        self.late += 1;
        let happened = note.words.as_deref().is_some_and(|w| w.contains("has happened"));
        let told = self.told(note.step);
        told.late_answer = true;
        if happened {
            told.late = true;
            if !self.completions.contains(&note.step) {
                self.completions.push(note.step);
            }
        }
    }

    /// An undoing begins: of what may have happened, after all that was done later is undone.
    fn undoing(&mut self, plan: &Plan, names: &Names, step: Name) -> Vec<(Rule, String)> {
        let mut broken = Vec::new();
        let name = names.text(step);
        let told = self.step(step);
        let place = self.completions.iter().rposition(|s| *s == step);
        if self.ended.is_some() && !told.late && !self.is_acted {
            broken
                .push((Rule::AfterEnd, format!("{name} is undone after the end, not being late")));
        }
        if told.undoings > 0 && !told.late && !self.is_acted {
            broken.push((Rule::Compensated, format!("{name} is undone once too often")));
        }
        match place {
            None => {
                let words = format!("{name} is undone although it surely did not happen");
                broken.push((Rule::Compensated, words));
            }
            Some(place) if self.ended.is_none() && told.undoings == 0 && !told.late => {
                let later = self.completions[place + 1..].iter().find(|other| {
                    **other != step
                        && plan.undoing(names.text(**other)) != Undoing::Nothing
                        && self.step(**other).undone == 0
                });
                if let Some(other) = later {
                    let other = names.text(*other);
                    let words = format!("{name} is undone before {other}, which was done later");
                    broken.push((Rule::Reverse, words));
                }
            }
            Some(_) => {}
        }
        self.told(step).undoings += 1;
        broken
    }

    fn end(&mut self, plan: &Plan, names: &Names, end: End) -> Vec<(Rule, String)> {
        let mut broken = Vec::new();
        if self.ended.is_some() {
            broken.push((Rule::Ended, "it ended twice".to_owned()));
        }
        self.ended = Some(end);
        if end == End::Compensated {
            let owed: BTreeSet<Name> = self.completions.iter().copied().collect();
            for step in owed {
                let name = names.text(step);
                if plan.undoing(name) != Undoing::Nothing && self.step(step).undone == 0 {
                    let words = format!("{name} may have happened and was not undone");
                    broken.push((Rule::Compensated, words));
                }
            }
        }
        broken
    }
}

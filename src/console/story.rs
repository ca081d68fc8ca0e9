//! The history of an instance as people read it.

use super::sentence::Titles;
use super::times::{of_day, took};
use crate::engine::NoteKind;
use crate::view::{Entry, NoteTold};

/// One transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoryEntry {
    pub transition: u64,
    /// The time of day.
    pub at: String,
    pub exact: String,
    /// How long after the entry before: `+1.2 s`; empty for the first, and for less than 10 ms.
    pub gap: String,
    /// The life, where another one begins.
    pub life: String,
    pub notes: Vec<StoryNote>,
    /// Where it stands: `topic[partition]@offset`.
    pub stored: String,
    /// Where that stood which it came of.
    pub input: String,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoryNote {
    pub kind: String,
    /// How it looks: `is-forward`, `is-back`, `is-waiting`, `is-trouble`, `is-person`, `is-quiet`.
    pub class: &'static str,
    /// The step, in its author's words.
    pub step: String,
    pub words: String,
}

/// The history, entry by entry.
pub(super) fn story(entries: &[Entry], titles: &Titles) -> Vec<StoryEntry> {
    let before = std::iter::once(None).chain(entries.iter().map(Some));
    entries.iter().zip(before).map(|(entry, before)| told(entry, before, titles)).collect()
}

fn told(entry: &Entry, before: Option<&Entry>, titles: &Titles) -> StoryEntry {
    let gap = before.map(|before| entry.at.0.since(before.at.0)).filter(|gap| gap.0 >= 10);
    let is_new = before.is_some_and(|before| before.life != entry.life);
    let place = |place: &crate::view::Coordinates| {
        format!("{}[{}]@{}", place.topic, place.partition, place.offset)
    };
    StoryEntry {
        transition: entry.transition,
        at: of_day(entry.at),
        exact: entry.at.to_string(),
        gap: gap.map_or_else(String::new, |gap| format!("+{}", took(gap))),
        life: if is_new { entry.life.clone() } else { String::new() },
        notes: entry.notes.iter().map(|note| note_told(note, titles)).collect(),
        stored: place(&entry.stored),
        input: place(&entry.input),
    }
}

fn note_told(note: &NoteTold, titles: &Titles) -> StoryNote {
    StoryNote {
        kind: note.kind.replace('-', " "),
        class: kind(note).map_or("is-quiet", class),
        step: note.step.as_deref().map(|step| titles.name(step)).unwrap_or_default(),
        words: note.words.clone(),
    }
}

/// What kind of thing a note tells of; none if a newer Segue wrote it.
pub(super) fn kind(note: &NoteTold) -> Option<NoteKind> {
    NoteKind::ALL.into_iter().find(|kind| kind.text() == note.kind)
}

fn class(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Started
        | NoteKind::Sent
        | NoteKind::Told
        | NoteKind::Succeeded
        | NoteKind::Completed
        | NoteKind::Locked => "is-forward",
        NoteKind::WentBack
        | NoteKind::Undoing
        | NoteKind::Undone
        | NoteKind::Cancelled
        | NoteKind::Compensated
        | NoteKind::Dropped => "is-back",
        NoteKind::Waiting
        | NoteKind::Asked
        | NoteKind::Reminded
        | NoteKind::Queued
        | NoteKind::Kept
        | NoteKind::Held => "is-waiting",
        NoteKind::Rejected
        | NoteKind::TimedOut
        | NoteKind::GivenUp
        | NoteKind::Stuck
        | NoteKind::Refused
        | NoteKind::Late => "is-trouble",
        NoteKind::Acted | NoteKind::DataSet | NoteKind::Paused | NoteKind::Resumed => "is-person",
        NoteKind::Skipped
        | NoteKind::Extended
        | NoteKind::Probed
        | NoteKind::Forgotten
        | NoteKind::Released
        | NoteKind::Withdrawn => "is-quiet",
    }
}

use std::collections::BTreeMap;

use crate::engine::{Note, NoteKind};
use crate::message::{SagaName, StepName};
use crate::runtime::Observed;

/// Says in a shop owner's words what happens to each saga, a line for each thing that matters.
#[derive(Debug)]
pub(super) struct Narrator {
    titles: BTreeMap<(SagaName, StepName), String>,
    many: bool,
}

impl Narrator {
    /// `titles` are the definitions' own words for their steps.
    pub fn new(titles: BTreeMap<(SagaName, StepName), String>) -> Self {
        let mut sagas: Vec<_> = titles.keys().map(|(saga, _)| saga).collect();
        sagas.dedup();
        let many = sagas.len() > 1;
        Self { titles, many }
    }

    pub fn lines(&self, seen: &Observed) -> Vec<String> {
        let lines = seen.notes.iter().filter_map(|note| self.words(&seen.id.saga, note));
        let time = seen.at.to_string();
        let time = time.split('T').nth(1).unwrap_or(&time).trim_end_matches('Z').to_owned();
        let who = if self.many { seen.id.to_string() } else { seen.id.key.to_string() };
        lines.map(|words| format!("{time}  {who:<8}  {words}")).collect()
    }

    fn words(&self, saga: &SagaName, note: &Note) -> Option<String> {
        let step = note.step.as_ref().map(|step| self.title(saga, step)).unwrap_or_default();
        let why = &note.words;
        Some(match note.kind {
            NoteKind::Started => format!("started: {why}"),
            NoteKind::Rejected => format!("no: {step} was refused: {why}"),
            NoteKind::TimedOut => format!("waiting: {step}: {why}"),
            NoteKind::GivenUp => format!("given up: {step}: {why}"),
            NoteKind::WentBack => format!("going back: {why}"),
            NoteKind::Undone => format!("undone: {step}"),
            NoteKind::Late => format!("late: {step}: {why}"),
            NoteKind::Cancelled => format!("cancelled: {why}"),
            NoteKind::Refused => format!("refused: {why}"),
            NoteKind::Stuck => format!("needs help: {step}: {why}"),
            NoteKind::Completed => "completed".to_owned(),
            NoteKind::Compensated => format!("ended, all undone: {why}"),
            NoteKind::Succeeded => format!("done: {step}"),
            NoteKind::Waiting => format!("waiting: {step}: {why}"),
            NoteKind::Asked => format!("asked: {step}: {why}"),
            NoteKind::Reminded => format!("reminded: {step}"),
            NoteKind::Kept => format!("kept for later: {why}"),
            NoteKind::Dropped => format!("left behind: {step}: {why}"),
            NoteKind::Locked => format!("locked: {step}"),
            NoteKind::Released => format!("free again: {step}"),
            NoteKind::Queued
            | NoteKind::Sent
            | NoteKind::Told
            | NoteKind::Skipped
            | NoteKind::Undoing
            | NoteKind::Probed
            | NoteKind::Acted
            | NoteKind::Forgotten => return None,
        })
    }

    fn title(&self, saga: &SagaName, step: &StepName) -> String {
        let known = self.titles.get(&(saga.clone(), step.clone()));
        known.cloned().unwrap_or_else(|| step.to_string())
    }
}

//! Reads the history, and what stands beside it: what people are asked and what they answer.

use super::account::{Claimed, LockTurn, Noted, Turn};
use super::names::Names;
use super::{Books, Record};
use crate::engine::NoteKind;
use crate::format::{open, wire};
use crate::message::{CommandId, InstanceId, Key, LifeId, SagaName, header, read_json};

impl Books {
    pub(super) fn read_history(&mut self, record: &Record<'_>) {
        self.has_history = true;
        let entry: wire::Entry = match open(record.body.map_or(&[][..], |b| b)) {
            Ok(entry) => entry,
            Err(reason) => {
                return self.strange(record, self.history.clone(), reason.to_string());
            }
        };
        let named = SagaName::new(&entry.saga).ok().zip(Key::new(&entry.key).ok());
        let known = |saga: &SagaName| saga.is_lock() || self.plans.contains_key(saga);
        let Some((saga, key)) = named.filter(|(saga, _)| known(saga)) else {
            return;
        };
        let mut kinds = Vec::with_capacity(entry.notes.len());
        for note in &entry.notes {
            let Some(kind) = note.kind() else {
                let words = format!("the history knows no `{}`", note.kind);
                return self.strange(record, format!("{saga}/{key}"), words);
            };
            if !note.words.is_empty() {
                let words = "its history was written before notes had fields; let the segue that \
                             wrote it check it";
                return self.strange(record, format!("{saga}/{key}"), words.to_owned());
            }
            kinds.push(kind);
        }
        let notes = kinds.into_iter().zip(&entry.notes);
        if saga.is_lock() {
            self.read_lock(record, key, &entry, notes);
            return;
        }
        let notes = notes.map(|(kind, note)| self.noted(kind, note)).collect();
        let turn = Turn {
            life: LifeId { number: entry.life, mark: entry.mark },
            transition: entry.transition,
            is_stuck: entry.status == "stuck",
            notes,
            place: self.placed(record),
        };
        self.accounts.entry(InstanceId { saga, key }).or_default().turns.push(turn);
    }

    fn noted(&mut self, kind: NoteKind, note: &wire::Note) -> Noted {
        let text = if kind == NoteKind::WentBack {
            Some(note.text().as_str().into())
        } else {
            (kind == NoteKind::Dropped).then(|| note.name.as_str().into())
        };
        Noted {
            kind,
            step: self.names.of(&note.step),
            attempt: note.attempt,
            whom: self.names.of(&note.to),
            happened: note.happened,
            by_probe: note.by_probe,
            token: note.token,
            text,
        }
    }

    fn read_lock<'n>(
        &mut self,
        record: &Record<'_>,
        key: Key,
        entry: &wire::Entry,
        notes: impl Iterator<Item = (NoteKind, &'n wire::Note)>,
    ) {
        let mut told = Vec::new();
        for (kind, note) in notes {
            let Some(claimed) = claimed(&mut self.names, kind, note) else {
                let words = format!("the history of this lock speaks of `{}`", note.text());
                return self.strange(record, format!("{}/{key}", entry.saga), words);
            };
            told.push(claimed);
        }
        let turn = LockTurn { inbox: entry.inbox, notes: told, place: self.placed(record) };
        self.locks.entry(key).or_default().push(turn);
    }

    /// A question to a person.
    pub(super) fn read_question(&mut self, record: &Record<'_>) {
        let id = record.headers.text(header::ID).unwrap_or_default();
        let Ok(id) = id.parse::<CommandId>() else {
            let words = format!("a question has the id `{id}`");
            return self.strange(record, "the engine".to_owned(), words);
        };
        if self.plans.contains_key(&id.instance.saga) {
            let question = (id.life, self.names.of(&id.subject.to_string()), id.attempt);
            self.accounts.entry(id.instance).or_default().questions.push(question);
        }
    }

    /// What a person says; what is no answer stands in the history.
    pub(super) fn read_act(&mut self, record: &Record<'_>) {
        // One that cannot be read is put aside by the engine.
        let act = read_json(record.body.map_or(&[][..], |b| b)).unwrap_or_default();
        let text = |name: &str| act.get(name).and_then(serde_json::Value::as_str);
        let whose = text("saga").zip(text("key")).filter(|_| text("verb") == Some("answer"));
        let Some((saga, key)) = whose else { return };
        if let (Ok(saga), Ok(key)) = (SagaName::new(saga), Key::new(key))
            && self.plans.contains_key(&saga)
        {
            let step = self.names.of(text("step").unwrap_or_default());
            self.accounts.entry(InstanceId { saga, key }).or_default().said.push(step);
        }
    }
}

/// What a lock says of a claim; none if it is no word of a lock.
fn claimed(names: &mut Names, kind: NoteKind, note: &wire::Note) -> Option<Claimed> {
    let instance = note.instance.as_ref()?.read().ok()?;
    Some(Claimed { kind, instance, step: names.of(&note.claim_step), token: note.token })
}

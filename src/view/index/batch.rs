use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rusqlite::{OptionalExtension as _, Row, params};

use super::counted::{Counted, Counts};
use super::statements::Statements;
use super::{disposed_number, number};
use crate::broker::Places;
use crate::message::{
    Bulk, BulkEnd, BulkRecord, Disposal, InstanceId, Offset, Origin, Span, Timestamp,
};
use crate::status::{LifeState, Moment, OwedStanding, SearchedValue};
use crate::view::fold::{Asked, Folded};
use crate::view::{DeadLetterRow, Error, packed};

/// What a record of the changelog has made of an instance.
pub(in crate::view) struct Put<'p> {
    pub id: &'p InstanceId,
    pub folded: &'p Folded,
    /// Where the record stands in the changelog.
    pub partition: i32,
    pub place: Offset,
    /// When it was written.
    pub changed: Timestamp,
}

/// What the indexes know of a row.
#[derive(Debug, Clone, PartialEq)]
struct Indexed {
    saga: i64,
    state: i64,
    version: Option<u32>,
    step: Option<i64>,
    error: Option<i64>,
    started: i64,
    ended: Option<i64>,
    searched: Option<i64>,
}

impl Indexed {
    fn of(row: &Row<'_>) -> rusqlite::Result<(i64, Self)> {
        let (saga, state, version) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let (step, error, started, ended) = (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
        let searched = row.get(8)?;
        Ok((row.get(0)?, Self { saga, state, version, step, error, started, ended, searched }))
    }

    fn counted(&self) -> Counted {
        let completed = self.state == number(LifeState::Completed);
        let took_ms = self.ended.filter(|_| completed).map(|ended| ended - self.started);
        Counted { saga: self.saga, state: self.state, took_ms }
    }
}

/// What is written in one transaction.
pub(in crate::view) struct Batch<'t> {
    statements: Statements<'t>,
    words: &'t mut BTreeMap<String, i64>,
    pub(super) counts: Counts,
}

impl<'t> Batch<'t> {
    pub(super) fn new(statements: Statements<'t>, words: &'t mut BTreeMap<String, i64>) -> Self {
        Self { statements, words, counts: Counts::default() }
    }

    /// An instance stands like that.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&mut self, put: &Put<'_>) -> Result<(), Error> {
        let Put { id, folded, partition, place, changed } = put;
        let step = folded.step.as_deref().map(|step| self.word(step)).transpose()?;
        let after = Indexed {
            saga: self.word(id.saga.as_str())?,
            state: number(folded.state),
            version: folded.version,
            step,
            error: folded.error.as_ref().map(|(error, _)| error.0.cast_signed()),
            started: folded.started.0,
            ended: folded.ended.map(|ended| ended.0),
            searched: digest(&folded.searched),
        };
        if let Some((error, reason)) = &folded.error {
            self.statements.error.execute(params![error.0.cast_signed(), reason])?;
        }
        let due = folded.due.map(|due| due.0);
        let (saga, key) = (after.saga, id.key.as_str());
        let find = |row: &Row<'_>| Ok((Indexed::of(row)?, row.get(9)?));
        let found: Option<((i64, Indexed), Option<i64>)> =
            self.statements.find.query_row(params![saga, key], find).optional()?;
        let Indexed { state, version, step, error, started, ended, searched, .. } = after;
        let (row, before) = match found {
            Some(((row, before), None)) if before == after => {
                let touched = params![row, changed.0, due, partition, place.0];
                self.statements.touch.execute(touched)?;
                (row, Some(before))
            }
            Some(((row, before), _)) => {
                self.statements.update.execute(params![
                    row, state, version, step, error, started, ended, changed.0, due, partition,
                    place.0, searched
                ])?;
                (row, Some(before))
            }
            None => {
                let new = params![
                    saga, key, state, version, step, error, started, ended, changed.0, due,
                    partition, place.0, searched
                ];
                (self.statements.insert.query_row(new, |row| row.get(0))?, None)
            }
        };
        if before.as_ref().and_then(|before| before.searched) != searched {
            self.search(row, &folded.searched)?;
        }
        self.counts.change(before.map(|before| before.counted()), Some(after.counted()));
        self.owe(row, &folded.owed)?;
        self.ask(row, &folded.questions)
    }

    fn search(&mut self, row: i64, searched: &[(String, SearchedValue)]) -> Result<(), Error> {
        self.statements.clear.execute([row])?;
        for (field, SearchedValue { rank, text }) in searched {
            let field = self.word(field)?;
            self.statements.value.execute(params![row, field, rank, text])?;
        }
        Ok(())
    }

    fn owe(&mut self, row: i64, owed: &[OwedStanding]) -> Result<(), Error> {
        self.statements.pay.execute([row])?;
        for OwedStanding { step, to, since: Moment(since), attempts, due, parked } in owed {
            let due = due.map(|Moment(due)| due.0);
            let values = params![row, to, step, since.0, attempts, due, parked];
            self.statements.owe.execute(values)?;
        }
        Ok(())
    }

    fn ask(&mut self, row: i64, questions: &[Asked]) -> Result<(), Error> {
        self.statements.answer.execute([row])?;
        for Asked { who, step, choices, since, until } in questions {
            let choices = serde_json::to_string(choices).expect("a list of texts is JSON");
            let (since, until) = (since.map(|since| since.0), until.map(|until| until.0));
            self.statements.ask.execute(params![row, who, step, choices, since, until])?;
        }
        Ok(())
    }

    /// An instance is forgotten: it is taken out, or kept for a while as it was at the end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn gone(
        &mut self,
        id: &InstanceId,
        at: Timestamp,
        keep: Option<Span>,
    ) -> Result<(), Error> {
        let saga = self.word(id.saga.as_str())?;
        let found = params![saga, id.key.as_str()];
        let found = self.statements.find.query_row(found, Indexed::of).optional()?;
        let Some((row, before)) = found else { return Ok(()) };
        let had_ended = before.ended.is_some();
        if keep.is_some() && had_ended {
            self.statements.forget.execute(params![row, at.0])?;
            return Ok(());
        }
        self.remove(row, &before)
    }

    /// Takes out what was forgotten before a moment, a thousand rows at the most; how many.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_before(&mut self, moment: Timestamp) -> Result<usize, Error> {
        let mut outdated = Vec::new();
        {
            let mut rows = self.statements.outdated.query([moment.0])?;
            while let Some(row) = rows.next()? {
                outdated.push(Indexed::of(row)?);
            }
        }
        for (row, before) in &outdated {
            self.remove(*row, before)?;
        }
        Ok(outdated.len())
    }

    fn remove(&mut self, row: i64, before: &Indexed) -> Result<(), Error> {
        self.statements.delete.execute([row])?;
        self.counts.change(Some(before.counted()), None);
        if before.searched.is_some() {
            self.search(row, &[])?;
        }
        self.owe(row, &[])?;
        self.ask(row, &[])
    }

    /// Entries of the history of an instance stand there; whether the instance is known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn enter(&mut self, id: &InstanceId, offsets: &[Offset]) -> Result<bool, Error> {
        let saga = self.word(id.saga.as_str())?;
        let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found: Option<(i64, Option<Vec<u8>>)> =
            self.statements.entries.query_row(params![saga, id.key.as_str()], pair).optional()?;
        let Some((row, history)) = found else { return Ok(false) };
        let mut history = history.unwrap_or_default();
        packed::add(&mut history, offsets);
        self.statements.enter.execute(params![row, history])?;
        Ok(true)
    }

    /// A dead letter.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn dead_letter(&mut self, letter: &DeadLetterRow) -> Result<(), Error> {
        let DeadLetterRow { partition, offset, at: Moment(at), reason, origin, instance, .. } =
            letter;
        let event_type = &letter.event_type;
        let values = params![partition, offset, at.0, reason, origin, instance, event_type];
        self.statements.letter.execute(values)?;
        Ok(())
    }

    /// The dead letters of a partition that stand before an offset are not kept any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn cut_dead_letters(&mut self, partition: i32, before: Offset) -> Result<(), Error> {
        self.statements.cut.execute(params![partition, before.0])?;
        self.statements.cut_disposals.execute(params![partition, before.0])?;
        Ok(())
    }

    /// Somebody has done something with a dead letter; what was done last counts.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn dispose(&mut self, disposal: &Disposal, at: Timestamp) -> Result<(), Error> {
        let Disposal { partition, offset, how, by, why, id } = disposal;
        let values = params![partition, offset.0, disposed_number(*how), at.0, by, why, id];
        self.statements.dispose.execute(values)?;
        Ok(())
    }

    /// An act on many instances begins or has ended.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn bulk(&mut self, told: &BulkRecord, origin: &Origin, at: Timestamp) -> Result<(), Error> {
        match told {
            BulkRecord::Begun(Bulk { id, by, why, act, filter, instances }) => {
                let members = i64::try_from(instances.len()).unwrap_or(i64::MAX);
                let (partition, place) = (origin.partition, origin.offset.0);
                let values = params![id, partition, place, at.0, by, why, act, filter, members];
                self.statements.bulk.execute(values)?;
            }
            BulkRecord::Ended(BulkEnd { id, how, reason, written }) => {
                let values = params![id, how.text(), at.0, reason, written];
                self.statements.bulk_end.execute(values)?;
            }
        }
        Ok(())
    }

    /// A member of an act on many instances is written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn bulk_member(&mut self, bulk: &str, number: u32) -> Result<(), Error> {
        self.statements.bulk_member.execute(params![bulk, i64::from(number) + 1])?;
        Ok(())
    }

    /// The acts on many instances of a partition that stand before an offset are not kept any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn cut_bulks(&mut self, partition: i32, before: Offset) -> Result<(), Error> {
        self.statements.cut_bulks.execute(params![partition, before.0])?;
        Ok(())
    }

    /// So far each partition is read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn positions(&mut self, places: &Places) -> Result<(), Error> {
        for ((topic, partition), next) in places {
            let values = params![topic.as_str(), partition, next.0];
            self.statements.position.execute(values)?;
        }
        Ok(())
    }

    /// The number of a word, which gets one if it has none.
    fn word(&mut self, word: &str) -> Result<i64, Error> {
        if let Some(known) = self.words.get(word) {
            return Ok(*known);
        }
        let stored = self.statements.word.query_row([word], |row| row.get(0)).optional()?;
        let number = match stored {
            Some(number) => number,
            None => self.statements.new_word.query_row([word], |row| row.get(0))?,
        };
        self.words.insert(word.to_owned(), number);
        Ok(number)
    }
}

/// A number that differs when what an instance is searched by does; nothing if that is nothing.
fn digest(searched: &[(String, SearchedValue)]) -> Option<i64> {
    if searched.is_empty() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    searched.hash(&mut hasher);
    Some(hasher.finish().cast_signed())
}

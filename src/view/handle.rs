use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::follow::{self, now};
use super::shared::Shared;
use super::{
    AttentionGroup, Coordinates, Count, DeadLetterDetail, DeadLetterPage, DeadLetterRow, Detail,
    DisposalTold, Entry, Error, Filter, Flowing, Foreseen, Fresh, Freshness, LetterFilter, Missed,
    OpenQuestions, OwedRows, Page, Position, SagaRow, Settings, Sort, StartsWordTold, Tail,
    foreseen, history, letter, packed, query,
};
use crate::definition::{Catalog, StartsWord};
use crate::engine::{Act, Instance};
use crate::message::{EngineTopics, InstanceId, Key, Offset, SagaName};
use crate::runtime::SourceRecord;
use crate::status::{Claimed, Masks, Overview, Wait, overview};

/// Answers what people ask; cheap to clone, and any number of threads may ask at once.
#[derive(Clone)]
pub struct View(pub(super) Arc<Shared>);

/// The most rows of a list that has no pages.
pub(super) const LIST_ROWS_MAX: usize = 10_000;

impl View {
    /// Begins to follow the topics of an application, until `stop` is set. The index is opened or
    /// made before this returns; the cluster need not be there.
    ///
    /// # Errors
    /// When the folder or the index cannot be had.
    pub fn start(
        settings: &Settings,
        stop: Arc<AtomicBool>,
    ) -> Result<(Self, JoinHandle<()>), Error> {
        let topics = EngineTopics::new(settings.app.as_str());
        let topics = topics.map_err(|e| Error::Index(e.to_string()))?;
        let file = follow::folder(&settings.folder)?;
        let shared = Arc::new(Shared::new(settings.clone(), topics, file));
        let index = follow::opened(&shared)?;
        let view = Self(Arc::clone(&shared));
        let run = move || follow::run(&shared, index, &stop);
        let thread = thread::Builder::new().name("view".to_owned()).spawn(run)?;
        Ok((view, thread))
    }

    /// A page of instances, at most `limit` of them and [`PAGE_ROWS_MAX`](super::PAGE_ROWS_MAX);
    /// `after` is what the page before said is next.
    ///
    /// # Errors
    /// When the cursor is not of such a list, or the index cannot be read.
    pub fn instances(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Fresh<Page>, Error> {
        self.fresh(|index| query::page(index, filter, sort, after, limit))
    }

    /// How many instances are at what, by saga; of one saga if one is named.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn counts(&self, saga: Option<&SagaName>) -> Result<Fresh<Vec<Count>>, Error> {
        self.fresh(|index| query::counts(index, saga))
    }

    /// One instance with everything; none if it is not known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn instance(&self, id: &InstanceId, masks: Masks) -> Result<Fresh<Option<Detail>>, Error> {
        let freshness = self.freshness();
        let found = self.detail(id, masks)?;
        Ok(Fresh { found, freshness })
    }

    fn detail(&self, id: &InstanceId, masks: Masks) -> Result<Option<Detail>, Error> {
        let shared = &self.0;
        let Some(places) = shared.read(|index| query::stored(index, id))? else {
            return Ok(None);
        };
        let (instance, stored) = self.stored(places.partition, places.place)?;
        let told = overview(&shared.catalog(), id, &instance, masks);
        let Some(mut overview) = told else { return Ok(None) };
        self.name_holders(&mut overview)?;
        let entries = packed::unpacked(&places.history).count();
        Ok(Some(Detail {
            overview,
            stored,
            changed: places.changed.into(),
            entries: u64::try_from(entries).unwrap_or(u64::MAX),
        }))
    }

    /// What an act would do to an instance as it is stored; none if the instance is not known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn foresee(&self, id: &InstanceId, act: &Act) -> Result<Fresh<Option<Foreseen>>, Error> {
        let (shared, freshness) = (&self.0, self.freshness());
        let Some(places) = shared.read(|index| query::stored(index, id))? else {
            return Ok(Fresh { found: None, freshness });
        };
        let (before, _) = self.stored(places.partition, places.place)?;
        let found = Some(foreseen::foreseen(&shared.catalog(), id, &before, act, now()));
        Ok(Fresh { found, freshness })
    }

    /// An instance as a record of the changelog has it.
    fn stored(&self, partition: i32, place: Offset) -> Result<(Instance, Coordinates), Error> {
        let topic = &self.0.topics.changelog;
        let coordinates = Coordinates { topic: topic.to_string(), partition, offset: place.0 };
        let records = self.0.records(topic, partition, &[place])?;
        let body = records.first().and_then(|record| record.body.as_deref());
        let body = body.ok_or_else(|| gone(&coordinates))?;
        let instance = Instance::decode(body).map_err(|reason| Error::Foreign {
            place: format!("{topic}[{partition}]@{place}"),
            reason: reason.to_string(),
        })?;
        Ok((instance, coordinates))
    }

    /// Says of each lock that is waited for who holds it.
    fn name_holders(&self, overview: &mut Overview) -> Result<(), Error> {
        let steps = overview.lives.iter_mut().flat_map(|life| &mut life.steps);
        for step in steps {
            let Wait::Lock { keys, held, behind } = &mut step.waits else { continue };
            let place = usize::try_from(*held).unwrap_or(usize::MAX);
            if let Some(key) = keys.get(place) {
                *behind = self.holder(key)?;
            }
        }
        Ok(())
    }

    fn holder(&self, key: &str) -> Result<Option<String>, Error> {
        let Ok(key) = Key::new(key) else { return Ok(None) };
        let id = InstanceId { saga: SagaName::lock(), key };
        let Some(places) = self.0.read(|index| query::stored(index, &id))? else {
            return Ok(None);
        };
        let (lock, _) = self.stored(places.partition, places.place)?;
        let told = overview(&self.0.catalog(), &id, &lock, Masks::On);
        let holder = told.and_then(|told| told.lock).and_then(|lock| lock.holder);
        Ok(holder.map(|Claimed { saga, key, step, .. }| format!("{step} of {saga}/{key}")))
    }

    /// The newest `limit` entries of the history of an instance, oldest first; none if it is not
    /// known. Entries that the history does not keep any more are left out.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn history(
        &self,
        id: &InstanceId,
        limit: usize,
    ) -> Result<Fresh<Option<Vec<Entry>>>, Error> {
        let (shared, freshness) = (&self.0, self.freshness());
        let Some(places) = shared.read(|index| query::stored(index, id))? else {
            return Ok(Fresh { found: None, freshness });
        };
        let offsets: Vec<Offset> = packed::unpacked(&places.history).collect();
        let newest = offsets.len().saturating_sub(limit);
        let topic = &shared.topics.history;
        let records = shared.records(topic, places.partition, &offsets[newest..])?;
        let entry = |record| {
            let read = history::entry(record, &shared.topics);
            read.unwrap_or_else(|reason| history::unread(id, record, &reason))
        };
        Ok(Fresh { found: Some(records.iter().map(entry).collect()), freshness })
    }

    /// What needs attention, by concern, saga, step and error: the largest groups first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn attention(&self) -> Result<Fresh<Vec<AttentionGroup>>, Error> {
        self.fresh(|index| query::attention(index, now()))
    }

    /// A page of compensations that are not answered yet, the oldest first; those of one
    /// participant if one is named.
    ///
    /// # Errors
    /// When the cursor is not of such a list, or the index cannot be read.
    pub fn owed(
        &self,
        to: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Fresh<OwedRows>, Error> {
        self.fresh(|index| query::owed(index, to, after, limit.min(LIST_ROWS_MAX)))
    }

    /// A page of questions that nobody has answered, the oldest first; those to one role if one is
    /// named.
    ///
    /// # Errors
    /// When the cursor is not of such a list, or the index cannot be read.
    pub fn questions(
        &self,
        who: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Fresh<OpenQuestions>, Error> {
        self.fresh(|index| query::questions(index, who, after, limit.min(LIST_ROWS_MAX)))
    }

    /// A page of dead letters, the newest first.
    ///
    /// # Errors
    /// When the cursor is not of such a list, or the index cannot be read.
    pub fn dead_letters(
        &self,
        filter: impl Into<LetterFilter>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Fresh<DeadLetterPage>, Error> {
        self.fresh(|index| query::dead_letters(index, filter, after, limit))
    }

    /// One dead letter with headers and body, what is sensitive masked; none if it is not known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn dead_letter(
        &self,
        partition: i32,
        offset: i64,
    ) -> Result<Fresh<Option<DeadLetterDetail>>, Error> {
        self.dead_letter_as(partition, offset, Masks::On)
    }

    /// The same, with or without masks.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn dead_letter_as(
        &self,
        partition: i32,
        offset: i64,
        masks: Masks,
    ) -> Result<Fresh<Option<DeadLetterDetail>>, Error> {
        let (shared, freshness) = (&self.0, self.freshness());
        let found = self.letter(partition, offset)?.map(|(row, record)| {
            let known = (&*shared.catalog(), &shared.topics);
            letter::detail(row, &record, known, masks)
        });
        Ok(Fresh { found, freshness })
    }

    /// One dead letter with its record as it was put aside; none if it is not known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn letter(
        &self,
        partition: i32,
        offset: i64,
    ) -> Result<Option<(DeadLetterRow, SourceRecord)>, Error> {
        let shared = &self.0;
        let row = shared.read(|index| query::dead_letter(index, partition, offset))?;
        let Some(row) = row else { return Ok(None) };
        let topic = &shared.topics.dead_letters;
        let mut records = shared.records(topic, partition, &[Offset(offset)])?;
        let coordinates = Coordinates { topic: topic.to_string(), partition, offset };
        let record = records.pop().ok_or_else(|| gone(&coordinates))?;
        Ok(Some((row, record)))
    }

    /// What a person has done with a dead letter, as far as the view has read.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn disposal(&self, partition: i32, offset: i64) -> Result<Option<DisposalTold>, Error> {
        let row = self.0.read(|index| query::dead_letter(index, partition, offset))?;
        Ok(row.and_then(|row| row.disposal))
    }

    /// The sagas that run or have run, with what their instances are at and how long they take.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn sagas(&self) -> Result<Fresh<Vec<SagaRow>>, Error> {
        let catalog = self.catalog();
        let mut rows = self.fresh(|index| query::sagas(index, &catalog))?;
        let words = self.0.words();
        for row in &mut rows.found {
            let saga = SagaName::new(&row.saga).ok();
            row.word = saga.and_then(|saga| words.get(&saga)).map(StartsWordTold::from);
        }
        Ok(rows)
    }

    /// The last word of a person about the starts of a saga.
    #[must_use]
    pub fn starts_word(&self, saga: &SagaName) -> Option<StartsWordTold> {
        self.0.words().get(saga).map(StartsWordTold::from)
    }

    /// How much happens.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn flowing(&self) -> Result<Flowing, Error> {
        let now = now();
        let timers = self.0.read(|index| query::timers(index, now))?;
        Ok(Flowing { transitions_last_minute: self.0.last_minute(now), timers })
    }

    /// What a person may have meant who asked for an instance that is not known: the nearest
    /// first, at most eight.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn near(&self, id: &InstanceId) -> Result<Vec<InstanceId>, Error> {
        self.0.read(|index| query::near(index, id))
    }

    /// How far it is behind the topics.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.0.freshness(now())
    }

    /// Waits until the view has read on or looked where the topics end, but no longer than `limit`;
    /// what is asked for then may have changed.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> Freshness {
        self.0.wait(limit);
        self.freshness()
    }

    /// Transitions as the view meets them, from now on.
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.0.tail()
    }

    /// How far the history was read: what stands before was told.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.position()
    }

    /// Transitions that were told between two positions.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn missed(&self, since: &Position, until: Position) -> Result<Missed, Error> {
        Missed::open(&self.0, since, until)
    }

    /// Every definition that is stored, and what starts.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.0.catalog()
    }

    /// An answer of the index, and how fresh it is at least: looked at before it is read.
    pub(super) fn fresh<T>(
        &self,
        ask: impl FnOnce(&rusqlite::Connection) -> Result<T, Error>,
    ) -> Result<Fresh<T>, Error> {
        let freshness = self.freshness();
        let found = self.0.read(ask)?;
        Ok(Fresh { found, freshness })
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl From<&StartsWord> for StartsWordTold {
    fn from(word: &StartsWord) -> Self {
        let StartsWord { is_paused, id, by, why, at, .. } = word.clone();
        Self { is_paused, by, why, at: at.into(), id }
    }
}

fn gone(coordinates: &Coordinates) -> Error {
    let Coordinates { topic, partition, offset } = coordinates.clone();
    Error::Gone { topic, partition, offset }
}

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use super::{
    AttentionGroup, Count, DeadLetterDetail, DeadLetterPage, Detail, Entry, Error, Filter, Fresh,
    Freshness, OpenQuestion, OwedRow, Page, SagaRow, Settings, Sort,
};
use crate::definition::Catalog;
use crate::message::{InstanceId, SagaName};
use crate::status::Masks;

/// Answers what people ask; cheap to clone, and any number of threads may ask at once.
#[derive(Debug, Clone)]
pub struct View;

impl View {
    /// Begins to follow the topics of an application, until `stop` is set. The index is opened or
    /// made before this returns; the cluster need not be there.
    ///
    /// # Errors
    /// When the folder or the index cannot be had.
    pub fn start(_: &Settings, _: Arc<AtomicBool>) -> Result<(Self, JoinHandle<()>), Error> {
        todo!()
    }

    /// A page of instances, at most `limit` of them and [`PAGE_ROWS_MAX`](super::PAGE_ROWS_MAX);
    /// `after` is what the page before said is next.
    ///
    /// # Errors
    /// When the cursor is not of such a list, or the index cannot be read.
    pub fn instances(
        &self,
        _: &Filter,
        _: Sort,
        _after: Option<&str>,
        _limit: usize,
    ) -> Result<Fresh<Page>, Error> {
        todo!()
    }

    /// How many instances are at what, by saga; of one saga if one is named.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn counts(&self, _: Option<&SagaName>) -> Result<Fresh<Vec<Count>>, Error> {
        todo!()
    }

    /// One instance with everything; none if it is not known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn instance(&self, _: &InstanceId, _: Masks) -> Result<Fresh<Option<Detail>>, Error> {
        todo!()
    }

    /// The newest `limit` entries of the history of an instance, oldest first; none if it is not
    /// known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn history(
        &self,
        _: &InstanceId,
        _limit: usize,
    ) -> Result<Fresh<Option<Vec<Entry>>>, Error> {
        todo!()
    }

    /// What needs attention, by concern, saga, step and error: the largest groups first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn attention(&self) -> Result<Fresh<Vec<AttentionGroup>>, Error> {
        todo!()
    }

    /// Compensations that are not answered yet, the oldest first; those of one participant if one
    /// is named.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn owed(&self, _to: Option<&str>, _limit: usize) -> Result<Fresh<Vec<OwedRow>>, Error> {
        todo!()
    }

    /// Questions that nobody has answered, the oldest first; those to one role if one is named.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn questions(
        &self,
        _who: Option<&str>,
        _limit: usize,
    ) -> Result<Fresh<Vec<OpenQuestion>>, Error> {
        todo!()
    }

    /// A page of dead letters, the newest first.
    ///
    /// # Errors
    /// When the cursor is not of such a list, or the index cannot be read.
    pub fn dead_letters(
        &self,
        _after: Option<&str>,
        _limit: usize,
    ) -> Result<Fresh<DeadLetterPage>, Error> {
        todo!()
    }

    /// One dead letter with headers and body; none if it is not known.
    ///
    /// # Errors
    /// When the index or the cluster does not answer.
    pub fn dead_letter(
        &self,
        _partition: i32,
        _offset: i64,
    ) -> Result<Fresh<Option<DeadLetterDetail>>, Error> {
        todo!()
    }

    /// The sagas that run or have run, with what their instances are at and how long they take.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn sagas(&self) -> Result<Fresh<Vec<SagaRow>>, Error> {
        todo!()
    }

    /// What a person may have meant who asked for an instance that is not known: the nearest
    /// first, at most eight.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn near(&self, _: &InstanceId) -> Result<Vec<InstanceId>, Error> {
        todo!()
    }

    /// How far it is behind the topics.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        todo!()
    }

    /// Every definition that is stored, and what starts.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        todo!()
    }
}

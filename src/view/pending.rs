use std::collections::BTreeMap;

use super::Error;
use super::index::Batch;
use crate::broker::Places;
use crate::message::{InstanceId, Offset, Topic};

/// Entries of the history, by instance: their partition and offsets, in their order.
pub(super) type Entries = BTreeMap<InstanceId, (i32, Vec<Offset>)>;

/// Entries of the history whose instance is not known yet, and how far the changelog must be read
/// before it is certain that it never will be.
pub(super) struct Pending {
    entries: Entries,
    /// Where the changelog must be read to; nothing if nobody waits.
    until: Option<Places>,
    has_begun: bool,
}

impl Pending {
    /// Nothing of the history is taken before the changelog is read to there.
    pub fn until(ends: Places) -> Self {
        Self { entries: Entries::new(), until: Some(ends), has_begun: false }
    }

    /// Whether the changelog is read as far as somebody waits for.
    pub fn is_reached(&self, positions: &Places, changelog: &Topic) -> bool {
        self.until.as_ref().is_none_or(|until| {
            let mut ends = until.iter().filter(|((topic, _), _)| topic == changelog);
            ends.all(|(place, end)| positions.get(place).is_some_and(|at| at >= end))
        })
    }

    /// Whether entries wait for the changelog.
    pub fn is_waiting(&self) -> bool {
        self.until.is_some()
    }

    /// Whether the history is read at all.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Takes entries into a batch: those of instances that are known. Of those that waited, what is
    /// not known once the changelog `is_reached` never will be.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take(
        &mut self,
        batch: &mut Batch<'_>,
        new: Entries,
        is_reached: bool,
    ) -> Result<(), Error> {
        // Only who has waited for the changelog knows that it is not to come.
        let is_certain = is_reached && self.until.is_some();
        let mut waiting = Entries::new();
        for (id, (partition, offsets)) in std::mem::take(&mut self.entries) {
            if !batch.enter(&id, &offsets)? && !is_certain {
                waiting.insert(id, (partition, offsets));
            }
        }
        for (id, (partition, offsets)) in new {
            if !batch.enter(&id, &offsets)? {
                let (_, all) = waiting.entry(id).or_insert((partition, Vec::new()));
                all.extend(offsets);
            }
        }
        self.entries = waiting;
        Ok(())
    }

    /// How far each partition was read, so that what waits is read again after an end.
    pub fn positions(&self, reached: &Places, history: &Topic) -> Places {
        let mut first: BTreeMap<i32, Offset> = BTreeMap::new();
        for (partition, offsets) in self.entries.values() {
            for offset in offsets {
                let first = first.entry(*partition).or_insert(*offset);
                *first = (*first).min(*offset);
            }
        }
        let mut places = reached.clone();
        for (partition, offset) in first {
            places.insert((history.clone(), partition), offset);
        }
        places
    }

    /// Whether it must be asked where the changelog ends.
    pub fn wants_ends(&self) -> bool {
        !self.entries.is_empty() && self.until.is_none()
    }

    /// Waits for the changelog to be read to there.
    pub fn wait_for(&mut self, ends: Places) {
        self.until = Some(ends);
    }

    /// The changelog was reached: whether the history may go on, which has paused.
    pub fn goes_on(&mut self) -> bool {
        self.has_begun = true;
        self.until.take().is_some()
    }
}

//! Committed offsets of one group, and those that wait for the end of a transaction.

use std::collections::BTreeMap;

use super::topics::Place;

/// How far a group has come in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committed {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
}

/// The offsets of one group.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    committed: BTreeMap<Place, Committed>,
    /// By producer id: what its transaction will commit.
    pending: BTreeMap<i64, BTreeMap<Place, Committed>>,
}

impl Offsets {
    pub fn commit(&mut self, place: Place, committed: Committed) {
        self.committed.insert(place, committed);
    }

    pub fn hold(&mut self, producer_id: i64, place: Place, committed: Committed) {
        self.pending.entry(producer_id).or_default().insert(place, committed);
    }

    /// Ends a producer's transaction here.
    pub fn end(&mut self, producer_id: i64, committed: bool) {
        let pending = self.pending.remove(&producer_id).unwrap_or_default();
        if committed {
            self.committed.extend(pending);
        }
    }

    pub fn at(&self, place: &Place) -> Option<&Committed> {
        self.committed.get(place)
    }

    /// Says whether an open transaction may still change a partition's offset.
    pub fn is_unstable(&self, place: &Place) -> bool {
        self.pending.values().any(|p| p.contains_key(place))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Place, &Committed)> {
        self.committed.iter()
    }

    /// What open transactions hold, by producer id.
    pub fn held(&self) -> impl Iterator<Item = (i64, &Place, &Committed)> {
        self.pending.iter().flat_map(|(id, held)| held.iter().map(|(p, c)| (*id, p, c)))
    }

    pub fn forget(&mut self, place: &Place) {
        self.committed.remove(place);
    }

    pub fn forget_topic(&mut self, topic: &str) {
        self.committed.retain(|place, _| place.topic != topic);
        for pending in self.pending.values_mut() {
            pending.retain(|place, _| place.topic != topic);
        }
    }
}

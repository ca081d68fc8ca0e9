use std::collections::BTreeMap;
use std::time::Duration;

use super::log::Entry;
use super::setup::Place;
use crate::message::Offset;

/// The transaction coordinator.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    pub producers: BTreeMap<String, Producer>,
    /// Ends that are on their way.
    pub late: Vec<LateEnd>,
}

/// A producer's name: who may use it, and its transaction.
#[derive(Debug, Default)]
pub(super) struct Producer {
    pub epoch: u32,
    pub open: Option<Open>,
}

/// A transaction that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub number: u64,
    pub expires: Duration,
}

/// The end of a transaction that is on its way.
#[derive(Debug)]
pub(super) struct LateEnd {
    pub at: Duration,
    pub producer: String,
    pub epoch: u32,
    /// Records that come only now.
    pub records: Vec<(Place, Entry)>,
}

/// What one transaction says.
pub(super) struct Contents {
    pub records: Vec<(Place, Entry)>,
    pub offsets: BTreeMap<Place, Offset>,
}

impl Transactions {
    pub fn epoch(&self, producer: &str) -> u32 {
        self.producers.get(producer).map_or(0, |p| p.epoch)
    }

    pub fn is_any_open(&self) -> bool {
        self.producers.values().any(|p| p.open.is_some())
    }

    /// When something happens by itself next.
    pub fn next_due(&self) -> Option<Duration> {
        let expiries = self.producers.values().filter_map(|p| p.open.as_ref());
        let expiries = expiries.map(|open| open.expires);
        expiries.chain(self.late.iter().map(|end| end.at)).min()
    }
}

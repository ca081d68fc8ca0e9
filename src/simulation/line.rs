use std::collections::{BTreeMap, VecDeque};

use super::log::Entry;
use super::setup::Place;
use crate::message::Offset;

/// Appends of one idempotent producer on their way: they arrive in order, or not at all.
#[derive(Debug)]
pub(super) struct Line {
    pub name: String,
    /// The gateway's member, whose offsets are committed behind the appends.
    pub member: u64,
    /// Its process is gone: what is still here may yet arrive, or be lost.
    pub orphaned: bool,
    queue: VecDeque<Parcel>,
}

/// One thing on its way.
#[derive(Debug)]
pub(super) enum Parcel {
    Append(Place, Entry),
    Offsets(BTreeMap<Place, Offset>),
}

impl Line {
    pub fn new(name: &str, member: u64) -> Self {
        Self { name: name.to_owned(), member, orphaned: false, queue: VecDeque::new() }
    }

    pub fn push(&mut self, parcel: Parcel) {
        self.queue.push_back(parcel);
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// What arrives next.
    pub fn pop(&mut self) -> Option<Parcel> {
        self.queue.pop_front()
    }

    /// Loses everything. Answers whether an append was among it.
    pub fn lose(&mut self) -> bool {
        let lost = self.queue.iter().any(|parcel| matches!(parcel, Parcel::Append(..)));
        self.queue.clear();
        lost
    }
}

//! The coordinator of transactions: what is staged, and how each of them ends.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::fault::{Fault, Weakness};
use super::super::log::{Entry, Standing};
use super::super::setup::Place;
use super::super::transaction::{Contents, LateEnd, Open, Producer};
use super::State;
use crate::message::Offset;

/// After which an open transaction is aborted (`transaction.timeout.ms`).
const TIMEOUT: Duration = Duration::from_secs(60);

impl State {
    /// Registers a producer: its predecessors are fenced, and what they left open is aborted.
    pub fn init_producer(&mut self, producer: &str) -> u32 {
        if self.is_weak(Weakness::EpochKept) {
            return self.transactions.epoch(producer);
        }
        self.end(producer, false);
        let entry = self.transactions.producers.entry(producer.to_owned()).or_default();
        entry.epoch += 1;
        entry.epoch
    }

    /// Sends a transaction's records and offsets, and leaves it open.
    pub fn stage(&mut self, producer: &str, contents: Contents) -> BTreeMap<Place, Offset> {
        let number = self.open(producer);
        self.owner.stage(number, contents.offsets);
        self.send(number, contents.records)
    }

    /// Appends records to an open transaction. Answers the offset behind the last for each place.
    fn send(&mut self, number: u64, records: Vec<(Place, Entry)>) -> BTreeMap<Place, Offset> {
        let mut ends = BTreeMap::new();
        for (place, entry) in records {
            let standing = Standing::Open(number);
            let offset = self.log(&place).append(Entry { standing, ..entry });
            ends.insert(place, offset.next());
        }
        ends
    }

    fn open(&mut self, producer: &str) -> u64 {
        let open = self.transactions.producers.get(producer).and_then(|p| p.open.as_ref());
        if let Some(open) = open {
            return open.number;
        }
        let number = self.id();
        let expires = self.elapsed + TIMEOUT;
        let entry = self.transactions.producers.entry(producer.to_owned()).or_default();
        entry.open = Some(Open { number, expires });
        number
    }

    /// Ends a producer's open transaction. Answers whether there was one.
    pub fn end(&mut self, producer: &str, commit: bool) -> bool {
        let entry = self.transactions.producers.get_mut(producer);
        let Some(open) = entry.and_then(|p| p.open.take()) else { return false };
        let now = self.now();
        for log in self.logs.values_mut() {
            log.settle(open.number, commit, now);
        }
        if self.dice.chance(self.setup.odds.unstable) {
            // The group's coordinator never learns of the end (franz-go #581).
            self.tally.count(Fault::OffsetUnstable);
        } else {
            self.owner.settle(open.number, commit);
        }
        true
    }

    /// Lets the end of a staged transaction, or even its records, come later.
    pub fn delay(&mut self, producer: &str, records: Vec<(Place, Entry)>) {
        let by = Duration::from_millis(1 + self.dice.below(3_000));
        let epoch = self.transactions.epoch(producer);
        let producer = producer.to_owned();
        let at = self.elapsed + by;
        self.transactions.late.push(LateEnd { at, producer, epoch, records });
    }

    /// What was due now: late ends arrive, old transactions expire.
    pub fn happen(&mut self) {
        let now = self.elapsed;
        let late = std::mem::take(&mut self.transactions.late);
        let (due, later) = late.into_iter().partition(|end| end.at <= now);
        self.transactions.late = later;
        let due: Vec<LateEnd> = due;
        for end in due {
            self.arrive_late(end);
        }
        let is_old = |p: &Producer| p.open.as_ref().is_some_and(|open| open.expires <= now);
        let producers = self.transactions.producers.iter();
        let old: Vec<String> =
            producers.filter(|(_, p)| is_old(p)).map(|(name, _)| name.clone()).collect();
        for producer in old {
            self.end(&producer, false);
            self.transactions.producers.entry(producer).or_default().epoch += 1;
            self.tally.count(Fault::TransactionExpired);
        }
    }

    fn arrive_late(&mut self, end: LateEnd) {
        let is_current = self.transactions.epoch(&end.producer) == end.epoch;
        let open = self.transactions.producers.get(&end.producer).and_then(|p| p.open.as_ref());
        let Some(number) = open.map(|o| o.number).filter(|_| is_current) else {
            self.tally.count(Fault::EndFenced);
            return;
        };
        let kind = if end.records.is_empty() { Fault::EndLate } else { Fault::RecordsLate };
        self.send(number, end.records);
        self.end(&end.producer, true);
        self.tally.count(kind);
    }

    /// Waits until nothing below an offset of this partition is undecided.
    pub fn wait_for_stable(&mut self, place: &Place, end: Offset) {
        while self.log(place).stable() < end {
            self.wait_for_next();
        }
    }

    fn wait_for_next(&mut self) {
        let due = self.transactions.next_due().expect("an open transaction expires");
        self.advance(due);
    }

    /// Appends records, or of those of each partition only the first few.
    pub fn append_some(
        &mut self,
        records: Vec<(Place, Entry)>,
        torn: bool,
    ) -> BTreeMap<Place, Offset> {
        let mut by_place: BTreeMap<Place, Vec<Entry>> = BTreeMap::new();
        for (place, entry) in records {
            by_place.entry(place).or_default().push(entry);
        }
        let mut ends = BTreeMap::new();
        for (place, entries) in by_place {
            let many = if torn { self.dice.place(entries.len() + 1) } else { entries.len() };
            for entry in entries.into_iter().take(many) {
                let offset = self.log(&place).append(entry);
                ends.insert(place.clone(), offset.next());
            }
        }
        ends
    }
}

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use segue::broker::{Connection, Isolation, Reader};
use segue::message::{CommandId, Topic, header};
use segue::runtime::SourceRecord;

use crate::engine::last_words;

/// How long anything may take to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long nothing may be written before everything counts as done: longer than any answer of
/// the services takes.
const QUIET: Duration = Duration::from_millis(2_700);
const WAIT: Duration = Duration::from_millis(20);
const RECORDS_MAX: usize = 5_000;

/// Looks until something is there, each look waiting for news by itself; fails after `patience`.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < patience, "{what}: not within {patience:?}");
    }
}

/// Follows topics from their beginning.
pub struct Watch {
    reader: Reader,
    /// How many records were seen.
    pub seen: u64,
    /// The instances whose end was told.
    pub ended: BTreeSet<String>,
    /// What the engine says, for failures.
    log: PathBuf,
}

impl Watch {
    /// Follows all partitions of some topics.
    pub fn over(
        connection: &Connection,
        topics: &[Topic],
        isolation: Isolation,
        log: PathBuf,
    ) -> Self {
        // A cluster that has just made a topic may not know its leader yet.
        let reader = until("the topics", PATIENCE, || {
            Reader::all(connection, "watch", topics, isolation).ok()
        });
        Self { reader, seen: 0, ended: BTreeSet::new(), log }
    }

    /// What is new, after a short wait for it.
    pub fn news(&mut self) -> Vec<SourceRecord> {
        let records = self.reader.poll(WAIT, RECORDS_MAX).expect("records");
        self.seen += records.len() as u64;
        for record in &records {
            let id = record.headers.text(header::ID).and_then(|id| id.parse::<CommandId>().ok());
            if let Some(fact) = id.filter(|id| id.subject.step().is_none()) {
                self.ended.insert(fact.instance.to_string());
            }
        }
        records
    }

    /// Waits until so many records were seen.
    pub fn until_seen(&mut self, records: u64) {
        self.until_all("records", records, |watch| watch.seen);
    }

    /// Waits until so many sagas have told their end.
    pub fn until_ended(&mut self, sagas: u64) {
        self.until_all("ends", sagas, |watch| watch.ended.len() as u64);
    }

    /// Waits until so many more sagas have told their end.
    pub fn until_more_ended(&mut self, sagas: u64) {
        self.until_ended(self.ended.len() as u64 + sagas);
    }

    /// Waits until so many sagas have told their end, or none has for `patience`; answers how many
    /// have.
    pub fn ended_within(&mut self, sagas: u64, patience: Duration) -> u64 {
        let (mut last, mut before) = (Instant::now(), 0);
        while before < sagas && last.elapsed() < patience {
            self.news();
            let so_far = self.ended.len() as u64;
            if so_far > before {
                (last, before) = (Instant::now(), so_far);
            }
        }
        before
    }

    fn until_all(&mut self, what: &str, all: u64, count: impl Fn(&Self) -> u64) {
        let (mut last, mut before) = (Instant::now(), 0);
        while count(self) < all {
            self.news();
            let so_far = count(self);
            if so_far > before {
                (last, before) = (Instant::now(), so_far);
            }
            let log = || last_words(&self.log);
            let late = last.elapsed() > PATIENCE;
            assert!(!late, "{so_far} of {all} {what}; the engine says:\n{}", log());
        }
    }

    /// Waits until nothing is written any more.
    pub fn until_quiet(&mut self) {
        let mut last = Instant::now();
        until("quiet", PATIENCE, || {
            if !self.news().is_empty() {
                last = Instant::now();
            }
            (last.elapsed() >= QUIET).then_some(())
        });
    }
}

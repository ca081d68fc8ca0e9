use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use segue::broker::{Connection, Isolation, Reader};
use segue::message::{Topic, header};
use segue::runtime::SourceRecord;

/// How long anything may take to happen.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long nothing may be written before everything counts as done: longer than any answer of
/// the services takes.
const QUIET: Duration = Duration::from_millis(2_700);
const WAIT: Duration = Duration::from_millis(20);
const RECORDS_MAX: usize = 5_000;
const ENDS: [&str; 3] = ["OrderCompleted", "OrderCancelled", "OrderNeedsHelp"];

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
}

impl Watch {
    /// Follows all partitions of some topics.
    pub fn over(connection: &Connection, topics: &[Topic], isolation: Isolation) -> Self {
        let reader = Reader::all(connection, "watch", topics, isolation).expect("the topics");
        Self { reader, seen: 0, ended: BTreeSet::new() }
    }

    /// What is new, after a short wait for it.
    pub fn news(&mut self) -> Vec<SourceRecord> {
        let records = self.reader.poll(WAIT, RECORDS_MAX).expect("records");
        self.seen += records.len() as u64;
        for record in &records {
            let is_end = record.headers.text(header::TYPE).is_some_and(|t| ENDS.contains(&t));
            if is_end && let Some(instance) = record.headers.text(header::CORRELATION) {
                self.ended.insert(instance.to_owned());
            }
        }
        records
    }

    /// Waits until so many records were seen.
    pub fn until_seen(&mut self, records: u64) {
        until(&format!("{records} records"), PATIENCE, || {
            self.news();
            (self.seen >= records).then_some(())
        });
    }

    /// Waits until so many sagas have told their end.
    pub fn until_ended(&mut self, sagas: usize, log: impl Fn() -> String) {
        let begun = Instant::now();
        while self.ended.len() < sagas {
            self.news();
            let ended = self.ended.len();
            let late = begun.elapsed() > PATIENCE;
            assert!(!late, "{ended} of {sagas} ended in {PATIENCE:?}; the engine says:\n{}", log());
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

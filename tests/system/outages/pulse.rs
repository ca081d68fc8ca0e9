use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use segue::broker::{Connection, Isolation};
use segue::message::{EngineTopics, Timestamp};

use crate::watch::Watch;

/// How many shards an engine's topics have: the default of the configuration.
const SHARDS: usize = 4;

/// Sees from the history when each shard has committed something. What counts is the time that
/// the engine wrote into the record, so that a slow reader makes no engine slow.
pub struct Pulse {
    watch: Watch,
    /// When each shard wrote its last record.
    last: BTreeMap<i32, Timestamp>,
    /// The longest time without a record of a shard since it was asked for.
    pause: Duration,
    /// Since when the first record of each shard is looked for, and those that were found.
    mark: Timestamp,
    first: BTreeMap<i32, Timestamp>,
}

impl Pulse {
    /// Follows the history of an application.
    pub fn of(connection: &Connection, app: &str, log: PathBuf) -> Self {
        let history = EngineTopics::new(app).expect("legal names").history;
        let watch = Watch::over(connection, &[history], Isolation::Committed, log);
        let (last, first) = (BTreeMap::new(), BTreeMap::new());
        Self { watch, last, pause: Duration::ZERO, mark: Timestamp(0), first }
    }

    /// Reads what is new; answers how many records that were.
    pub fn read(&mut self) -> usize {
        let news = self.watch.news();
        for record in &news {
            let (shard, at) = (record.origin.partition, record.timestamp);
            let before = self.last.insert(shard, at).unwrap_or(at);
            self.pause = self.pause.max(between(before, at));
            if at >= self.mark {
                self.first.entry(shard).or_insert(at);
            }
        }
        news.len()
    }

    /// Looks for the first record of each shard from now on.
    pub fn mark(&mut self, now: Timestamp) {
        self.mark = now;
        self.first.clear();
    }

    /// How long after the mark every shard had written again; none if one has not yet.
    pub fn back(&self) -> Option<Duration> {
        let last = self.first.values().max().filter(|_| self.first.len() == SHARDS)?;
        Some(between(self.mark, *last))
    }

    /// The longest time without a record of a shard since this was asked last.
    pub fn take_pause(&mut self) -> Duration {
        std::mem::take(&mut self.pause)
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.0 - from.0).unwrap_or_default())
}

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::freshness::Reached;
use super::index::File;
use super::tail::{Tail, Tails};
use super::{Error, Freshness, Position, Settings, history};
use crate::broker::{Lookup, Places};
use crate::definition::{Catalog, StartsWord};
use crate::message::{EngineTopics, Offset, SagaName, Timestamp, Topic};
use crate::runtime::SourceRecord;

/// What the thread that follows the topics and those who ask have in common.
pub(super) struct Shared {
    pub settings: Settings,
    pub topics: EngineTopics,
    pub file: File,
    readers: Mutex<Readers>,
    reached: Mutex<Reached>,
    /// Something was noted of how far the topics are read.
    noted: Condvar,
    catalog: RwLock<Arc<Catalog>>,
    /// What people have said of the starts of sagas.
    words: Mutex<BTreeMap<SagaName, StartsWord>>,
    lookup: Mutex<Option<Lookup>>,
    tails: Mutex<Tails>,
}

/// Connections that read and that nobody uses now.
#[derive(Default)]
struct Readers {
    free: Vec<Connection>,
    /// How often the index was made anew: a connection of an older one reads what is gone.
    renewed: u64,
    /// Whether somebody who read has found the index damaged.
    is_damaged: bool,
}

/// The most connections that are kept for the next question.
const READERS_MAX: usize = 8;

impl Shared {
    pub fn new(settings: Settings, topics: EngineTopics, file: File) -> Self {
        Self {
            settings,
            topics,
            file,
            readers: Mutex::default(),
            reached: Mutex::default(),
            noted: Condvar::new(),
            catalog: RwLock::default(),
            words: Mutex::default(),
            lookup: Mutex::default(),
            tails: Mutex::default(),
        }
    }

    /// Asks the index something: in one transaction, so that all of the answer is of one moment.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let (free, renewed) = {
            let mut readers = lock(&self.readers);
            (readers.free.pop(), readers.renewed)
        };
        let mut connection = match free {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let answer = match connection.transaction() {
            Ok(transaction) => ask(&transaction),
            Err(error) => Err(error.into()),
        };
        let mut readers = lock(&self.readers);
        if matches!(answer, Err(Error::Damaged(_))) {
            readers.is_damaged |= readers.renewed == renewed;
        } else if readers.renewed == renewed && readers.free.len() < READERS_MAX {
            readers.free.push(connection);
        }
        answer
    }

    /// A connection that reads. A file that is gone is made anew by whoever writes.
    fn reader(&self) -> Result<Connection, Error> {
        let opened = self.file.reader();
        if opened.is_err() && !self.file.exists() {
            lock(&self.readers).is_damaged = true;
            return Err(Error::Damaged("its file is gone".to_owned()));
        }
        Ok(opened?)
    }

    /// Whether somebody who read has found the index damaged.
    pub fn is_damaged(&self) -> bool {
        lock(&self.readers).is_damaged
    }

    /// The index was made anew.
    pub fn renewed(&self) {
        let mut readers = lock(&self.readers);
        readers.free.clear();
        readers.renewed += 1;
        readers.is_damaged = false;
    }

    /// Reads records back from a topic, in the order of their offsets; those that are not kept any
    /// more are left out.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn records(
        &self,
        topic: &Topic,
        partition: i32,
        offsets: &[Offset],
    ) -> Result<Vec<SourceRecord>, Error> {
        if offsets.is_empty() {
            return Ok(Vec::new());
        }
        let mut kept = lock(&self.lookup);
        let mut lookup = if let Some(lookup) = kept.take() {
            lookup
        } else {
            let client = format!("{}.view", self.settings.app);
            Lookup::open(&self.settings.connection, &client)?
        };
        // One that has failed is not used again.
        let records = lookup.read(topic, partition, offsets)?;
        *kept = Some(lookup);
        Ok(records)
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set_catalog(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }

    pub fn words(&self) -> BTreeMap<SagaName, StartsWord> {
        lock(&self.words).clone()
    }

    pub fn set_words(&self, words: BTreeMap<SagaName, StartsWord>) {
        *lock(&self.words) = words;
    }

    /// Notes how far the topics are read.
    pub fn note(&self, note: impl FnOnce(&mut Reached)) {
        note(&mut lock(&self.reached));
        self.noted.notify_all();
    }

    /// Waits until something more is noted, but no longer than `limit`.
    pub fn wait(&self, limit: Duration) {
        let reached = lock(&self.reached);
        drop(self.noted.wait_timeout(reached, limit));
    }

    /// Transitions from now on.
    pub fn tail(&self) -> Tail {
        lock(&self.tails).add()
    }

    /// How far the history was read.
    pub fn position(&self) -> Position {
        lock(&self.tails).position().clone()
    }

    /// The history is read from there on.
    pub fn read_from(&self, places: &Places) {
        let mut position = Position::default();
        for ((topic, partition), next) in places {
            if *topic == self.topics.history {
                position.reach(*partition, *next);
            }
        }
        lock(&self.tails).begin(position);
    }

    /// Tells those who read along what the history says; what stood there before the view had read
    /// everything once is nothing new.
    pub fn tell(&self, records: &[SourceRecord]) {
        let mut tails = lock(&self.tails);
        let is_told = |record: &&SourceRecord| record.origin.topic == self.topics.history;
        for record in records.iter().filter(is_told) {
            tails.reach(record.origin.partition, record.origin.offset.next());
        }
        if tails.is_empty() || !lock(&self.reached).is_whole {
            return;
        }
        for record in records.iter().filter(is_told) {
            match history::entry(record, &self.topics) {
                Ok(entry) => tails.tell(&Arc::new(entry)),
                Err(error) => tracing::warn!(%error, "view.entry_unread"),
            }
        }
    }

    /// How many transitions were written in the last minute.
    pub fn last_minute(&self, now: Timestamp) -> u64 {
        lock(&self.reached).throughput.last_minute(now)
    }

    pub fn freshness(&self, now: Timestamp) -> Freshness {
        lock(&self.reached).freshness((now, Instant::now()))
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

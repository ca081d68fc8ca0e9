use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::database::{Database, open_sled};
use super::edges::Edges;
use super::folder::{Folder, State};
use super::shard_tree::{Found, ShardTree};
use super::{Error, Fingerprint, watch};
use crate::message::{Offset, Shard, Span, Timestamp};
use crate::runtime::{Change, Checkpoint, Store, StoreFault};

/// How to open a [`SledStore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The data folder; made if it is missing.
    pub folder: PathBuf,
    /// Whose store it is.
    pub fingerprint: Fingerprint,
    /// What sled may keep in memory.
    pub cache_bytes_max: u64,
    /// An older checkpoint is refused: the changelog may have forgotten removals since. Half of
    /// its `delete.retention.ms`.
    pub age_max: Span,
}

impl Options {
    /// What sled may keep in memory unless said otherwise.
    pub const CACHE_BYTES_DEFAULT: u64 = 6 * 1024 * 1024;
}

/// What [`SledStore::open`] began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// There was no store.
    New,
    /// The store of the last run.
    Kept,
    /// The store of the last run was not believed and lies aside.
    MovedAside {
        /// Where it lies.
        to: PathBuf,
        /// Why it was not believed.
        reason: String,
    },
}

/// The local checkpoint in sled. One process opens it once; each pipeline takes a
/// [`SledStore::handle`] of its own.
pub struct SledStore {
    database: Arc<Database>,
    age_max: Span,
    start: Start,
    /// The shards that are open here, and which database each is of.
    open: BTreeMap<Shard, (u32, ShardTree)>,
}

impl SledStore {
    /// Opens the store of a folder; one that cannot be believed is moved aside with a warning,
    /// and an empty one takes its place.
    ///
    /// # Errors
    /// When another process has the folder, or not even an empty store can be made in it.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let store = Self::open_at(options, Edges::default())?;
        watch::start(&store.database).map_err(|source| wrong(options, source))?;
        Ok(store)
    }

    pub(super) fn open_at(options: &Options, edges: Edges) -> Result<Self, Error> {
        let folder = Folder::hold(&options.folder, &options.fingerprint)?;
        let wrong = |source| wrong(options, source);
        let open = || {
            folder.mark(State::Opening).map_err(wrong)?;
            Ok::<_, Error>(open_sled(&folder, options.cache_bytes_max))
        };
        let (found, doubt) = match folder.judge() {
            None => (None, None),
            Some(Err(reason)) => (None, Some(reason)),
            Some(Ok(())) => match open()? {
                Ok(db) => (Some(db), None),
                Err(reason) => (None, Some(reason)),
            },
        };
        let start = match (&found, doubt) {
            (Some(_), _) => Start::Kept,
            (None, None) => Start::New,
            (None, Some(reason)) => {
                let to = folder.move_aside().map_err(wrong)?;
                let aside = to.display().to_string();
                tracing::warn!(reason, aside, "store.discarded: the changelog is read anew");
                Start::MovedAside { to, reason }
            }
        };
        let db = match found {
            Some(db) => db,
            None => open()?.map_err(|reason| Error::Fresh { folder: folder.text(), reason })?,
        };
        folder.mark(State::Running).map_err(wrong)?;
        let database = Database::new(db, folder, options.cache_bytes_max, edges).map_err(wrong)?;
        let (database, open) = (Arc::new(database), BTreeMap::new());
        Ok(Self { database, age_max: options.age_max, start, open })
    }

    /// The same store for another pipeline, with no shard open.
    #[must_use]
    pub fn handle(&self) -> Self {
        let (database, start) = (Arc::clone(&self.database), self.start.clone());
        Self { database, age_max: self.age_max, start, open: BTreeMap::new() }
    }

    /// What it began with.
    #[must_use]
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Why the disk takes nothing any more, if it has refused an empty store so often that waiting
    /// seems vain.
    #[must_use]
    pub fn broken(&self) -> Option<String> {
        self.database.broken()
    }

    /// Writes everything to the disk and marks the folder as stopped cleanly; every later
    /// checkpoint, through whatever handle, is refused.
    ///
    /// # Errors
    /// When the disk fails or does not answer: the next start then begins without the store.
    pub fn stop(&self) -> Result<(), Error> {
        self.database.stop().map_err(Error::Stop)
    }

    fn tree(&self, shard: Shard) -> Result<&ShardTree, StoreFault> {
        self.open.get(&shard).map(|(_, tree)| tree).ok_or_else(|| not_open(shard))
    }

    fn look_into(&mut self, shard: Shard) -> Result<Option<Checkpoint>, String> {
        let (number, mut tree) = self.database.busy.during(|| self.database.tree(shard))?;
        // Reading a large tree takes its time and waits for no write.
        let found = tree.inspect((self.database.edges.clock)(), self.age_max)?;
        self.open.insert(shard, (number, tree));
        Ok(match found {
            Found::Empty => None,
            Found::Whole(changelog) => Some(Checkpoint { changelog }),
        })
    }

    fn write(
        &mut self,
        shard: Shard,
        changes: Vec<Change>,
        changelog: Offset,
    ) -> Result<(), String> {
        let database = &self.database;
        let (number, tree) = self.open.get_mut(&shard).ok_or("it is not open here")?;
        if database.is_stopped() {
            return Err("the store was stopped".to_owned());
        }
        if database.number() != *number {
            return Err("another store has taken the place of the one that it is in".to_owned());
        }
        tree.checkpoint(changes, changelog, (database.edges.clock)())?;
        database.flush()
    }
}

impl Store for SledStore {
    fn open(&mut self, shard: Shard) -> Result<Option<Checkpoint>, StoreFault> {
        match self.look_into(shard) {
            Ok(found) => Ok(found),
            Err(reason) => {
                let id = shard.0;
                tracing::warn!(shard = id, reason, "store.shard.discarded: its changelog is read");
                self.discard(shard)?;
                Ok(None)
            }
        }
    }

    fn load(&self, shard: Shard, key: &[u8]) -> Result<Option<Bytes>, StoreFault> {
        let record = self.tree(shard)?.load(key).map_err(|reason| StoreFault { shard, reason })?;
        Ok(record.map(|record| record.value))
    }

    fn due(
        &self,
        shard: Shard,
        moments: RangeInclusive<Timestamp>,
        max: usize,
    ) -> Result<Vec<(Timestamp, Bytes)>, StoreFault> {
        self.tree(shard)?.due(&moments, max).map_err(|reason| StoreFault { shard, reason })
    }

    fn watch(&mut self, shard: Shard, until: Timestamp) -> Result<(), StoreFault> {
        self.open.get_mut(&shard).ok_or_else(|| not_open(shard))?.1.watch(until);
        Ok(())
    }

    fn checkpoint(
        &mut self,
        shard: Shard,
        changes: Vec<Change>,
        changelog: Offset,
    ) -> Result<(), StoreFault> {
        let busy = self.database.busy.clone();
        let written = busy.during(|| self.write(shard, changes, changelog));
        written.map_err(|reason| {
            self.open.remove(&shard);
            StoreFault { shard, reason }
        })
    }

    fn close(&mut self, shard: Shard) -> Result<(), StoreFault> {
        self.open.remove(&shard);
        Ok(())
    }

    fn discard(&mut self, shard: Shard) -> Result<(), StoreFault> {
        let fresh = self.database.busy.during(|| {
            self.open.remove(&shard);
            self.database.empty(shard)
        });
        self.open.insert(shard, fresh.map_err(|reason| StoreFault { shard, reason })?);
        Ok(())
    }
}

fn wrong(options: &Options, source: std::io::Error) -> Error {
    Error::Folder { folder: options.folder.display().to_string(), source }
}

fn not_open(shard: Shard) -> StoreFault {
    StoreFault { shard, reason: "it is not open here".to_owned() }
}

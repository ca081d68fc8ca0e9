use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::flusher::Flusher;
use super::folder::{Folder, State};
use super::guard::guarded;
use super::shard_tree::{Found, ShardTree};
use super::{Error, Fingerprint};
use crate::message::{Offset, Shard, Span, Timestamp};
use crate::runtime::{Change, Checkpoint, Store, StoreFault};

/// sled writes through buffers of this size, and keeps some of them: less memory than by default.
const SEGMENT_BYTES: usize = 256 * 1024;
/// So many empty stores are tried in the place of a broken one.
const BROKEN_TIMES: u32 = 5;
const LOCK_TRIES_MAX: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

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
    shared: Arc<Shared>,
    open: BTreeMap<Shard, ShardTree>,
}

struct Shared {
    // Declared before the folder: sled must have let go when the lock ends.
    flusher: Mutex<Option<Flusher>>,
    db: Mutex<sled::Db>,
    folder: Folder,
    start: Start,
    cache_bytes_max: u64,
    age_max: Span,
    clock: fn() -> Timestamp,
    /// How many trees of a shard could not be emptied and were left behind, until the next
    /// start moves it all aside.
    abandoned: Mutex<BTreeMap<Shard, u32>>,
    /// How often in a row no empty store could be put in the place of a broken one, and why.
    broken: Mutex<(u32, String)>,
}

impl SledStore {
    /// Opens the store of a folder; one that cannot be believed is moved aside with a warning,
    /// and an empty one takes its place.
    ///
    /// # Errors
    /// When another process has the folder, or not even an empty store can be made in it.
    pub fn open(options: &Options) -> Result<Self, Error> {
        Self::open_at(options, wall_clock)
    }

    pub(super) fn open_at(options: &Options, clock: fn() -> Timestamp) -> Result<Self, Error> {
        let folder = Folder::hold(&options.folder, &options.fingerprint)?;
        let wrong = |source| Error::Folder { folder: options.folder.display().to_string(), source };
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
        let flusher = Mutex::new(Some(Flusher::start(db.clone()).map_err(wrong)?));
        let age_max = options.age_max;
        let abandoned = Mutex::default();
        let (db, broken) = (Mutex::new(db), Mutex::default());
        let cache_bytes_max = options.cache_bytes_max;
        let shared = Shared {
            flusher,
            db,
            folder,
            start,
            cache_bytes_max,
            age_max,
            clock,
            abandoned,
            broken,
        };
        let shared = Arc::new(shared);
        Ok(Self { shared, open: BTreeMap::new() })
    }

    /// The same store for another pipeline, with no shard open.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), open: BTreeMap::new() }
    }

    /// What it began with.
    #[must_use]
    pub fn start(&self) -> &Start {
        &self.shared.start
    }

    /// Why the disk takes nothing any more, if it has refused an empty store so often that waiting
    /// seems vain.
    #[must_use]
    pub fn broken(&self) -> Option<String> {
        let (times, reason) = &*locked(&self.shared.broken);
        let folder = self.shared.folder.text();
        let words = || format!("the data folder {folder} takes nothing: {reason}; mend the disk");
        (*times >= BROKEN_TIMES).then(words)
    }

    /// Writes everything to the disk and marks the folder as stopped cleanly; every later
    /// checkpoint, through whatever handle, is refused.
    ///
    /// # Errors
    /// When the disk fails: the next start then begins without the store.
    pub fn stop(&self) -> Result<(), Error> {
        let mut flusher = locked(&self.shared.flusher);
        let Some(mut running) = flusher.take() else { return Ok(()) };
        let asked = running.ask();
        running.stop();
        asked.map_err(Error::Stop)?;
        let db = self.shared.db();
        guarded(|| db.flush()).map_err(Error::Stop)?;
        if locked(&self.shared.abandoned).is_empty() {
            self.shared.folder.mark(State::Clean).map_err(|e| Error::Stop(e.to_string()))?;
        }
        Ok(())
    }

    fn tree(&self, shard: Shard) -> Result<&ShardTree, StoreFault> {
        self.open.get(&shard).ok_or_else(|| not_open(shard))
    }
}

impl Store for SledStore {
    fn open(&mut self, shard: Shard) -> Result<Option<Checkpoint>, StoreFault> {
        let Shared { clock, age_max, .. } = &*self.shared;
        let (db, name) = (self.shared.db(), self.shared.tree_name(shard));
        let now = clock();
        let found = ShardTree::open(&db, &name, now).and_then(|mut tree| {
            let found = tree.inspect(now, *age_max)?;
            Ok((tree, found))
        });
        match found {
            Ok((tree, found)) => {
                self.open.insert(shard, tree);
                Ok(match found {
                    Found::Empty => None,
                    Found::Whole(changelog) => Some(Checkpoint { changelog }),
                })
            }
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
        until: Timestamp,
        max: usize,
    ) -> Result<Vec<(Timestamp, Bytes)>, StoreFault> {
        self.tree(shard)?.due(until, max).map_err(|reason| StoreFault { shard, reason })
    }

    fn watch(&mut self, shard: Shard, until: Timestamp) -> Result<(), StoreFault> {
        self.open.get_mut(&shard).ok_or_else(|| not_open(shard))?.watch(until);
        Ok(())
    }

    fn checkpoint(
        &mut self,
        shard: Shard,
        changes: Vec<Change>,
        changelog: Offset,
    ) -> Result<(), StoreFault> {
        let fault = |reason| StoreFault { shard, reason };
        let flusher = locked(&self.shared.flusher);
        let running = flusher.as_ref().ok_or_else(|| fault("the store was stopped".to_owned()))?;
        let tree = self.open.get_mut(&shard).ok_or_else(|| not_open(shard))?;
        let written = tree.checkpoint(changes, changelog, (self.shared.clock)());
        if let Err(reason) = written.and_then(|()| running.ask()) {
            self.open.remove(&shard);
            return Err(fault(reason));
        }
        Ok(())
    }

    fn close(&mut self, shard: Shard) -> Result<(), StoreFault> {
        self.open.remove(&shard);
        Ok(())
    }

    fn discard(&mut self, shard: Shard) -> Result<(), StoreFault> {
        self.open.remove(&shard);
        let all = &self.shared;
        let fault = |reason| StoreFault { shard, reason };
        let db = all.db();
        let emptied = guarded(|| db.drop_tree(all.tree_name(shard)));
        let emptied = emptied.map(drop).or_else(|reason| all.abandon(shard, &reason));
        let fresh = emptied.and_then(|()| all.fresh_tree(shard));
        // sled keeps its first failure for as long as it is open.
        let fresh = fresh.or_else(|reason| {
            all.renew(&reason)?;
            all.fresh_tree(shard)
        });
        let mut broken = locked(&all.broken);
        match &fresh {
            Ok(_) => *broken = (0, String::new()),
            Err(reason) => *broken = (broken.0 + 1, reason.clone()),
        }
        drop(broken);
        self.open.insert(shard, fresh.map_err(fault)?);
        Ok(())
    }
}

impl Shared {
    fn tree_name(&self, shard: Shard) -> String {
        match locked(&self.abandoned).get(&shard) {
            None => format!("shard-{shard}"),
            Some(times) => format!("shard-{shard}.{times}"),
        }
    }

    fn db(&self) -> sled::Db {
        locked(&self.db).clone()
    }

    fn fresh_tree(&self, shard: Shard) -> Result<ShardTree, String> {
        ShardTree::open(&self.db(), &self.tree_name(shard), (self.clock)())
    }

    /// Puts an empty store in the place of one that takes nothing any more: a disk that was full
    /// or read-only may be well again. Shards that are open in other handles fail there once more.
    fn renew(&self, reason: &str) -> Result<(), String> {
        let mut flusher = locked(&self.flusher);
        if flusher.is_none() {
            return Err("the store was stopped".to_owned());
        }
        let mut db = locked(&self.db);
        let aside = self.folder.move_aside().map_err(|e| e.to_string())?;
        self.folder.mark(State::Opening).map_err(|e| e.to_string())?;
        let fresh = open_sled(&self.folder, self.cache_bytes_max)?;
        self.folder.mark(State::Running).map_err(|e| e.to_string())?;
        *flusher = Some(Flusher::start(fresh.clone()).map_err(|e| e.to_string())?);
        *db = fresh;
        locked(&self.abandoned).clear();
        let aside = aside.display().to_string();
        tracing::warn!(reason, aside, "store.renewed: the changelog is read anew");
        Ok(())
    }

    /// Leaves a shard's tree behind for this run, and the whole store for the next.
    fn abandon(&self, shard: Shard, reason: &str) -> Result<(), String> {
        *locked(&self.abandoned).entry(shard).or_default() += 1;
        tracing::warn!(shard = shard.0, reason, "store.shard.abandoned: the next start is empty");
        self.folder.mark(State::Damaged).map_err(|e| e.to_string())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_open(shard: Shard) -> StoreFault {
    StoreFault { shard, reason: "it is not open here".to_owned() }
}

fn open_sled(folder: &Folder, cache_bytes_max: u64) -> Result<sled::Db, String> {
    let open = || {
        guarded(|| {
            sled::Config::new()
                .path(folder.sled())
                .cache_capacity(cache_bytes_max)
                .segment_size(SEGMENT_BYTES)
                .flush_every_ms(None)
                .open()
        })
    };
    let mut opened = open();
    for _ in 0..LOCK_TRIES_MAX {
        // The folder is ours, so it is this process itself that has not quite let go: threads
        // of sled may outlive a store that was closed.
        let busy = |reason: &String| reason.contains("could not acquire lock");
        if !opened.as_ref().is_err_and(busy) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        opened = open();
    }
    opened
}

#[allow(clippy::disallowed_methods, reason = "this is the edge where the clock is")]
fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::busy::Busy;
use super::edges::Edges;
use super::flusher::Flusher;
use super::folder::{Folder, State};
use super::guard::guarded;
use super::shard_tree::ShardTree;
use crate::message::Shard;

/// sled writes through buffers of this size, and keeps some of them: less memory than by default.
const SEGMENT_BYTES: usize = 256 * 1024;
/// So many empty stores are tried in the place of a broken one.
const BROKEN_TIMES: u32 = 5;
const LOCK_TRIES_MAX: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// What all handles of a store share: the database of sled, or the one that took its place, and
/// the folder around it.
pub(super) struct Database {
    // Declared before the folder: sled must have let go when the lock ends.
    open: Mutex<Open>,
    pub folder: Folder,
    cache_bytes_max: u64,
    pub edges: Edges,
    /// The calls of sled by shard loops.
    pub busy: Busy,
    /// How many trees of a shard could not be emptied and were left behind, until the next
    /// start moves it all aside.
    abandoned: Mutex<BTreeMap<Shard, u32>>,
    /// How often in a row no empty store could be put in the place of a broken one, and why.
    broken: Mutex<(u32, String)>,
}

struct Open {
    /// Nothing once the store was stopped.
    flusher: Option<Flusher>,
    db: sled::Db,
    /// Which database it is: the first, or the one after so many renewals.
    number: u32,
}

impl Database {
    /// Takes over a database that was opened in its folder.
    pub fn new(
        db: sled::Db,
        folder: Folder,
        cache_bytes_max: u64,
        edges: Edges,
    ) -> std::io::Result<Self> {
        let flusher = Some(flusher(&db, edges)?);
        let open = Mutex::new(Open { flusher, db, number: 0 });
        let (busy, abandoned, broken) = (Busy::default(), Mutex::default(), Mutex::default());
        Ok(Self { open, folder, cache_bytes_max, edges, busy, abandoned, broken })
    }

    /// Which database is open now; what was read from another is not to be written to.
    pub fn number(&self) -> u32 {
        locked(&self.open).number
    }

    /// Opens the tree of a shard; answers which database it is of.
    pub fn tree(&self, shard: Shard) -> Result<(u32, ShardTree), String> {
        let (db, number) = self.present()?;
        let now = (self.edges.clock)();
        Ok((number, ShardTree::open(&db, &self.tree_name(shard), now)?))
    }

    /// Has everything flushed that was written so far, some time.
    pub fn flush(&self) -> Result<(), String> {
        let open = locked(&self.open);
        open.flusher.as_ref().ok_or_else(|| "the store was stopped".to_owned())?.ask()
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        locked(&self.open).flusher.is_none()
    }

    /// Flushes and ends, unless that happened before.
    pub fn stop(&self) -> Result<(), String> {
        let Some(flusher) = locked(&self.open).flusher.take() else { return Ok(()) };
        let asked = flusher.ask();
        flusher.stop()?;
        asked?;
        if locked(&self.abandoned).is_empty() {
            self.folder.mark(State::Clean).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Puts an empty tree in the place of a shard's, in a new database if need be: sled keeps its
    /// first failure for as long as it is open.
    pub fn empty(&self, shard: Shard) -> Result<(u32, ShardTree), String> {
        let emptied = self.drop_tree(shard).or_else(|reason| self.abandon(shard, &reason));
        let fresh = emptied.and_then(|()| self.tree(shard));
        let fresh = fresh.or_else(|reason| {
            self.renew(&reason)?;
            self.tree(shard)
        });
        let mut broken = locked(&self.broken);
        match &fresh {
            Ok(_) => *broken = (0, String::new()),
            Err(reason) => *broken = (broken.0 + 1, reason.clone()),
        }
        fresh
    }

    /// Why the disk takes nothing any more, if it has refused an empty store so often that waiting
    /// seems vain.
    pub fn broken(&self) -> Option<String> {
        let (times, reason) = &*locked(&self.broken);
        let folder = self.folder.text();
        let words = || format!("the data folder {folder} takes nothing: {reason}; mend the disk");
        (*times >= BROKEN_TIMES).then(words)
    }

    /// The database that is open now, and which it is; an error if its flush hangs.
    fn present(&self) -> Result<(sled::Db, u32), String> {
        let open = locked(&self.open);
        match open.flusher.as_ref().and_then(Flusher::hangs) {
            Some(reason) => Err(reason),
            None => Ok((open.db.clone(), open.number)),
        }
    }

    fn drop_tree(&self, shard: Shard) -> Result<(), String> {
        let (db, _) = self.present()?;
        guarded(|| db.drop_tree(self.tree_name(shard))).map(drop)
    }

    fn tree_name(&self, shard: Shard) -> String {
        match locked(&self.abandoned).get(&shard) {
            None => format!("shard-{shard}"),
            Some(times) => format!("shard-{shard}.{times}"),
        }
    }

    /// Puts an empty store in the place of one that takes nothing any more: a disk that was full
    /// or read-only may be well again. Shards that are open in other handles fail there once more.
    fn renew(&self, reason: &str) -> Result<(), String> {
        let mut open = locked(&self.open);
        if open.flusher.is_none() {
            return Err("the store was stopped".to_owned());
        }
        let aside = self.folder.move_aside().map_err(|e| e.to_string())?;
        self.folder.mark(State::Opening).map_err(|e| e.to_string())?;
        let db = open_sled(&self.folder, self.cache_bytes_max)?;
        self.folder.mark(State::Running).map_err(|e| e.to_string())?;
        // The flusher before it ends by itself, or hangs and holds up nobody.
        open.flusher = Some(flusher(&db, self.edges).map_err(|e| e.to_string())?);
        open.db = db;
        open.number += 1;
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

fn flusher(db: &sled::Db, edges: Edges) -> std::io::Result<Flusher> {
    let db = db.clone();
    Flusher::start(move || (edges.flush)(&db), edges.patience)
}

/// Opens sled in a folder.
pub(super) fn open_sled(folder: &Folder, cache_bytes_max: u64) -> Result<sled::Db, String> {
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Keeps the local checkpoint of the shards in sled; rebuildable, so any doubt starts it empty.
//!
//! ```text
//!  <folder>/lock     held by the process that has the folder open
//!          /stamp    whose it is, on which boot it was opened, whether it was stopped cleanly
//!          /sled/    one tree per shard, and in it
//!                      c                  how far it reaches, and a digest of all below
//!                      t <due> <key>      the timers that nobody watches, the earliest first
//!                      v <key>            checksum, due, the sealed value
//!          /bad-<n>  moved aside for people to look at, the last few
//! ```
//!
//! What sled 0.34 promises, and what is made of it. A batch of one tree reaches the log whole or
//! not at all, and recovery stops at the first damage in the log; what was not flushed is lost.
//! So `kill -9` loses at most the checkpoints whose flush was under way (a thread of the store
//! flushes after every checkpoint, several at once when the disk is slow, and the shard loop never
//! waits for it), and an older checkpoint is as good as a newer one: the changelog fills the gap.
//! A power cut may also lose writes out of order below sled, therefore a folder that was open
//! when the machine went down is not believed. And because sled has lost or mixed up pages
//! before, nothing rests on its word alone: a checkpoint carries a digest of every entry of
//! its tree, which is computed again when the shard is opened. A torn, lost, doubled or changed
//! entry does not fit it. (Damage in the log can make sled come up with an earlier checkpoint and
//! lose later writes again and again without a word: slow to restore from, but whole.)
//!
//! sled can also wait for ever: when a write fails on a full disk, a flush beside it may miss that
//! and sleep until somebody wakes it. So flushes are made by a thread that nobody waits for longer
//! than some seconds; a store whose flush hangs is left behind and an empty one takes its place.
//! Should a shard loop itself be caught in sled, the process ends: what is started anew restores
//! itself.

mod busy;
mod database;
mod edges;
mod flusher;
mod folder;
mod guard;
mod record;
mod shard_tree;
mod sled_store;
#[cfg(test)]
mod tests;
mod watch;

pub use folder::Fingerprint;
pub use sled_store::{Options, SledStore, Start};

/// Why the local store cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the folder: stop it, or give this node a folder of its own.
    #[error("the data folder {0} is in use by another process; stop it or set another `data`")]
    Locked(String),
    /// The folder cannot be made, read or written: mend its owner, its rights or the disk.
    #[error("the data folder {folder} cannot be used: {source}; check its owner and the disk")]
    Folder {
        /// Which folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// sled does not even start on an empty folder: the disk is full or failing.
    #[error("a new store cannot be made in {folder}: {reason}; check the disk")]
    Fresh {
        /// Which folder.
        folder: String,
        /// What sled said.
        reason: String,
    },
    /// The last flush failed: the checkpoint is older than it could be, nothing else.
    #[error("the store could not be stopped cleanly: {0}; the next start begins without it")]
    Stop(String),
}

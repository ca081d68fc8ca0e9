//! The file that a development broker keeps its changes in, so that a restart finds them.
//!
//! Every request that changes something is one write, so a killed process loses at most the
//! request that it was in. Nothing is forced to the disk: a machine that loses power may lose
//! what its system had not written yet.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Error;
use super::change::Change;
use super::cluster::Cluster;
use super::frame::{Changes, Frame, Next, frame_bytes, next};
use super::stored::Stored;

/// The first bytes of a journal name its format.
const HEAD: &[u8] = b"segue devbroker journal 1\n";
const NAME: &str = "journal";
const NAME_NEW: &str = "journal.new";
const NAME_LOCK: &str = "lock";
const BUFFER_BYTES: usize = 1024 * 1024;
/// A journal is rewritten when it is larger than this and than twice what is live.
const REWRITE_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// Logs shrink whenever this much was read, or a long journal would not fit in memory.
const SHRINK_BYTES: u64 = 64 * 1024 * 1024;

/// An open journal; nobody else opens it until this is dropped.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    // Held, not used: the system lets go of it when the process ends, however that happens.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a folder and restores the cluster from it.
    pub fn open(folder: &Path, now_ms: i64) -> Result<(Self, Cluster), Error> {
        let place = Location { folder: folder.to_owned(), path: folder.join(NAME) };
        fs::create_dir_all(folder).map_err(|e| place.failed(e))?;
        let lock = place.lock()?;
        let mut file = place.open_file().map_err(|e| place.failed(e))?;
        let mut cluster = Cluster::default();
        let length = place.restore(&file, &mut cluster, now_ms)?;
        cluster.shrink(now_ms);
        let live = cluster.bytes() as u64;
        if length > REWRITE_BYTES_MIN.max(live.saturating_mul(2)) {
            file = place.rewrite(&cluster).map_err(|e| place.failed(e))?;
        }
        cluster.changes = Changes::kept();
        Ok((Self { file, _lock: lock }, cluster))
    }

    /// Writes the changes of one request, if there are any.
    pub fn write(&mut self, frame: &mut Frame) -> io::Result<()> {
        if frame.is_empty() {
            return Ok(());
        }
        self.file.write_all(frame.sealed())?;
        frame.clear();
        Ok(())
    }
}

/// Where a journal lies.
struct Location {
    folder: PathBuf,
    path: PathBuf,
}

impl Location {
    fn failed(&self, source: io::Error) -> Error {
        Error::Data { folder: self.folder.clone(), source }
    }

    fn damaged(&self, at: u64, reason: &str) -> Error {
        let (path, folder) = (self.path.clone(), self.folder.clone());
        Error::Damaged { path, at, reason: reason.to_owned(), folder }
    }

    fn lock(&self) -> Result<File, Error> {
        let lock = File::create(self.folder.join(NAME_LOCK)).map_err(|e| self.failed(e))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: self.folder.clone() }),
            Err(TryLockError::Error(error)) => Err(self.failed(error)),
        }
    }

    fn open_file(&self) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).create(true).open(&self.path)
    }

    /// Reads the whole journal and returns its length; what was not written in full is cut.
    fn restore(&self, file: &File, cluster: &mut Cluster, now_ms: i64) -> Result<u64, Error> {
        let failed = |e| self.failed(e);
        let length = file.metadata().map_err(failed)?.len();
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut head = Vec::new();
        reader.by_ref().take(HEAD.len() as u64).read_to_end(&mut head).map_err(failed)?;
        if !HEAD.starts_with(&head) {
            return Err(self.damaged(0, "it is no journal of this version"));
        }
        if head.len() < HEAD.len() {
            let mut file = file;
            file.set_len(0).and_then(|()| file.write_all(HEAD)).map_err(failed)?;
            return Ok(HEAD.len() as u64);
        }
        let mut at = HEAD.len() as u64;
        let mut shrunk_at = at;
        loop {
            match next(&mut reader, length - at).map_err(failed)? {
                Next::End => return Ok(at),
                Next::Damaged(reason) => return Err(self.damaged(at, reason)),
                Next::Torn => {
                    let (path, bytes) = (self.path.display(), length - at);
                    tracing::warn!(%path, at, bytes, "journal.cut: the last write was not whole");
                    file.set_len(at).map_err(failed)?;
                    return Ok(at);
                }
                Next::Body(body) => {
                    let bytes = frame_bytes(&body);
                    apply(cluster, body, now_ms).map_err(|reason| self.damaged(at, &reason))?;
                    at += bytes;
                }
            }
            if at - shrunk_at > SHRINK_BYTES {
                cluster.shrink(now_ms);
                shrunk_at = at;
            }
        }
    }

    /// Writes what is live to a new journal, which then takes the place of the old one.
    fn rewrite(&self, cluster: &Cluster) -> io::Result<File> {
        let path_new = self.folder.join(NAME_NEW);
        let mut writer = BufWriter::with_capacity(BUFFER_BYTES, File::create(&path_new)?);
        writer.write_all(HEAD)?;
        let mut frame = Frame::default();
        cluster.tell(|change| {
            frame.push(&change);
            if frame.len() >= BUFFER_BYTES {
                writer.write_all(frame.sealed())?;
                frame.clear();
            }
            io::Result::Ok(())
        })?;
        writer.write_all(frame.sealed())?;
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        // Once, so that the old journal never gives way to one that is not there yet.
        file.sync_all()?;
        fs::rename(&path_new, &self.path)?;
        tracing::info!(path = %self.path.display(), "journal.rewritten");
        self.open_file()
    }
}

fn apply(cluster: &mut Cluster, mut body: Bytes, now_ms: i64) -> Result<(), String> {
    // Nobody waits for anything yet.
    cluster.events.appended.clear();
    while !body.is_empty() {
        let change = Change::take(&mut body).ok_or("an entry cannot be read")?;
        cluster.apply(change, now_ms).map_err(|e| format!("an entry cannot be right: {e}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fault::Faults;
    use super::super::shared::{Creation, Shared};
    use super::*;

    #[test]
    fn a_journal_that_cannot_be_written_ends_the_service() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, cluster) = Journal::open(folder.path(), 0).expect("a new journal");
        journal.file = File::open(folder.path().join(NAME)).expect("for reading only");
        let creation = Creation { automatic: false, partitions: 1 };
        let shared = Shared::new(0, creation, Faults::default(), cluster, Some(journal));
        shared.with(|_, _| ());
        assert!(!shared.is_closed(), "nothing was to be written");
        let created = shared.with(|cluster, _| cluster.create_topic("in", 1, BTreeMap::new()));
        assert_eq!((created, shared.is_closed()), (Ok(()), true));
    }

    #[test]
    fn a_file_that_is_no_journal_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        fs::write(&path, "a diary").expect("written");
        let refused = Journal::open(folder.path(), 0).expect_err("it is no journal");
        assert!(matches!(refused, Error::Damaged { at: 0, .. }), "{refused}");
        assert_eq!(fs::read(&path).expect("still there"), b"a diary");
    }
}

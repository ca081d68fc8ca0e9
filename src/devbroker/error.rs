use std::io;
use std::path::PathBuf;

/// Why a development broker did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the port, or it is not allowed: choose another or 0.
    #[error("the development broker cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no threads: look at its limits.
    #[error("the development broker cannot start its threads: {0}")]
    Threads(io::Error),
    /// The folder cannot be made, read or written: choose another, or make room.
    #[error("the development broker cannot keep its data in {}: {source}", folder.display())]
    Data {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another broker has the folder: stop it, or choose another folder.
    #[error(
        "another development broker uses {}; stop it or choose another folder",
        folder.display()
    )]
    InUse {
        /// The folder that was asked for.
        folder: PathBuf,
    },
    /// The journal was changed from outside, or by a disk: delete the folder to start anew.
    #[error(
        "{} is damaged at byte {at}: {reason}; delete {} to start anew",
        path.display(),
        folder.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where its good part ends.
        at: u64,
        /// What is wrong there.
        reason: String,
        /// The folder to delete.
        folder: PathBuf,
    },
}

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use super::guard::guarded;

/// Flushes sled on a thread of its own, so that no shard loop waits for the disk.
///
/// sled's own flusher is not used: when it panics, closing the database waits for it for ever.
pub(super) struct Flusher {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    failure: Arc<OnceLock<String>>,
}

impl Flusher {
    pub(super) fn start(db: sled::Db) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let failure = Arc::new(OnceLock::new());
        let told = Arc::clone(&failure);
        let work = move || {
            while woken.recv().is_ok() {
                if let Err(reason) = guarded(|| db.flush()) {
                    tracing::warn!(reason, "store.flush.failed");
                    told.get_or_init(|| reason);
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("store-flush".to_owned()).spawn(work)?;
        Ok(Self { wake: Some(wake), thread: Some(thread), failure })
    }

    /// Asks for a flush of all that was written so far; one that waits already covers it.
    pub(super) fn ask(&self) -> Result<(), String> {
        if let Some(reason) = self.failure.get() {
            return Err(reason.clone());
        }
        match self.wake.as_ref().map(|wake| wake.try_send(())) {
            Some(Ok(()) | Err(TrySendError::Full(()))) => Ok(()),
            Some(Err(TrySendError::Disconnected(()))) | None => {
                Err(self.failure.get().map_or("it was stopped", String::as_str).to_owned())
            }
        }
    }

    /// Ends the thread after the flush that it is at.
    pub(super) fn stop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It catches sled's panics itself; nothing else in it can fail.
            thread.join().ok();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.stop();
    }
}

use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel,
};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use super::busy::Busy;

/// Whoever stops it waits for a part of that only: others wait for the process to end.
const STOP_PARTS: u32 = 3;

/// Flushes sled on a thread of its own, so that no shard loop waits for the disk.
///
/// sled's own flusher is not used: when it panics, closing the database waits for it for ever. And
/// a flush may wait for ever itself, for a write beside it that failed or was lost: nobody waits
/// for this thread longer than it has patience.
pub(super) struct Flusher {
    wake: Option<SyncSender<()>>,
    ended: Receiver<()>,
    failure: Arc<OnceLock<String>>,
    busy: Busy,
    patience: Duration,
}

impl Flusher {
    /// Starts the thread that calls `flush` whenever it is asked to, until that fails.
    pub(super) fn start(
        mut flush: impl FnMut() -> Result<(), String> + Send + 'static,
        patience: Duration,
    ) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let (end, ended) = channel();
        let (failure, busy) = (Arc::new(OnceLock::new()), Busy::default());
        let (told, working) = (Arc::clone(&failure), busy.clone());
        let work = move || {
            while woken.recv().is_ok() {
                let flushed = working.during(&mut flush);
                if let Err(reason) = flushed {
                    tracing::warn!(reason, "store.flush.failed");
                    told.get_or_init(|| reason);
                    break;
                }
            }
            // The last handle of a database flushes once more when it is let go.
            drop(flush);
            drop(end);
        };
        thread::Builder::new().name("store-flush".to_owned()).spawn(work)?;
        Ok(Self { wake: Some(wake), ended, failure, busy, patience })
    }

    /// Asks for a flush of all that was written so far; one that waits already covers it.
    pub(super) fn ask(&self) -> Result<(), String> {
        if let Some(reason) = self.failure.get() {
            return Err(reason.clone());
        }
        if let Some(reason) = self.hangs() {
            return Err(reason);
        }
        match self.wake.as_ref().map(|wake| wake.try_send(())) {
            Some(Ok(()) | Err(TrySendError::Full(()))) => Ok(()),
            Some(Err(TrySendError::Disconnected(()))) | None => {
                Err(self.failure.get().map_or("it was stopped", String::as_str).to_owned())
            }
        }
    }

    /// What is wrong, if the flush under way has taken too long to believe in its end.
    pub(super) fn hangs(&self) -> Option<String> {
        let busy = self.busy.oldest()?.elapsed();
        if busy <= self.patience {
            return None;
        }
        Some(format!("a flush has not ended in {} s", busy.as_secs()))
    }

    /// Ends the thread after the flush that it is at and the one that it was asked for.
    pub(super) fn stop(mut self) -> Result<(), String> {
        self.wake = None;
        let patience = self.patience / STOP_PARTS;
        match self.ended.recv_timeout(patience) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                self.failure.get().map_or(Ok(()), |reason| Err(reason.clone()))
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("the last flush has not ended in {} s", patience.as_secs()))
            }
        }
    }
}

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

/// Since when calls of sled are under way, one in each thread at most.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<Mutex<Vec<(ThreadId, Instant)>>>);

impl Busy {
    /// Does something that may hang.
    #[allow(clippy::disallowed_methods, reason = "only how long a call of the edge lasts")]
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let mine = thread::current().id();
        self.calls().push((mine, Instant::now()));
        let done = work();
        self.calls().retain(|(thread, _)| *thread != mine);
        done
    }

    /// When the longest of the calls that are under way began.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.calls().iter().map(|(_, begun)| *begun).min()
    }

    fn calls(&self) -> MutexGuard<'_, Vec<(ThreadId, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

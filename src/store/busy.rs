use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Since when calls of sled are under way, one in each thread at most.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<Mutex<Vec<(u64, Instant)>>>);

impl Busy {
    /// Does something that may hang.
    #[allow(clippy::disallowed_methods, reason = "only how long a call of the edge lasts")]
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let mine = self.enter(Instant::now());
        let done = work();
        self.calls().retain(|(id, _)| *id != mine);
        done
    }

    /// How long the longest call that is under way has taken so far.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.calls().iter().map(|(_, begun)| begun.elapsed()).max()
    }

    fn enter(&self, now: Instant) -> u64 {
        let mut calls = self.calls();
        let id = calls.iter().map(|(id, _)| id + 1).max().unwrap_or_default();
        calls.push((id, now));
        id
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tells a watchdog outside the pipeline's thread since when a call to the cluster lasts (R8):
/// librdkafka's blocking calls may ignore their timeouts.
#[derive(Debug, Clone)]
pub struct Progress {
    start: Instant,
    /// Milliseconds after `start` at which the call began, plus one; 0 while there is none.
    since: Arc<AtomicU64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { start: Instant::now(), since: Arc::default() }
    }
}

impl Progress {
    /// How long the present call to the cluster lasts; none while there is none.
    #[must_use]
    pub fn busy(&self) -> Option<Duration> {
        let since = self.since.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.start.elapsed().saturating_sub(Duration::from_millis(since)))
    }

    /// Runs a call that may hang.
    pub(super) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.since.store(now + 1, Ordering::Release);
        let answer = call();
        self.since.store(0, Ordering::Release);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_seen_while_it_lasts() {
        let progress = Progress::default();
        let watchdog = progress.clone();
        assert_eq!(watchdog.busy(), None);
        assert!(progress.during(|| watchdog.busy()).is_some());
        assert_eq!(watchdog.busy(), None);
    }
}

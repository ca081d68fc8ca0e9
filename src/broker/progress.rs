use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tells a watchdog outside the pipeline's thread since when a call to the cluster lasts (R8):
/// librdkafka's blocking calls may ignore their timeouts.
#[derive(Debug, Clone)]
pub struct Progress {
    start: Instant,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// When the call began, after `start`.
    since: Option<Duration>,
    /// When it began to add the inbox positions to its transaction, while it does.
    adding_since: Option<Duration>,
    /// Counts pipelines: a call of one that was given up says nothing of the next one.
    pipeline: u64,
    /// Whether the present pipeline's call is given up.
    given_up: bool,
    /// How many pipelines in a row were given up.
    in_a_row: u32,
}

impl Default for Progress {
    fn default() -> Self {
        Self { start: Instant::now(), shared: Arc::default() }
    }
}

impl Progress {
    /// How long the present call to the cluster lasts; none while there is none.
    #[must_use]
    pub fn busy(&self) -> Option<Duration> {
        let since = self.shared().since?;
        Some(self.start.elapsed().saturating_sub(since))
    }

    /// How long the present call has been adding the inbox positions to its transaction; none
    /// while it does something else. Of all steps this is the one that is known to hang.
    #[must_use]
    pub fn adding_positions(&self) -> Option<Duration> {
        let since = self.shared().adding_since?;
        Some(self.start.elapsed().saturating_sub(since))
    }

    /// Gives up the present call: whoever waits for its end waits no longer, and a new pipeline
    /// takes its place. Answers whether it was given up only now.
    #[must_use]
    pub fn give_up(&self) -> bool {
        let mut shared = self.shared();
        let is_new = !shared.given_up;
        shared.in_a_row += u32::from(is_new);
        shared.given_up = true;
        is_new
    }

    /// How many calls in a row were given up; one that ends by itself begins a new row.
    #[must_use]
    pub fn given_up_in_a_row(&self) -> u32 {
        self.shared().in_a_row
    }

    /// Begins with a new pipeline.
    pub fn begin(&self) {
        let mut shared = self.shared();
        shared.pipeline += 1;
        shared.since = None;
        shared.adding_since = None;
        shared.given_up = false;
    }

    /// Whether the present call is given up.
    pub(super) fn is_given_up(&self) -> bool {
        self.shared().given_up
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call that may hang.
    pub(super) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        let mut shared = self.shared();
        shared.since = Some(self.start.elapsed());
        let pipeline = shared.pipeline;
        drop(shared);
        let answer = call();
        let mut shared = self.shared();
        if shared.pipeline == pipeline {
            shared.since = None;
            if !shared.given_up {
                shared.in_a_row = 0;
            }
            // It has ended after all: that it was given up must not hit a later call.
            shared.given_up = false;
        }
        drop(shared);
        answer
    }

    /// Adds inbox positions to a transaction, inside of [`Progress::during`].
    pub(super) fn while_adding<T>(&self, add: impl FnOnce() -> T) -> T {
        let mut shared = self.shared();
        shared.adding_since = Some(self.start.elapsed());
        let pipeline = shared.pipeline;
        drop(shared);
        let answer = add();
        let mut shared = self.shared();
        if shared.pipeline == pipeline {
            shared.adding_since = None;
        }
        drop(shared);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_that_hangs_is_told_from_the_others() {
        let progress = Progress::default();
        progress.during(|| {
            assert_eq!(progress.adding_positions(), None);
            progress.while_adding(|| assert!(progress.adding_positions().is_some()));
            assert_eq!(progress.adding_positions(), None);
            progress.while_adding(|| {
                progress.begin();
                assert_eq!(progress.adding_positions(), None, "it is another pipeline's");
            });
        });
    }

    #[test]
    fn a_call_is_seen_while_it_lasts() {
        let progress = Progress::default();
        let watchdog = progress.clone();
        assert_eq!(watchdog.busy(), None);
        assert!(progress.during(|| watchdog.busy()).is_some());
        assert_eq!(watchdog.busy(), None);
    }

    #[test]
    fn a_call_that_ends_after_all_leaves_the_next_one_alone() {
        let progress = Progress::default();
        progress.during(|| assert!(progress.give_up()));
        assert!(!progress.is_given_up());
        progress.during(|| assert!(!progress.is_given_up()));
        assert_eq!(progress.given_up_in_a_row(), 0);
    }

    #[test]
    fn a_call_that_was_given_up_says_nothing_of_the_next_pipeline() {
        let progress = Progress::default();
        progress.during(|| {
            assert!(progress.give_up() && !progress.give_up());
            progress.begin();
            assert!(!progress.is_given_up());
            assert_eq!(progress.busy(), None);
        });
        assert!(progress.during(|| progress.busy()).is_some());
    }
}

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
    /// What it is at, and since when, where that is known.
    stage: Option<(CommitStage, Duration)>,
    /// Counts pipelines: a call of one that was given up says nothing of the next one.
    pipeline: u64,
    /// Whether the present pipeline's call is given up.
    given_up: bool,
    /// How many pipelines in a row were given up.
    in_a_row: u32,
    place: Place,
}

/// How a pipeline stands to the shards that the group gives to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    /// The group has given it nothing yet, not even none.
    #[default]
    Outside,
    /// Shards were given or taken, and it has not taken that in yet.
    Moving,
    /// It has what it was given.
    Settled,
}

/// What a commit is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitStage {
    /// Waits until the changelog stands in its log.
    Writing,
    /// Adds the inbox positions to its transaction. Of all stages this is the one that is known to
    /// hang.
    AddingPositions,
    /// Waits until all messages stand in their logs.
    Sending,
    /// Ends its transaction.
    Ending,
}

impl CommitStage {
    /// It in a word for the log.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Writing => "writing the changelog",
            Self::AddingPositions => "adding the inbox positions",
            Self::Sending => "sending messages",
            Self::Ending => "ending the transaction",
        }
    }
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

    /// What the present call is at, and for how long; none where that is not known.
    #[must_use]
    pub fn stage(&self) -> Option<(CommitStage, Duration)> {
        let (stage, since) = self.shared().stage?;
        Some((stage, self.start.elapsed().saturating_sub(since)))
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
        shared.stage = None;
        shared.given_up = false;
        shared.place = Place::Outside;
    }

    /// The group gives shards, or none, or takes some.
    pub fn move_shards(&self) {
        self.shared().place = Place::Moving;
    }

    /// What the group has given so far is restored.
    pub fn settle(&self) {
        let mut shared = self.shared();
        shared.place = match shared.place {
            Place::Outside => Place::Outside,
            Place::Moving | Place::Settled => Place::Settled,
        };
    }

    /// Whether the group has given something, and it is restored.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.shared().place == Place::Settled
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

    /// Is at a stage of a commit, inside of [`Progress::during`].
    pub(super) fn at<T>(&self, stage: CommitStage, work: impl FnOnce() -> T) -> T {
        let mut shared = self.shared();
        shared.stage = Some((stage, self.start.elapsed()));
        let pipeline = shared.pipeline;
        drop(shared);
        let answer = work();
        let mut shared = self.shared();
        if shared.pipeline == pipeline {
            shared.stage = None;
        }
        drop(shared);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_told_while_it_lasts() {
        let progress = Progress::default();
        progress.during(|| {
            assert_eq!(progress.stage(), None);
            let told =
                progress.at(CommitStage::Ending, || progress.stage().map(|(stage, _)| stage));
            assert_eq!(told, Some(CommitStage::Ending));
            assert_eq!(progress.stage(), None);
            progress.at(CommitStage::AddingPositions, || {
                progress.begin();
                assert_eq!(progress.stage(), None, "it is another pipeline's");
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

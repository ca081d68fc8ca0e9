use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Error;
use crate::broker::{self, CommitStage, Progress};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// A commit that takes so long hangs in the client, or the machine is very busy: by then the
/// cluster has elected new leaders, and the commit's own limits have passed.
const GIVE_UP_AFTER: Duration = Duration::from_secs(20);
/// The step that adds the inbox positions takes some milliseconds, and is the one that is known to
/// hang for as long as a broker is away (librdkafka #5456, #5511).
const GIVE_UP_ADDING_AFTER: Duration = Duration::from_secs(4);
/// Any step is given up so soon after a broker has come back: a new pipeline is at work within a
/// second. A return gives up only what began before it, so that no patience is lost by it.
const GIVE_UP_AFTER_RETURN: Duration = Duration::from_secs(2);
/// The same of the step that is known to hang.
const GIVE_UP_ADDING_AFTER_RETURN: Duration = Duration::from_secs(1);
/// Each one that is given up doubles the patience with the next, at most so often.
const DOUBLINGS_MAX: u32 = 3;

/// What is to be done about a call to the cluster that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Wait,
    /// A new pipeline takes the place of the one that hangs.
    GiveUp,
    /// The process ends, and what the supervisor starts anew restores itself.
    End,
}

/// What is known of a call that lasts.
#[derive(Debug, Clone, Copy)]
struct Call {
    busy: Duration,
    /// How long it has been adding the inbox positions.
    adding: Duration,
    /// The part of it in which no broker was away.
    undisturbed: Duration,
    /// How long ago a broker came back that had been away, if that was during the call.
    since_return: Option<Duration>,
    /// How many calls before it were given up, each right after the other.
    given_up_in_a_row: u32,
}

/// Helps when a call to the cluster lasts (R8), for librdkafka's blocking calls may ignore their
/// timeouts: first the commit is given up, and only if that does not help within `limit` the
/// process is ended. While a broker is away ending it would not help, so that time does not count.
pub(super) fn start(
    progress: Progress,
    limit: Duration,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, Error> {
    let watch = move || {
        let (mut undisturbed, mut before) = (Duration::ZERO, Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            thread::park_timeout(LOOK);
            let busy = progress.busy().unwrap_or_default();
            if busy < before {
                // Another call: what the one before it took does not count.
                undisturbed = Duration::ZERO;
            }
            before = busy;
            if !broker::is_any_away() {
                undisturbed = (undisturbed + LOOK).min(busy);
            }
            let stage = progress.stage();
            let adding = stage.filter(|(stage, _)| *stage == CommitStage::AddingPositions);
            let call = Call {
                busy,
                adding: adding.map(|(_, since)| since).unwrap_or_default(),
                undisturbed,
                since_return: broker::since_return().filter(|since| *since < busy),
                given_up_in_a_row: progress.given_up_in_a_row(),
            };
            match call.remedy(limit) {
                Remedy::Wait => {}
                Remedy::GiveUp => give_up(&progress, busy, stage.map(|(stage, _)| stage)),
                Remedy::End => end(busy),
            }
        }
    };
    super::spawn("watchdog", watch)
}

impl Call {
    fn remedy(self, limit: Duration) -> Remedy {
        let factor = 2_u32.pow(self.given_up_in_a_row.min(DOUBLINGS_MAX));
        let hangs_since_return = self.since_return.is_some_and(|since| {
            since > GIVE_UP_AFTER_RETURN || since.min(self.adding) > GIVE_UP_ADDING_AFTER_RETURN
        });
        if self.undisturbed > limit {
            Remedy::End
        } else if self.busy > GIVE_UP_AFTER * factor
            || self.adding > GIVE_UP_ADDING_AFTER * factor
            || hangs_since_return
        {
            Remedy::GiveUp
        } else {
            Remedy::Wait
        }
    }
}

fn give_up(progress: &Progress, busy: Duration, stage: Option<CommitStage>) {
    if progress.give_up() {
        let (busy_s, stage) = (busy.as_secs(), stage.map(CommitStage::text));
        tracing::error!(busy_s, stage, "watchdog.gave_up: a commit makes no progress; restoring");
    }
}

fn end(busy: Duration) {
    tracing::error!(
        busy_s = busy.as_secs(),
        "watchdog.fired: a call to Kafka hangs; the process ends, start it again"
    );
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seconds: [u64; 2], since_return_s: Option<u64>, in_a_row: u32, expected: Remedy) {
        let [busy, undisturbed] = seconds.map(Duration::from_secs);
        let since_return = since_return_s.map(Duration::from_secs);
        let adding = Duration::ZERO;
        let call = Call { busy, adding, undisturbed, since_return, given_up_in_a_row: in_a_row };
        assert_eq!(call.remedy(Duration::from_secs(60)), expected, "{call:?}");
    }

    #[test]
    fn the_process_ends_only_when_giving_up_did_not_help() {
        check([20, 20], None, 0, Remedy::Wait);
        check([21, 21], None, 0, Remedy::GiveUp);
        check([60, 60], None, 0, Remedy::GiveUp);
        check([61, 61], None, 0, Remedy::End);
    }

    #[test]
    fn while_a_broker_is_away_a_commit_is_given_up_but_the_process_stays() {
        check([21, 0], None, 0, Remedy::GiveUp);
        check([4_000, 0], None, 0, Remedy::GiveUp);
        check([4_000, 61], Some(61), 0, Remedy::End);
    }

    #[test]
    fn the_step_that_hangs_is_given_up_soon_also_while_a_broker_is_away() {
        let adding = |seconds, given_up_in_a_row| {
            let adding = Duration::from_secs(seconds);
            let undisturbed = Duration::ZERO;
            let since_return = None;
            let call = Call { busy: adding, adding, undisturbed, since_return, given_up_in_a_row };
            call.remedy(Duration::from_secs(60))
        };
        assert_eq!([adding(4, 0), adding(5, 0)], [Remedy::Wait, Remedy::GiveUp]);
        assert_eq!([adding(8, 1), adding(9, 1)], [Remedy::Wait, Remedy::GiveUp]);
    }

    #[test]
    fn after_a_return_less_patience_is_enough() {
        check([9, 2], Some(2), 0, Remedy::Wait);
        check([9, 3], Some(3), 0, Remedy::GiveUp);
        check([9, 3], Some(3), 1, Remedy::GiveUp);
    }

    #[test]
    fn after_a_return_the_step_that_hangs_gets_least() {
        for (adding, since_return, remedy) in
            [(2, 1, Remedy::Wait), (1, 2, Remedy::Wait), (2, 2, Remedy::GiveUp)]
        {
            let [busy, undisturbed] = [9, 0].map(Duration::from_secs);
            let adding = Duration::from_secs(adding);
            let since_return = Some(Duration::from_secs(since_return));
            let call = Call { busy, adding, undisturbed, since_return, given_up_in_a_row: 1 };
            assert_eq!(call.remedy(Duration::from_secs(60)), remedy, "{call:?}");
        }
    }

    #[test]
    fn who_gave_up_in_vain_is_more_patient() {
        check([21, 21], None, 1, Remedy::Wait);
        check([161, 0], None, 9, Remedy::GiveUp);
    }
}

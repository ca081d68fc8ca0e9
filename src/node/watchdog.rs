use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Error;
use crate::broker::{self, Progress};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// A commit that takes so long while every broker can be reached hangs in the client, or the
/// machine is very busy.
const GIVE_UP_AFTER: Duration = Duration::from_secs(15);
/// The same soon after a broker came back: then the client is known to hang now and then
/// (librdkafka #5456), and a new pipeline is at work within a second.
const GIVE_UP_AFTER_RETURN: Duration = Duration::from_secs(2);
/// For how long a broker's return counts.
const RETURN_COUNTS: Duration = Duration::from_secs(30);
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

/// Helps when a call to the cluster lasts longer than `limit` (R8), for librdkafka's blocking calls
/// may ignore their timeouts: first the commit is given up, and only if that does not help the
/// process is ended. While a broker is away neither would help, so that time does not count.
pub(super) fn start(
    progress: Progress,
    limit: Duration,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, Error> {
    let watch = move || {
        let (mut since_outage, mut before) = (Duration::ZERO, Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            thread::park_timeout(LOOK);
            let Some(busy) = progress.busy() else {
                since_outage = Duration::ZERO;
                continue;
            };
            if busy < before {
                // Another call: what the one before it took does not count.
                since_outage = Duration::ZERO;
            }
            before = busy;
            // The time that counts is the time in which the cluster could have answered.
            if !broker::is_any_away() {
                since_outage += LOOK;
            }
            let is_soon = broker::since_return().is_some_and(|since| since < RETURN_COUNTS);
            let patience = patience(is_soon, progress.given_up_in_a_row());
            match remedy(since_outage.min(busy), patience, limit) {
                Remedy::Wait => {}
                Remedy::GiveUp => give_up(&progress, busy),
                Remedy::End => end(busy),
            }
        }
    };
    super::spawn("watchdog", watch)
}

/// How long a commit may take before it is given up.
fn patience(is_soon_after_return: bool, given_up_in_a_row: u32) -> Duration {
    let first = if is_soon_after_return { GIVE_UP_AFTER_RETURN } else { GIVE_UP_AFTER };
    first * 2_u32.pow(given_up_in_a_row.min(DOUBLINGS_MAX))
}

fn remedy(busy: Duration, patience: Duration, limit: Duration) -> Remedy {
    if busy > limit {
        Remedy::End
    } else if busy > patience {
        Remedy::GiveUp
    } else {
        Remedy::Wait
    }
}

fn give_up(progress: &Progress, busy: Duration) {
    if progress.give_up() {
        let busy_s = busy.as_secs();
        tracing::error!(busy_s, "watchdog.gave_up: a commit makes no progress; restoring");
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

    #[test]
    fn the_process_ends_only_when_giving_up_did_not_help() {
        let (patience, limit) = (Duration::from_secs(5), Duration::from_secs(60));
        for (busy_s, expected) in
            [(5, Remedy::Wait), (6, Remedy::GiveUp), (60, Remedy::GiveUp), (61, Remedy::End)]
        {
            assert_eq!(remedy(Duration::from_secs(busy_s), patience, limit), expected, "{busy_s}");
        }
    }

    #[test]
    fn who_gave_up_in_vain_is_more_patient() {
        let seconds = |soon, row| patience(soon, row).as_secs();
        assert_eq!([seconds(true, 0), seconds(true, 1), seconds(true, 9)], [2, 4, 16]);
        assert_eq!([seconds(false, 0), seconds(false, 2)], [15, 60]);
    }
}

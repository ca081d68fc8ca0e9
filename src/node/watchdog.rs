use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Error;
use crate::broker::{self, Progress};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(250);

/// A commit that takes so long while every broker can be reached hangs in the client: a new
/// pipeline is at work within a second.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);

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
        let mut since_outage = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            thread::park_timeout(LOOK);
            let Some(busy) = progress.busy() else {
                since_outage = Duration::ZERO;
                continue;
            };
            // The time that counts is the time in which the cluster could have answered.
            if !broker::is_any_away() {
                since_outage += LOOK;
            }
            match remedy(since_outage.min(busy), limit) {
                Remedy::Wait => {}
                Remedy::GiveUp => give_up(&progress, busy),
                Remedy::End => end(busy),
            }
        }
    };
    super::spawn("watchdog", watch)
}

fn remedy(busy: Duration, limit: Duration) -> Remedy {
    if busy > limit {
        Remedy::End
    } else if busy > GIVE_UP_AFTER {
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
        let limit = Duration::from_secs(60);
        for (busy_s, expected) in
            [(5, Remedy::Wait), (6, Remedy::GiveUp), (60, Remedy::GiveUp), (61, Remedy::End)]
        {
            assert_eq!(remedy(Duration::from_secs(busy_s), limit), expected, "{busy_s}");
        }
    }
}

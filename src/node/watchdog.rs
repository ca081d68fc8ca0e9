use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Error;
use crate::broker::Progress;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(250);

/// Ends the process when a call to the cluster lasts longer than `limit` (R8): librdkafka's
/// blocking calls may ignore their timeouts, and what the supervisor starts anew restores itself.
pub(super) fn start(
    progress: Progress,
    limit: Duration,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, Error> {
    let watch = move || {
        while !stop.load(Ordering::Relaxed) {
            thread::park_timeout(LOOK);
            if let Some(busy) = progress.busy().filter(|busy| *busy > limit) {
                tracing::error!(
                    busy_s = busy.as_secs(),
                    "watchdog.fired: a commit makes no progress; the process ends, start it again"
                );
                std::process::abort();
            }
        }
    };
    super::spawn("watchdog", watch)
}

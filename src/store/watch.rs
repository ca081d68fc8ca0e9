use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::database::Database;
use super::folder::State;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// A shard loop that is seen in the same call of sled so often will not come back from it. Looks
/// are counted, not time: in a process that stood still nobody was caught.
const LOOKS_MAX: u32 = 60;
/// How long it may take to leave a mark for the next start.
const MARK_MAX: Duration = Duration::from_secs(2);

/// Sees whether one call lasts.
#[derive(Debug, Default)]
struct Watch {
    call: Option<Instant>,
    looks: u32,
}

impl Watch {
    /// Looks at the call that has been under way for the longest, if there is one; answers whether
    /// it will not end any more.
    fn is_caught(&mut self, call: Option<Instant>) -> bool {
        self.looks = if call.is_some() && call == self.call { self.looks + 1 } else { 0 };
        self.call = call;
        self.looks >= LOOKS_MAX
    }
}

/// Ends the process when a shard loop is caught in sled: only a new process gets its shards
/// restored, here or on another node.
pub(super) fn start(database: &Arc<Database>) -> std::io::Result<()> {
    let database = Arc::downgrade(database);
    thread::Builder::new().name("store-watch".to_owned()).spawn(move || {
        let mut watch = Watch::default();
        // Ends with the store.
        while let Some(open) = database.upgrade() {
            if watch.is_caught(open.busy.oldest()) {
                end(&open);
            }
            drop(open);
            thread::park_timeout(LOOK);
        }
    })?;
    Ok(())
}

fn end(database: &Arc<Database>) {
    tracing::error!(
        folder = database.folder.text(),
        "watchdog.fired: the local store does not answer; the process ends, start it again"
    );
    let (end, ended) = channel();
    let database = Arc::clone(database);
    thread::spawn(move || {
        // The next start begins without a store that hung; a disk that hangs takes no mark either.
        let _ = end.send(database.folder.mark(State::Damaged));
    });
    let _ = ended.recv_timeout(MARK_MAX);
    std::process::abort();
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "moments only tell calls apart here")]
mod tests {
    use super::*;

    #[test]
    fn only_one_call_that_lasts_is_caught() {
        let (first, second) = (Instant::now(), Instant::now() + LOOK);
        let mut watch = Watch::default();
        for _ in 0..LOOKS_MAX {
            assert!(!watch.is_caught(Some(first)));
        }
        assert!(!watch.is_caught(Some(second)), "another call");
        assert!(!watch.is_caught(None));
        for _ in 0..LOOKS_MAX {
            assert!(!watch.is_caught(Some(second)));
        }
        assert!(watch.is_caught(Some(second)));
    }
}

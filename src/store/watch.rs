use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::database::Database;
use super::folder::State;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// A shard loop that has been in sled for so long will not come back.
const CAUGHT_AFTER: Duration = Duration::from_secs(60);
/// How long it may take to leave a mark for the next start.
const MARK_MAX: Duration = Duration::from_secs(2);

/// Ends the process when a shard loop is caught in sled: only a new process gets its shards
/// restored, here or on another node.
pub(super) fn start(database: &Arc<Database>) -> std::io::Result<()> {
    let database = Arc::downgrade(database);
    thread::Builder::new().name("store-watch".to_owned()).spawn(move || {
        while let Some(caught) = look(&database) {
            if caught > CAUGHT_AFTER {
                end(&database, caught);
            }
            thread::park_timeout(LOOK);
        }
    })?;
    Ok(())
}

/// How long the longest call has been under way; nothing once the store is gone.
fn look(database: &Weak<Database>) -> Option<Duration> {
    Some(database.upgrade()?.busy.longest().unwrap_or_default())
}

fn end(database: &Weak<Database>, caught: Duration) {
    let (busy_s, of) = (caught.as_secs(), database.upgrade());
    let folder = of.as_ref().map(|database| database.folder.text());
    tracing::error!(
        busy_s,
        folder,
        "watchdog.fired: the local store does not answer; the process ends, start it again"
    );
    let (end, ended) = channel();
    thread::spawn(move || {
        // The next start begins without a store that hung; a disk that hangs takes no mark either.
        let marked = of.map(|database| database.folder.mark(State::Damaged));
        let _ = end.send(marked);
    });
    let _ = ended.recv_timeout(MARK_MAX);
    std::process::abort();
}

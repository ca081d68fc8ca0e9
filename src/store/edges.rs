use std::time::Duration;

use super::guard::guarded;
use crate::message::Timestamp;

/// What the store is given from outside; tests give it something else.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    pub clock: fn() -> Timestamp,
    pub flush: fn(&sled::Db) -> Result<(), String>,
    /// A flush that takes longer hangs, and is not waited for.
    pub patience: Duration,
}

impl Default for Edges {
    fn default() -> Self {
        let flush = |db: &sled::Db| guarded(|| db.flush()).map(drop);
        Self { clock: wall_clock, flush, patience: Duration::from_secs(30) }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the edge where the clock is")]
fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}

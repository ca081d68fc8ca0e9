#![allow(clippy::disallowed_methods, reason = "this is the clock that the others are given")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::message::Timestamp;
use crate::runtime::Clock;

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct MachineClock {
    start: Instant,
}

impl Default for MachineClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

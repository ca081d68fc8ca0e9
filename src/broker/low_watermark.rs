//! Finds out up to which moment users' topics have been read, whichever node's gateway read them.
//!
//! ```text
//!   a timer is due ─▶ ask: now T, where do the topics end? ─▶ has the gateways' group committed
//!                                                             as far? ─▶ read up to T
//! ```
//!
//! Gateways commit an offset only when everything in front of it stands in the inbox, so the
//! answer needs no clock but the asking node's own, and no word from the gateways themselves.

mod decide;
mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::decide::Reading;
use self::look::Look;
use super::membership::Membership;
use super::{Connection, Error};
use crate::message::{Timestamp, Topic};
use crate::runtime::ReadUpTo;

/// How often it is looked again while somebody waits.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long after a failed look.
const PAUSE: Duration = Duration::from_millis(200);
/// A cluster that did not answer for so long was away.
const ABSENCE_MIN: Duration = Duration::from_secs(2);
/// How much later than now a moment may be before the clock is taken to have been set back.
const SET_BACK_MS: i64 = 1_000;

/// Watches how far users' topics are read, on a thread of its own, while somebody wants to know.
pub(super) struct LowWatermark {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The topics that were ever asked for.
    topics: BTreeMap<Topic, Reading>,
    /// Those whose watermark is not where it is wanted.
    wanted: BTreeSet<Topic>,
    away_until: Option<Timestamp>,
    stopped: bool,
}

impl LowWatermark {
    pub(super) fn start(connection: &Connection, membership: &Membership) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let (own, look) = (Arc::clone(&shared), Look::open(connection, membership)?);
        let thread = thread::Builder::new().name("low-watermark".to_owned());
        let thread = thread.spawn(move || own.run(look));
        let thread = thread.map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Up to which moment all of these topics are read; what is not known is looked for.
    pub(super) fn of(&self, topics: &BTreeSet<Topic>, wanted: Timestamp) -> ReadUpTo {
        let now = now();
        let mut state = self.shared.state();
        let mut until = ReadUpTo::ALL.until;
        let mut unread_partitions = 0;
        for topic in topics {
            let mut own = state.topics.get(topic).map_or(Timestamp(i64::MIN), |r| r.until);
            if own.0 > now.0.saturating_add(SET_BACK_MS) {
                // The clock was set back, so what it said before says nothing.
                state.topics.remove(topic);
                own = Timestamp(i64::MIN);
            }
            unread_partitions += state.topics.get(topic).map_or(0, |r| r.stalled.len());
            if own < wanted {
                state.wanted.insert(topic.clone());
            }
            until = until.min(own);
        }
        if !state.wanted.is_empty() {
            self.shared.changed.notify_all();
        }
        let away_until = state.away_until.unwrap_or(ReadUpTo::ALL.away_until);
        ReadUpTo { until, away_until, unread_partitions }
    }
}

impl Drop for LowWatermark {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.changed.notify_all();
        // A question under way may take its time; nobody waits for its answer.
        drop(self.thread.take());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut look: Look) {
        let mut failing: Option<Instant> = None;
        while let Some((mut readings, pause)) = self.next(failing.is_some()) {
            let found = look.at(&mut readings, now());
            match (found, failing) {
                (Ok(()), Some(since)) => {
                    failing = None;
                    if since.elapsed() >= ABSENCE_MIN {
                        self.state().away_until = Some(now());
                    }
                }
                (Err(reason), None) => {
                    tracing::debug!(reason, "low watermark unknown");
                    failing = Some(Instant::now());
                }
                (Ok(()), None) | (Err(_), Some(_)) => {}
            }
            self.publish(readings);
            let state = self.state();
            let waited = self.changed.wait_timeout_while(state, pause, |state| !state.stopped);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// What to look at next, as soon as somebody wants to know; none when it is over.
    fn next(&self, failed: bool) -> Option<(BTreeMap<Topic, Reading>, Duration)> {
        let state = self.state();
        let waited = self.changed.wait_while(state, |s| s.wanted.is_empty() && !s.stopped);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return None;
        }
        let wanted = std::mem::take(&mut state.wanted);
        let mut readings = BTreeMap::new();
        for topic in wanted {
            let reading = state.topics.get(&topic).cloned().unwrap_or_default();
            readings.insert(topic, reading);
        }
        Some((readings, if failed { PAUSE } else { LOOK_EVERY }))
    }

    fn publish(&self, readings: BTreeMap<Topic, Reading>) {
        self.state().topics.extend(readings);
    }
}

/// This node's wall clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

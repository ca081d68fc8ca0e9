//! Notices when the engine was away or behind: what it could not receive in time is no silence.

use std::time::Duration;

use super::Pipeline;
use crate::message::Span;
use crate::runtime::clock::Clock;
use crate::runtime::ports::{Broker, Store, Waker};

/// A turn that takes longer, and a record that waited longer in the inbox, say that the engine was
/// away or behind. Clocks of nodes may differ by as much without a consequence.
pub(super) const ABSENCE_MIN: Span = Span::seconds(2);

/// Records that waited in the inbox while the engine was away or busy.
pub(super) struct Backlog {
    since: Duration,
    records: u64,
    /// The longest that one of them waited.
    waited: Span,
    /// Whether this turn has found one.
    grows: bool,
}

impl Backlog {
    /// Adds a record that has waited so long, to a backlog that began at `since` if there was none.
    pub fn add(backlog: &mut Option<Self>, waited: Span, since: Duration) {
        let fresh = Self { since, records: 0, waited, grows: true };
        let own = backlog.get_or_insert(fresh);
        own.records += 1;
        own.waited = own.waited.max(waited);
        own.grows = true;
    }
}

impl<B: Broker + Waker, S: Store, C: Clock> Pipeline<B, S, C> {
    /// Says how much has waited and for how long, once the engine has caught up with it.
    pub(super) fn note_backlog(&mut self) {
        self.notices.tick(self.clock.elapsed());
        if let Some(backlog) = self.backlog.as_mut().filter(|backlog| backlog.grows) {
            backlog.grows = false;
            return;
        }
        if let Some(Backlog { since, records, waited, .. }) = self.backlog.take() {
            let took_ms = self.clock.elapsed().saturating_sub(since).as_millis();
            tracing::info!(records, %waited, took_ms, "pipeline.caught_up");
        }
    }

    /// Remembers when a turn took so long that no shard was served meanwhile: a commit that hung
    /// with the cluster, a process that was stopped.
    pub(super) fn note_absence(&mut self, patience: Duration) {
        let elapsed = self.clock.elapsed();
        if elapsed.saturating_sub(self.turned) > Duration::from_millis(ABSENCE_MIN.0) + patience {
            let now = self.clock.now();
            self.shards.values_mut().for_each(|state| state.current_since = now);
        }
        self.turned = elapsed;
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::clock::MachineClock;
use super::plan::{Pauses, Plan, passing};
use super::{Callers, Health, Observer, Trouble};
use crate::broker::{Confirmed, KafkaBroker, Progress};
use crate::runtime::{Lost, Observed, Pipeline};
use crate::store::SledStore;

/// One pipeline's thread.
pub(super) struct Worker {
    pub plan: Arc<Plan>,
    pub number: u32,
    pub store: SledStore,
    pub callers: Callers,
    pub observer: Observer,
    pub stop: Arc<AtomicBool>,
    pub trouble: Trouble,
    pub progress: Progress,
    pub confirmed: Confirmed,
    pub health: Health,
}

impl Worker {
    /// Runs a pipeline, and a new one whenever it is lost (R7), until it is told to stop.
    pub fn run(self) {
        let mut pauses = Pauses::default();
        while !self.stop.load(Ordering::Relaxed) {
            match self.live(&mut pauses) {
                Ok(()) => return,
                Err(lost) if lost.fatal => {
                    self.trouble.report(lost.reason);
                    self.stop.store(true, Ordering::Relaxed);
                }
                Err(lost) => {
                    // Other nodes take the shards over; a supervisor tries again.
                    if let Some(broken) = self.store.broken() {
                        self.trouble.report(broken);
                        self.stop.store(true, Ordering::Relaxed);
                        return;
                    }
                    if pauses.is_first() {
                        tracing::warn!(reason = lost.reason, "pipeline.lost: restoring");
                    } else {
                        tracing::debug!(reason = lost.reason, "pipeline.lost again");
                    }
                    pauses.pause(&self.stop);
                }
            }
        }
    }

    fn live(&self, pauses: &mut Pauses) -> Result<(), Lost> {
        self.progress.begin();
        let catalog = self.plan.catalog()?;
        let member = self.plan.member(self.number);
        let written = catalog.definitions().flat_map(|d| d.topics_written()).collect();
        let opened = KafkaBroker::open(
            &self.plan.connection,
            &member,
            written,
            &self.confirmed,
            &self.progress,
        );
        let broker = opened.map_err(passing)?;
        let observer = Arc::clone(&self.observer);
        let observe = Box::new(move |seen: Observed| observer(&seen));
        let settings = self.plan.settings.clone();
        let (store, clock) = (self.store.handle(), MachineClock::default());
        let caller = self.callers.caller();
        let mut pipeline = Pipeline::new(settings, catalog, broker, store, clock, caller, observe);
        while !self.stop.load(Ordering::Relaxed) {
            pipeline.turn()?;
            self.health.note(self.number, pipeline.shards());
            if pipeline.counts().commits > 0 {
                pauses.reset();
            }
        }
        let counts = pipeline.counts();
        tracing::info!(?counts, "pipeline.stopped");
        pipeline.stop()
    }
}

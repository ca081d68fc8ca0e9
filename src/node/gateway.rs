use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::plan::{Pauses, Plan, passing};
use super::{MachineClock, Trouble, starts};
use crate::broker::KafkaSource;
use crate::definition::Starts;
use crate::runtime::{Clock as _, Gateway, Lost};

/// The longest wait for a record: how soon a stop is seen.
const WAIT: Duration = Duration::from_millis(100);

/// Runs a gateway, and a new one whenever it is lost, until it is told to stop.
pub(super) fn run(plan: &Plan, stop: &AtomicBool, trouble: &Trouble) {
    let mut pauses = Pauses::default();
    let mut followed = plan.said().cloned();
    while !stop.load(Ordering::Relaxed) {
        match live(plan, stop, &mut pauses, &mut followed) {
            Ok(()) => {}
            Err(lost) if lost.fatal => {
                trouble.report(lost.reason);
                stop.store(true, Ordering::Relaxed);
            }
            Err(lost) => {
                if pauses.is_first() {
                    tracing::warn!(reason = lost.reason, "gateway.lost: reading again");
                } else {
                    tracing::debug!(reason = lost.reason, "gateway.lost again");
                }
                pauses.pause(stop);
            }
        }
    }
}

/// Lives until it is told to stop, or other definitions start.
fn live(
    plan: &Plan,
    stop: &AtomicBool,
    pauses: &mut Pauses,
    followed: &mut Option<Arc<Starts>>,
) -> Result<(), Lost> {
    let catalog = plan.catalog()?;
    if let Some(starts) = catalog.starts() {
        starts::tell(followed.as_deref(), starts);
        *followed = Some(Arc::clone(starts));
    }
    let mut topics = crate::correlation::Index::new(&catalog).topics();
    topics.insert(plan.settings.topics.operator.clone());
    let opened = KafkaSource::open(&plan.connection, &plan.member(0), &topics);
    let source = opened.map_err(passing)?;
    let mut gateway = Gateway::new(&plan.settings, &catalog, source);
    if let Some(keys) = plan.act_keys.clone() {
        let clock = MachineClock::default();
        gateway = gateway.verifying(move |record| keys.verify(record, clock.now()));
    }
    while !stop.load(Ordering::Relaxed) && !plan.is_outdated(&catalog) {
        gateway.turn(WAIT)?;
        pauses.reset();
    }
    let passed = gateway.passed();
    tracing::info!(
        records = passed.records,
        appends = passed.appends,
        empty = passed.empty,
        "gateway.stopped"
    );
    Ok(())
}

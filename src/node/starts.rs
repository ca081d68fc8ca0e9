//! What starts: watches what other nodes say, and tells people of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::plan::Plan;
use crate::broker::definitions::Watch;
use crate::broker::{self, Running};
use crate::definition::{Starts, State};
use crate::message::SagaName;

/// How long a look waits for news: how soon a stop is seen.
const WAIT: Duration = Duration::from_millis(200);
/// How long to wait when the cluster did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches what nodes say starts until it is told to stop; the gateway follows.
pub(super) fn watch(plan: &Plan, stop: &AtomicBool) {
    tell_left(plan);
    while !stop.load(Ordering::Relaxed) {
        let app = &plan.settings.app;
        let lost = Watch::open(&plan.connection, app).and_then(|mut watch| {
            while !stop.load(Ordering::Relaxed) {
                if let Some(offset) = watch.next(WAIT)? {
                    plan.note_starts(offset);
                }
            }
            Ok(())
        });
        if let Err(lost) = lost {
            tracing::debug!(reason = %lost, "definitions.watch_lost");
            thread::sleep(PAUSE);
        }
    }
}

/// Says how many instances still run of the sagas that start nothing new.
fn tell_left(plan: &Plan) {
    let Some(starts) = plan.said() else { return };
    let idle = starts.sagas.iter().filter(|(_, starting)| starting.state != State::Active);
    let idle: BTreeSet<SagaName> = idle.map(|(saga, _)| saga.clone()).collect();
    if idle.is_empty() {
        return;
    }
    let left = match broker::running(&plan.connection, &plan.settings.app, &idle) {
        Ok(left) => left,
        Err(reason) => {
            tracing::warn!(%reason, "sagas.not_counted: how many still run is not known");
            BTreeMap::new()
        }
    };
    for (saga, Running { living, kept }) in left {
        let state = starts.sagas[&saga].state.text();
        tracing::info!(%saga, state, running = living, kept, "saga.still_runs");
    }
}

/// Tells people what starts otherwise than before; at first, all that is worth a word.
pub(super) fn tell(before: Option<&Starts>, now: &Starts) {
    for (saga, starting) in &now.sagas {
        if before.and_then(|before| before.sagas.get(saga)) == Some(starting) {
            continue;
        }
        let (version, said_by) = (starting.version.0, &*now.node);
        match starting.state {
            State::Active => tracing::info!(%saga, version, said_by, "saga.starts"),
            State::Paused => {
                tracing::warn!(%saga, version, said_by, "saga.paused: its starts are kept");
            }
            State::Retired => {
                tracing::warn!(
                    %saga, version, said_by,
                    "saga.retired: its starts are dead letters"
                );
            }
            State::Removed => {
                tracing::warn!(
                    %saga, version, said_by,
                    "saga.removed: its file is gone, so it starts nothing new; what runs goes on"
                );
            }
        }
    }
}

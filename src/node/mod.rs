//! Composes one process: a gateway, pipelines, the local store, and who watches over them.

mod act_keys;
mod clock;
mod error;
pub mod files;
mod fresh_file;
mod gateway;
mod given;
mod health;
mod hosts;
mod pipeline;
mod plan;
mod starts;
#[cfg(test)]
mod tests;
mod trouble;
mod watchdog;

pub use act_keys::ActKeys;
pub use clock::MachineClock;
pub use error::Error;
pub use fresh_file::{FileStamp, FreshFile};
pub use given::{Callers, Observer};
pub use health::Health;
pub use hosts::{Unallowed, unallowed};
pub use plan::connection;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::Config;
use crate::definition::Definition;
use crate::store::SledStore;

use plan::Plan;
use trouble::Trouble;

/// A running engine.
pub struct Node {
    stop: Arc<AtomicBool>,
    trouble: Trouble,
    threads: Vec<JoinHandle<()>>,
    store: SledStore,
    health: Health,
}

impl Node {
    /// Starts an engine: checks topics and definitions, then runs until `stop` is set. Its calls
    /// are made by `callers`.
    ///
    /// # Errors
    /// When something is wrong that waiting does not mend.
    pub fn start(
        config: &Config,
        definitions: Vec<Definition>,
        observer: &Observer,
        callers: &Callers,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        Self::start_with(config, definitions, observer, callers, stop, Health::default())
    }

    /// The same, and `health` knows from then on whether its shards are restored.
    ///
    /// # Errors
    /// When something is wrong that waiting does not mend.
    pub fn start_with(
        config: &Config,
        definitions: Vec<Definition>,
        observer: &Observer,
        callers: &Callers,
        stop: Arc<AtomicBool>,
        health: Health,
    ) -> Result<Self, Error> {
        let plan = Arc::new(Plan::make(config, definitions, &stop)?);
        let store = SledStore::open(&plan.store)?;
        let trouble = Trouble::default();
        let mut threads = Vec::new();
        for number in 0..config.pipelines {
            let worker = pipeline::Worker {
                plan: Arc::clone(&plan),
                number,
                store: store.handle(),
                callers: callers.clone(),
                observer: Arc::clone(observer),
                stop: Arc::clone(&stop),
                trouble: trouble.clone(),
                progress: crate::broker::Progress::default(),
                confirmed: crate::broker::Confirmed::default(),
                health: health.clone(),
            };
            let progress = worker.progress.clone();
            health.begin(number, &progress);
            let limit = Duration::from_millis(config.watchdog.0);
            threads.push(spawn(&format!("pipeline-{number}"), move || worker.run())?);
            threads.push(watchdog::start(progress, limit, Arc::clone(&stop))?);
        }
        let (planned, told) = (Arc::clone(&plan), trouble.clone());
        let flag = Arc::clone(&stop);
        threads.push(spawn("gateway", move || gateway::run(&planned, &flag, &told))?);
        let (planned, flag) = (Arc::clone(&plan), Arc::clone(&stop));
        threads.push(spawn("definitions", move || starts::watch(&planned, &flag))?);
        Ok(Self { stop, trouble, threads, store, health })
    }

    /// Whether its shards are restored.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Whether a part of it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Asks everything to stop: batches end, shards are checkpointed, the group is left.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until everything has stopped.
    ///
    /// # Errors
    /// The reason, if it stopped without being asked to.
    pub fn wait(self) -> Result<(), String> {
        for thread in self.threads {
            if thread.join().is_err() {
                self.trouble.report("a thread panicked; this is a defect of segue".to_owned());
            }
        }
        if let Err(reason) = self.store.stop() {
            tracing::warn!(%reason, "store.stop_failed: the next start reads the changelog");
        }
        match self.trouble.take() {
            None => Ok(()),
            Some(reason) => Err(reason),
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    Ok(thread::Builder::new().name(name.to_owned()).spawn(run)?)
}

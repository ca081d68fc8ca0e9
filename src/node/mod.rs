//! Composes one process: a gateway, pipelines, the local store, and who watches over them.

mod clock;
pub mod files;
mod gateway;
mod hosts;
mod pipeline;
mod plan;
mod watchdog;

pub use clock::MachineClock;
pub use hosts::{Unallowed, unallowed};
pub use plan::connection;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::calls::{self, Executor};
use crate::config::Config;
use crate::definition::Definition;
use crate::runtime::{Caller, Observed};
use crate::store::SledStore;
use crate::telemetry::Tracer;

use plan::Plan;

/// Told of every committed transition; must not wait.
pub type Observer = Arc<dyn Fn(&Observed) + Send + Sync>;

/// A running engine.
pub struct Node {
    stop: Arc<AtomicBool>,
    trouble: Trouble,
    threads: Vec<JoinHandle<()>>,
    store: SledStore,
}

/// Why a node could not start; everything is said before anything runs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster refuses, is not there, or its topics do not fit.
    #[error(transparent)]
    Broker(#[from] crate::broker::Error),
    /// The local store cannot be had.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// Calls cannot be made.
    #[error(transparent)]
    Calls(#[from] calls::Error),
    /// Two texts under one version.
    #[error(transparent)]
    Catalog(#[from] crate::definition::CatalogError),
    /// A stored definition does not parse here.
    #[error("{0}")]
    Stored(String),
    /// A name cannot stand in a topic.
    #[error(transparent)]
    Name(#[from] crate::message::Error),
    /// The system gives no thread.
    #[error("the system gives no thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What ended a node, if it was not asked to end: the first reason counts.
#[derive(Debug, Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn report(&self, reason: String) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(reason);
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Who makes the calls: one for each pipeline.
#[derive(Clone)]
pub struct Callers(Arc<dyn Fn() -> Box<dyn Caller> + Send + Sync>);

impl Callers {
    /// Callers of one's own making.
    pub fn new(make: impl Fn() -> Box<dyn Caller> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// Callers over HTTP, as far as the configuration allows it; each call is told to `tracer`.
    ///
    /// # Errors
    /// When calls cannot be made at all.
    pub fn http(config: &Config, tracer: Tracer) -> Result<Self, Error> {
        let executor = Executor::open(config.calls.clone(), tracer)?;
        Ok(Self::new(move || Box::new(executor.desk())))
    }

    fn caller(&self) -> Box<dyn Caller> {
        (self.0)()
    }
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
            };
            let progress = worker.progress.clone();
            let limit = Duration::from_millis(config.watchdog.0);
            threads.push(spawn(&format!("pipeline-{number}"), move || worker.run())?);
            threads.push(watchdog::start(progress, limit, Arc::clone(&stop))?);
        }
        let (planned, told) = (Arc::clone(&plan), trouble.clone());
        let flag = Arc::clone(&stop);
        threads.push(spawn("gateway", move || gateway::run(&planned, &flag, &told))?);
        Ok(Self { stop, trouble, threads, store })
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

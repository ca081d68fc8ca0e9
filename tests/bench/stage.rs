//! A fresh Kafka and the engine on it, which a measurement starts, kills and stops as it likes.

use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::load::{Load, Manner, Participants};
use crate::process::{Kafka, Running};
use crate::{Delivery, Options, engine, kafka};

/// How long the first order may take: topics are made and Kafka's code is not yet compiled.
const FIRST_ORDER_MAX: Duration = Duration::from_secs(60);

/// Everything that runs; what was started last ends first.
pub struct Stage<'a> {
    options: &'a Options,
    engine: Option<Running>,
    kafka: Kafka,
    place: TempDir,
}

impl<'a> Stage<'a> {
    /// Starts Kafka and makes the users' topics.
    pub fn set(options: &'a Options) -> Result<Self> {
        let place = TempDir::with_prefix("segue-bench.")?;
        let kafka = engine::kafka(options.broker.as_deref(), place.path())?;
        kafka::create_topics(kafka.address(), &kafka::users_topics(), options.partitions)?;
        Ok(Self { options, engine: None, kafka, place })
    }

    /// Starts the engine, again if need be; it tells what it does in its log.
    pub fn start(&mut self) -> Result<()> {
        let address = self.kafka.address();
        self.engine = Some(engine::start(address, self.options, self.place.path(), "info")?);
        Ok(())
    }

    /// Starts the participants.
    pub fn participants(&self, manner: Manner) -> Result<Participants> {
        let committed = self.options.delivery == Delivery::ExactlyOnce;
        Participants::start(self.kafka.address(), manner, committed)
    }

    /// Opens the load; it can go when a first order has ended.
    pub fn load(&mut self, waits: bool) -> Result<Load> {
        let mut load = Load::open(self.kafka.address())?;
        let engine = self.engine.as_mut().context("no engine runs")?;
        if waits {
            load.probe(FIRST_ORDER_MAX, || !engine.has_ended())?;
        }
        Ok(load)
    }

    /// The engine's process.
    pub fn engine_id(&self) -> Result<u32> {
        Ok(self.engine.as_ref().context("no engine runs")?.id())
    }

    /// Ends the engine as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.engine.take().context("no engine runs")?.kill()
    }

    /// Asks the engine to end, and waits for it.
    pub fn stop(&mut self) {
        self.engine = None;
    }

    /// Deletes the local checkpoint of an engine that was stopped.
    pub fn forget(&self) -> Result<()> {
        Ok(std::fs::remove_dir_all(engine::data(self.place.path()))?)
    }

    /// What the engine has written since it was started.
    pub fn log(&self) -> String {
        engine::log(self.place.path())
    }

    /// Tells the engine's last words if a measurement went wrong.
    pub fn explain<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            eprintln!("{}", engine::last_words(self.place.path()));
        }
        result
    }
}

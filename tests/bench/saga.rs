//! Measures sagas over Kafka from outside: how many a second, how long each, at what cost.
//!
//! `cargo bench --bench saga -- --help` tells the options; README.md beside this has figures.

// A benchmark reads the clock.
#![allow(clippy::disallowed_methods)]

mod engine;
mod floor;
mod hold;
mod kafka;
mod load;
mod process;
mod report;
mod restart;
mod restore;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};

use crate::floor::Gathering;
use crate::load::{Arrival, Load, Manner, Participants};
use crate::process::{Kafka, Running};
use crate::report::Figures;

/// How many orders are open in the busy part of a warm-up.
const WARM_UP_OPEN: usize = 256;

/// What may happen to a command when a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Delivery {
    /// Each command once: batches are transactions.
    ExactlyOnce,
    /// Commands may repeat with the same id.
    AtLeastOnce,
}

impl Delivery {
    /// As the configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly-once",
            Self::AtLeastOnce => "at-least-once",
        }
    }
}

/// Measures sagas over Kafka from outside.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench saga --")]
struct Options {
    /// So many orders are open at any time.
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    open: Option<usize>,
    /// So many orders are placed each second.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// How long is measured.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How long runs before that, for Kafka's JIT above all.
    #[arg(long, default_value_t = 20)]
    warmup: u64,
    /// The delivery mode.
    #[arg(long, value_enum, default_value_t = Delivery::ExactlyOnce)]
    delivery: Delivery,
    /// Partitions of the engine's topics.
    #[arg(long, default_value_t = 4)]
    shards: i32,
    /// Threads of the engine that own shards.
    #[arg(long, default_value_t = 1)]
    pipelines: u32,
    /// Partitions of the users' topics.
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// Of 100 cards so many are declined (by the engine's run only).
    #[arg(long, default_value_t = 0)]
    declined: u32,
    /// `dev` for Segue's own, or the address of a fresh Kafka; by default one is started.
    #[arg(long, value_name = "dev|ADDRESS")]
    broker: Option<String>,
    /// Measures the floor instead of the engine.
    #[arg(long)]
    floor: bool,
    /// Measures the floor, then the engine, each on a fresh Kafka, and their ratio.
    #[arg(long, conflicts_with = "floor")]
    pair: bool,
    /// Kills the engine with so many orders open, and measures from its start to the last end.
    #[arg(long, value_name = "OPEN", conflicts_with_all = ["rate", "floor", "pair"])]
    restart: Option<usize>,
    /// Writes so many changelog records, deletes the local checkpoint, and measures the restore.
    #[arg(long, value_name = "RECORDS", conflicts_with_all = ["rate", "floor", "pair"])]
    restore: Option<u64>,
    /// Leaves so many orders open, and measures the engine's memory.
    #[arg(long, value_name = "ORDERS", conflicts_with_all = ["rate", "floor", "pair"])]
    hold: Option<usize>,
    /// Appends a line of JSON for each run to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The floor's gathering: most records in a batch.
    #[arg(long, default_value_t = 2000, hide = true)]
    records_max: usize,
    #[arg(long, default_value_t = 8, hide = true)]
    crowd: usize,
    #[arg(long, default_value_t = 5, hide = true)]
    gather_ms: u64,
    #[arg(long, default_value_t = 1, hide = true)]
    producers: usize,
    /// This process is the floor itself, on this Kafka.
    #[arg(long, hide = true)]
    as_floor: Option<String>,
    /// Said by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Engine,
    Floor,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(brokers) = &options.as_floor {
        return floor::run(brokers, options.delivery, options.gathering());
    }
    if let Some(special) = options.special() {
        return special?.tell(options.json.as_deref());
    }
    let whats: &[What] = match (options.pair, options.floor) {
        (true, _) => &[What::Floor, What::Engine],
        (false, true) => &[What::Floor],
        (false, false) => &[What::Engine],
    };
    let mut all = Vec::new();
    for what in whats {
        let figures = measure(*what, &options)?;
        report::append(options.json.as_deref(), &figures.json())?;
        all.push(figures);
    }
    println!("{}", report::HEAD);
    for figures in &all {
        println!("{}", figures.row());
    }
    if all.iter().any(|f| f.others_cores > 0.2) {
        println!("\nother programs used the machine meanwhile: compare only within this run");
    }
    if let [floor, engine] = all.as_slice() {
        let ratio = engine.sagas_per_second() / floor.sagas_per_second();
        println!("\nengine / floor: {ratio:.2}");
    }
    if all.iter().any(|f| f.seen.left_open > 0) {
        bail!("some orders never ended");
    }
    Ok(())
}

impl Options {
    fn gathering(&self) -> Gathering {
        Gathering {
            records_max: self.records_max,
            crowd: self.crowd,
            wait: Duration::from_millis(self.gather_ms),
            producers: self.producers,
        }
    }

    /// The measurement of its own kind that was asked for.
    fn special(&self) -> Option<Result<report::Findings>> {
        match (self.restart, self.restore, self.hold) {
            (Some(open), _, _) => Some(restart::measure(open, self)),
            (_, Some(records), _) => Some(restore::measure(records, self)),
            (_, _, Some(orders)) => Some(hold::measure(orders, self)),
            (None, None, None) => None,
        }
    }

    fn arrival(&self) -> Arrival {
        match (self.open, self.rate) {
            (_, Some(rate)) => Arrival::Rate(rate),
            (open, None) => Arrival::Open(open.unwrap_or(1024)),
        }
    }
}

/// One run on a fresh Kafka.
fn measure(what: What, options: &Options) -> Result<Figures> {
    let place = tempfile::TempDir::with_prefix("segue-bench.")?;
    let kafka = engine::kafka(options.broker.as_deref(), place.path())?;
    kafka::create_topics(kafka.address(), &kafka::users_topics(), options.partitions)?;
    if what == What::Floor {
        kafka::create_topics(kafka.address(), &floor::OWN_TOPICS, options.shards)?;
    }
    let mut running = match what {
        What::Engine => engine::start(kafka.address(), options, place.path(), "warn")?,
        What::Floor => engine::start_floor(kafka.address(), options, place.path())?,
    };
    let result = watch(what, &kafka, &mut running, options);
    if result.is_err() {
        eprintln!("{}", engine::last_words(place.path()));
    }
    result
}

/// Runs without measuring. A few orders a second would leave Kafka's code uncompiled for minutes, so
/// most of the time before an open loop is a busy closed one.
fn warm_up(load: &mut Load, arrival: Arrival, lasting: Duration) -> Result<()> {
    match arrival {
        Arrival::Open(_) => load.run(arrival, lasting)?,
        Arrival::Rate(_) => {
            load.run(Arrival::Open(WARM_UP_OPEN), lasting * 3 / 4)?;
            load.drain(Duration::from_secs(60))?;
            load.run(arrival, lasting / 4)?
        }
    };
    Ok(())
}

/// Puts the load on what runs and reads the meters around the measured time.
fn watch(what: What, kafka: &Kafka, running: &mut Running, options: &Options) -> Result<Figures> {
    let committed = options.delivery == Delivery::ExactlyOnce;
    let manner = Manner { declined_percent: options.declined, ..Manner::default() };
    let participants = Participants::start(kafka.address(), manner, committed)?;
    let mut load = Load::open(kafka.address())?;
    load.probe(Duration::from_secs(60), || !running.has_ended())?;
    let arrival = options.arrival();
    eprintln!("{what:?}: {arrival:?}, {} s of warm-up", options.warmup);
    warm_up(&mut load, arrival, Duration::from_secs(options.warmup))?;
    let processes = [Some(running.id()), kafka.id(), Some(std::process::id())];
    let before = processes.map(|id| id.map(process::cpu));
    let machine = process::machine_cpu();
    let mut seen = load.run(arrival, Duration::from_secs(options.seconds))?;
    let after = processes.map(|id| id.map(process::cpu));
    let machine = process::machine_cpu().saturating_sub(machine);
    let memory_mib = processes.map(|id| id.map(process::memory_mib));
    seen.left_open = load.drain(Duration::from_secs(60))?;
    participants.stop()?;
    let mut cpu = [None; 3];
    for (of, (before, after)) in before.into_iter().zip(after).enumerate() {
        cpu[of] = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    }
    let ours: Duration = cpu.iter().flatten().sum();
    Ok(Figures {
        others_cores: machine.saturating_sub(ours).as_secs_f64() / seen.lasted.as_secs_f64(),
        what: if what == What::Engine { "engine" } else { "floor" },
        delivery: options.delivery.name(),
        arrival,
        seen,
        cpu,
        memory_mib,
    })
}

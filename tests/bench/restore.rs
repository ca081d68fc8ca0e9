//! How fast the engine reads its changelog when the local checkpoint is gone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::Options;
use crate::load::{Arrival, Manner};
use crate::process;
use crate::report::Findings;
use crate::stage::Stage;

/// How many orders are open while the changelog is filled.
const OPEN: usize = 2048;
/// How many records of the changelog an order leaves at least: one for each answer.
const RECORDS_AN_ORDER: u64 = 4;
/// How long a restore may take.
const RESTORE_MAX: Duration = Duration::from_secs(300);

/// Fills a changelog by a real load, stops the engine, deletes the checkpoint, starts again.
pub fn measure(records: u64, options: &Options) -> Result<Findings> {
    let mut stage = Stage::set(options)?;
    let result = run(records, options, &mut stage);
    stage.explain(result)
}

fn run(records: u64, options: &Options, stage: &mut Stage<'_>) -> Result<Findings> {
    stage.start()?;
    let participants = stage.participants(Manner::default())?;
    let mut load = stage.load(true)?;
    eprintln!("Restore: filling the changelog with {records} records");
    let mut ended = 0;
    while ended * RECORDS_AN_ORDER < records {
        ended += load.run(Arrival::Open(OPEN), Duration::from_secs(1))?.ended;
    }
    if load.drain(Duration::from_secs(60))? > 0 {
        bail!("some orders never ended");
    }
    participants.stop()?;
    stage.stop();
    stage.forget()?;
    let begun = Instant::now();
    stage.start()?;
    let told = loop {
        let told = restored(&stage.log())?;
        // One node restores all its shards at once.
        if !told.is_empty() {
            break told;
        }
        if begun.elapsed() > RESTORE_MAX {
            bail!("the engine did not restore its shards");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let ready = begun.elapsed();
    let cpu = process::cpu(stage.engine_id()?);
    let peak = process::memory_peak_mib(stage.engine_id()?);
    if std::env::var_os("SEGUE_BENCH_LOG").is_some() {
        eprintln!("{}", stage.log());
    }
    let records: u64 = told.iter().map(|one| one.records).sum();
    // The first shard began so long before it was told.
    let first = told.iter().map(|one| one.at_ms - one.took_ms).min().unwrap_or_default();
    let last = told.iter().map(|one| one.at_ms).max().unwrap_or_default();
    let took = Duration::from_millis(u64::try_from(last - first)?);
    #[allow(clippy::cast_precision_loss)] // counts of a benchmark are far below 2^52
    let rate = records as f64 / took.as_secs_f64();
    Ok(Findings {
        what: "restore",
        figures: vec![
            ("shards", json!(options.shards)),
            ("records", json!(records)),
            ("seconds from first to last shard", json!(took.as_secs_f64())),
            ("records a second", json!(rate.round())),
            ("seconds from the process's start", json!(ready.as_secs_f64())),
            ("engine's CPU seconds", json!(cpu.as_secs_f64())),
            ("engine's peak MiB", json!(peak)),
        ],
    })
}

/// What the engine says of the shards that it was given at once.
struct Told {
    records: u64,
    took_ms: i64,
    at_ms: i64,
}

fn restored(log: &str) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    // The last line may still be written.
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines().filter(|line| line.contains("\"shards.restored\"")) {
        let line: Value = serde_json::from_str(line)?;
        let at = line["timestamp"].as_str().context("a line of the log without its time")?;
        told.push(Told {
            records: line["records"].as_u64().context("records")?,
            took_ms: line["took_ms"].as_i64().context("took_ms")?,
            at_ms: at.parse::<jiff::Timestamp>()?.as_millisecond(),
        });
    }
    Ok(told)
}

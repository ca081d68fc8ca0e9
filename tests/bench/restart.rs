//! How long after a crash all orders that were open have ended, and whether a command came twice.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use crate::Options;
use crate::load::{Arrival, Manner};
use crate::report::Findings;
use crate::stage::Stage;

/// How long the open orders may take.
const ENDS_MAX: Duration = Duration::from_secs(120);

/// Runs a closed loop, kills the engine in the middle of it, starts it again at once.
pub fn measure(open: usize, options: &Options) -> Result<Findings> {
    let mut stage = Stage::set(options)?;
    let result = run(open, options, &mut stage);
    stage.explain(result)
}

fn run(open: usize, options: &Options, stage: &mut Stage<'_>) -> Result<Findings> {
    stage.start()?;
    let participants = stage.participants(Manner { counting: true, ..Manner::default() })?;
    let mut load = stage.load(true)?;
    eprintln!("Restart: {open} open, {} s before the kill", options.warmup);
    let arrival = Arrival::Open(open);
    let before = load.run(arrival, Duration::from_secs(options.warmup))?;
    stage.kill()?;
    let still_open = load.open_orders();
    let begun = Instant::now();
    stage.start()?;
    let left = load.drain(ENDS_MAX)?;
    let lasted = begun.elapsed();
    let doubled = participants.tally().doubled.load(Ordering::Relaxed);
    participants.stop()?;
    if left > 0 {
        bail!("{left} orders never ended");
    }
    if std::env::var_os("SEGUE_BENCH_LOG").is_some() {
        eprintln!("{}", stage.log());
    }
    Ok(Findings {
        what: "restart",
        figures: vec![
            ("delivery", json!(options.delivery.name())),
            ("open when killed", json!(still_open)),
            ("ended before", json!(before.ended)),
            ("seconds from start to last end", json!(lasted.as_secs_f64())),
            ("doubled command ids", json!(doubled)),
            ("doubled ends", json!(load.repeated())),
        ],
    })
}

//! How much memory the engine needs for orders that are open and wait.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use crate::Options;
use crate::load::Manner;
use crate::process;
use crate::report::Findings;
use crate::stage::Stage;

/// How long without any new command counts as an engine that hangs.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Places all orders at once; no card is ever charged, so all of them stay open.
pub fn measure(orders: usize, options: &Options) -> Result<Findings> {
    let mut stage = Stage::set(options)?;
    let result = run(orders, options, &mut stage);
    stage.explain(result)
}

fn run(orders: usize, options: &Options, stage: &mut Stage<'_>) -> Result<Findings> {
    stage.start()?;
    let manner = Manner { mute_about_cards: true, counting: true, ..Manner::default() };
    let participants = stage.participants(manner)?;
    let mut load = stage.load(false)?;
    let engine = stage.engine_id()?;
    eprintln!("Hold: {orders} orders, then {} s", options.seconds);
    let begun = Instant::now();
    load.place_all(orders)?;
    let mut seen = 0;
    let mut news = Instant::now();
    while seen < orders as u64 {
        std::thread::sleep(Duration::from_millis(100));
        let now = participants.tally().cards.load(Ordering::Relaxed);
        if now > seen {
            news = Instant::now();
        }
        seen = now;
        if news.elapsed() > SILENCE_MAX || !participants.are_alive() {
            bail!("only {seen} of {orders} orders have come to their second command");
        }
    }
    let placed = begun.elapsed();
    let mib = || (process::memory_mib(engine), process::memory_peak_mib(engine));
    let (then, then_peak) = mib();
    // Attempts run out meanwhile and are repeated: the orders are open, not asleep.
    std::thread::sleep(Duration::from_secs(options.seconds));
    let (settled, peak) = mib();
    if std::env::var_os("SEGUE_BENCH_LOG").is_some() {
        eprintln!("{}", std::fs::read_to_string(format!("/proc/{engine}/status"))?);
        eprintln!("{}", stage.log());
    }
    participants.stop()?;
    Ok(Findings {
        what: "hold",
        figures: vec![
            ("open orders", json!(orders)),
            ("seconds until all waited", json!(placed.as_secs_f64())),
            ("MiB when all waited", json!(then)),
            ("peak MiB until then", json!(then_peak)),
            ("seconds after that", json!(options.seconds)),
            ("MiB in the end", json!(settled)),
            ("peak MiB", json!(peak)),
        ],
    })
}

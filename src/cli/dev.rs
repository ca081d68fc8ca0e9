use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::{FAILED, complain, say, stop};
use crate::config::{Level, Log};
use crate::{dev, devbroker, telemetry};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Definitions, or folders that hold some; without it, those that ship
    paths: Vec<PathBuf>,
    /// Stop when so many sagas have ended, and print the books
    #[arg(long)]
    orders: Option<u64>,
    /// How many sagas are started a second
    #[arg(long, default_value_t = 10.0, value_parser = rate)]
    rate: f64,
    /// The same seed makes the same orders and the same answers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The port of the API on loopback; 0 takes any that is free, as does 8900 if it is taken
    #[arg(long)]
    listen: Option<u16>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 && rate <= 100_000.0 => Ok(rate),
        Ok(_) => Err("write a number above 0, at most 100000".to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

/// Tries sagas; fails if the books do not balance.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let stop = stop::flag()?;
    let log = Log { level: Level::Error, ..Log::default() };
    let _telemetry = telemetry::init(log, &telemetry::Export::default())?;
    let options = dev::Options {
        sagas: arguments.paths.clone(),
        orders: arguments.orders,
        rate: arguments.rate,
        seed: arguments.seed,
        listen: arguments.listen,
    };
    let report = dev::run(&options, &mut std::io::stdout(), &stop)?;
    Ok(if report.balances() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Runs the development broker until it is told to stop.
pub(super) fn broker(port: u16, data: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let stop = stop::flag()?;
    let options = devbroker::Options {
        port,
        data,
        auto_create: true,
        partitions_default: 4,
        ..devbroker::Options::default()
    };
    let broker = devbroker::DevBroker::start(options)?;
    say(&broker.address());
    complain("a Kafka-protocol broker for development only; Ctrl-C stops it");
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
    }
    broker.stop();
    Ok(ExitCode::SUCCESS)
}

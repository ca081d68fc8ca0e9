//! Starts what is measured, and the Kafka under it, each as a process of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::Options;
use crate::process::{Kafka, Running};

/// The file of the measured process's own words.
const LOG: &str = "engine.log";

/// The Kafka that was asked for.
pub fn kafka(asked: Option<&str>, _place: &Path) -> Result<Kafka> {
    match asked {
        None => Kafka::start(),
        Some("dev") => bail!("the development broker cannot be measured yet"),
        Some(address) => Ok(Kafka::Foreign { address: address.to_owned() }),
    }
}

/// Starts the engine on the order saga.
pub fn start(_brokers: &str, _options: &Options, _place: &Path) -> Result<Running> {
    bail!("the engine cannot be measured yet; see --floor")
}

/// Starts the floor: this very program, in its other role.
pub fn start_floor(brokers: &str, options: &Options, place: &Path) -> Result<Running> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["--as-floor", brokers, "--delivery", options.delivery.name()])
        .args(["--records-max", &options.records_max.to_string()])
        .args(["--crowd", &options.crowd.to_string()])
        .args(["--gather-ms", &options.gather_ms.to_string()])
        .args(["--producers", &options.producers.to_string()]);
    Running::start(&mut command, &place.join(LOG))
}

/// The last lines that the measured process wrote.
pub fn last_words(place: &Path) -> String {
    let text = fs::read_to_string(place.join(LOG)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

//! Starts what is measured, and the Kafka under it, each as a process of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::Options;
use crate::process::{Kafka, Running};

/// The file of the measured process's own words.
const LOG: &str = "engine.log";
/// The released program; `cargo bench` builds it with this.
const SEGUE: &str = env!("CARGO_BIN_EXE_segue");

/// The Kafka that was asked for.
pub fn kafka(asked: Option<&str>, place: &Path) -> Result<Kafka> {
    match asked {
        None => Kafka::start(),
        Some("dev") => start_development(place),
        Some(address) => Ok(Kafka::Foreign { address: address.to_owned() }),
    }
}

fn start_development(place: &Path) -> Result<Kafka> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(SEGUE);
    command.args(["broker", "--port", &port.to_string()]);
    let mut broker = Running::start(&mut command, &place.join("broker.log"))?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_err() {
        if broker.has_ended() || Instant::now() > deadline {
            let words = fs::read_to_string(place.join("broker.log")).unwrap_or_default();
            bail!("the development broker does not listen on {address}: {words}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Kafka::Development { address, broker })
}

/// Starts the engine on the order saga; its log begins anew.
pub fn start(brokers: &str, options: &Options, place: &Path, log: &str) -> Result<Running> {
    let saga = Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas/order-fulfilment");
    let config = format!(
        "app: bench\nnode: bench-1\nsagas: [\"{saga}\"]\ndata: \"{data}\"\n\
         kafka: {{ brokers: [\"{brokers}\"] }}\ntopics: {{ shards: {shards} }}\n\
         sources: {{ start-from: earliest }}\npipelines: {pipelines}\ndelivery: {delivery}\n\
         log: {{ level: {log}, format: json }}\n",
        saga = saga.display(),
        data = data(place).display(),
        shards = options.shards,
        pipelines = options.pipelines,
        delivery = options.delivery.name(),
    );
    let path = place.join("segue.yaml");
    fs::write(&path, config)?;
    let mut command = Command::new(SEGUE);
    command.arg("run").arg("--config").arg(&path);
    // A variable of the caller's would silently change what is measured.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEGUE_")) {
        command.env_remove(name);
    }
    // What is measured is the engine alone.
    command.env("SEGUE_API__LISTEN", "");
    Running::start(&mut command, &place.join(LOG))
}

/// The folder of the engine's local checkpoint.
pub fn data(place: &Path) -> PathBuf {
    place.join("data")
}

/// All that the measured process wrote since it was started.
pub fn log(place: &Path) -> String {
    fs::read_to_string(place.join(LOG)).unwrap_or_default()
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
    let text = log(place);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

//! Figures of one run: a line of JSON and a row of the table.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::load::{Arrival, Seen};

/// One measured run.
#[derive(Debug)]
pub struct Figures {
    /// `engine` or `floor`.
    pub what: &'static str,
    /// The delivery mode's name.
    pub delivery: &'static str,
    /// How orders came.
    pub arrival: Arrival,
    /// What was seen from outside.
    pub seen: Seen,
    /// CPU time in the measured time: the engine's, Kafka's if it is ours, the load's.
    pub cpu: [Option<Duration>; 3],
    /// Resident memory at the end, MiB: the engine's, Kafka's, the load's.
    pub memory_mib: [Option<u64>; 3],
    /// How many cores other programs used meanwhile; with a foreign Kafka, that one too.
    pub others_cores: f64,
}

impl Figures {
    /// Ended orders a second.
    pub fn sagas_per_second(&self) -> f64 {
        count(self.seen.ended) / self.seen.lasted.as_secs_f64()
    }

    fn latency_ms(&self, quantile: f64) -> f64 {
        count(self.seen.latency.value_at_quantile(quantile)) / 1000.0
    }

    fn cpu_us(&self, of: usize) -> Option<f64> {
        let ended = count(self.seen.ended.max(1));
        self.cpu[of].map(|time| time.as_secs_f64() * 1e6 / ended)
    }

    /// All of it as one line of JSON.
    pub fn json(&self) -> Value {
        let (open, rate) = match self.arrival {
            Arrival::Open(open) => (Some(open), None),
            Arrival::Rate(rate) => (None, Some(rate)),
        };
        json!({
            "what": self.what,
            "delivery": self.delivery,
            "open": open,
            "rate": rate,
            "seconds": self.seen.lasted.as_secs_f64(),
            "sagas": self.seen.ended,
            "sagas_per_second": self.sagas_per_second(),
            "p50_ms": self.latency_ms(0.5),
            "p90_ms": self.latency_ms(0.9),
            "p99_ms": self.latency_ms(0.99),
            "max_ms": count(self.seen.latency.max()) / 1000.0,
            "engine_cpu_us": self.cpu_us(0),
            "kafka_cpu_us": self.cpu_us(1),
            "load_cpu_us": self.cpu_us(2),
            "engine_mib": self.memory_mib[0],
            "kafka_mib": self.memory_mib[1],
            "load_mib": self.memory_mib[2],
            "others_cores": self.others_cores,
            "left_open": self.seen.left_open,
        })
    }

    /// One row under [`HEAD`].
    pub fn row(&self) -> String {
        let load = match self.arrival {
            Arrival::Open(open) => format!("{open} open"),
            Arrival::Rate(rate) => format!("{rate}/s"),
        };
        let cpu = |of| self.cpu_us(of).map_or("–".to_owned(), |us| format!("{us:.0}"));
        let memory =
            |of: usize| self.memory_mib[of].map_or("–".to_owned(), |mib| format!("{mib}"));
        format!(
            "| {} | {} | {load} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {} / {} / {} | {} / {} | {:.2} | {} |",
            self.what,
            self.delivery,
            self.sagas_per_second(),
            self.latency_ms(0.5),
            self.latency_ms(0.9),
            self.latency_ms(0.99),
            count(self.seen.latency.max()) / 1000.0,
            cpu(0),
            cpu(1),
            cpu(2),
            memory(0),
            memory(1),
            self.others_cores,
            self.seen.left_open,
        )
    }
}

/// The table's head.
pub const HEAD: &str = "\
| what | delivery | load | sagas/s | p50 ms | p90 ms | p99 ms | max ms | \
CPU µs a saga: engine / Kafka / load | MiB: engine / Kafka | others' cores | left open |
|---|---|---|---|---|---|---|---|---|---|---|---|";

/// The figures of a measurement of its own kind, in their order.
#[derive(Debug)]
pub struct Findings {
    /// Which measurement.
    pub what: &'static str,
    /// Names with their units, and values.
    pub figures: Vec<(&'static str, Value)>,
}

impl Findings {
    /// Prints a table and appends a line of JSON.
    pub fn tell(&self, json: Option<&Path>) -> Result<()> {
        println!("| {} | |\n|---|---|", self.what);
        let mut line = serde_json::Map::from_iter([("what".to_owned(), json!(self.what))]);
        for (name, value) in &self.figures {
            println!("| {name} | {value} |");
            line.insert((*name).to_owned(), value.clone());
        }
        append(json, &Value::Object(line))
    }
}

/// Appends a line of JSON to a file, if one is wanted.
pub fn append(path: Option<&Path>, line: &Value) -> Result<()> {
    if let Some(path) = path {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{line}")?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // counts of a benchmark are far below 2^52
fn count(number: u64) -> f64 {
    number as f64
}

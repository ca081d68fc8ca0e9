//! What the benchmark starts, and what it costs by `/proc`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A program under measurement, stopped when dropped.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program; its own words go to a file.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let out = fs::File::create(log)?;
        let err = out.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("{} does not start", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would: `kill -9`.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).stderr(Stdio::null()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Kafka for one measurement.
pub enum Kafka {
    /// Started by `tests/kafka/start`, stopped when dropped.
    Started { address: String, id: u32, dir: TempDir },
    /// Segue's own development broker.
    Development { address: String, broker: Running },
    /// Somebody else's.
    Foreign { address: String },
}

impl Kafka {
    /// Starts a real Apache Kafka.
    pub fn start() -> Result<Self> {
        let dir = TempDir::with_prefix("segue-bench-kafka.")?;
        let started = Command::new(script("start"))
            .arg(dir.path())
            .args(["--owner", &std::process::id().to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        if !started.status.success() {
            bail!("tests/kafka/start failed: {}", started.status);
        }
        let address = String::from_utf8(started.stdout)?.trim().to_owned();
        let id = fs::read_to_string(dir.path().join("pid"))?.trim().parse()?;
        Ok(Self::Started { address, id, dir })
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        match self {
            Self::Started { address, .. }
            | Self::Development { address, .. }
            | Self::Foreign { address } => address,
        }
    }

    /// Its process, if it is ours.
    pub fn id(&self) -> Option<u32> {
        match self {
            Self::Started { id, .. } => Some(*id),
            Self::Development { broker, .. } => Some(broker.id()),
            Self::Foreign { .. } => None,
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if let Self::Started { dir, .. } = self {
            let _ = Command::new(script("stop")).arg(dir.path()).status();
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka").join(name)
}

/// Linux counts in hundredths of a second for user space, whatever the kernel's own tick is.
const TICK_MS: u64 = 10;

/// CPU time of a process so far, user and system.
pub fn cpu(id: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name stands in brackets and may hold spaces; utime and stime are the 14th and 15th field.
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * TICK_MS)
}

/// CPU time of the whole machine so far.
pub fn machine_cpu() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let ticks: Vec<u64> =
        line.split_whitespace().skip(1).take(8).filter_map(|f| f.parse().ok()).collect();
    let busy = ticks.iter().enumerate().filter(|(at, _)| ![3, 4].contains(at));
    Duration::from_millis(busy.map(|(_, ticks)| ticks).sum::<u64>() * TICK_MS)
}

/// Resident memory of a process in MiB.
pub fn memory_mib(id: u32) -> u64 {
    status_mib(id, "VmRSS:")
}

/// The most resident memory that a process ever had, in MiB.
pub fn memory_peak_mib(id: u32) -> u64 {
    status_mib(id, "VmHWM:")
}

fn status_mib(id: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use segue::broker::Connection;
use tempfile::TempDir;

use crate::engine::last_words;
use crate::world::keep;

/// A real Kafka of one test alone, whose brokers may be killed and started again.
pub struct Cluster {
    folder: TempDir,
    brokers: u32,
}

impl Cluster {
    /// Starts brokers that clients reach directly.
    pub fn start(brokers: u32) -> Self {
        Self::launch(brokers, &[])
    }

    /// Starts one broker with a second door, at which a proxy stands that listens at a port.
    pub fn proxied(by: u16) -> Self {
        Self::launch(1, &["--proxied-by", &by.to_string()])
    }

    fn launch(brokers: u32, further: &[&str]) -> Self {
        let folder = TempDir::with_prefix("segue-outages.").expect("a folder");
        let mut start = script("start");
        start.arg(folder.path()).args(["--brokers", &brokers.to_string()]).args(further);
        // Stopped with the test's process, however that ends.
        start.args(["--owner", &std::process::id().to_string()]);
        run(start);
        Self { folder, brokers }
    }

    /// How clients reach it.
    pub fn connection(&self) -> Connection {
        Connection::plain(&read(&self.folder.path().join("address")))
    }

    /// How many copies its topics have.
    pub fn replication(&self) -> i32 {
        if self.brokers < 3 { 1 } else { 3 }
    }

    /// Where the proxy finds the first broker.
    pub fn proxied_address(&self) -> String {
        read(&self.folder.path().join("1/proxied-address"))
    }

    /// Copies all that the brokers have written, for `kafka.tools.DumpLogSegments`.
    pub fn keep(&self) {
        keep(self.folder.path(), "cluster");
    }

    /// The brokers, by their numbers.
    pub fn brokers(&self) -> Vec<Broker> {
        let broker = |number: u32| Broker { folder: self.folder.path().join(number.to_string()) };
        (1..=self.brokers).map(broker).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
            self.brokers().iter().for_each(Broker::tell);
        }
        // A failure here would hide the test's own.
        let _ = script("stop").arg(self.folder.path()).status();
    }
}

/// One broker of a cluster.
pub struct Broker {
    folder: PathBuf,
}

/// How a broker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At once, as by a power cut: SIGKILL.
    Killed,
    /// In good order, as by its supervisor: SIGTERM.
    Stopped,
}

impl Broker {
    /// Prints the last of what it has said, for failures.
    fn tell(&self) {
        let log = self.folder.join("broker.log");
        println!("{}:\n{}", log.display(), last_words(&log));
    }

    /// Ends it, and waits until its process is gone.
    pub fn end(&self, how: End) {
        let signal = match how {
            End::Killed => "KILL",
            End::Stopped => "TERM",
        };
        let mut kill = Command::new("kill");
        kill.arg(format!("-{signal}")).arg(self.process().to_string());
        run(kill);
        let mut gone = Command::new("tail");
        gone.arg(format!("--pid={}", self.process())).args(["-s", "0.05", "-f", "/dev/null"]);
        run(gone);
    }

    /// Starts it again, and waits until it is ready.
    pub fn again(&self) {
        let mut again = script("again");
        again.arg(&self.folder);
        run(again);
    }

    fn process(&self) -> u32 {
        read(&self.folder.join("pid")).parse().expect("a process id")
    }
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka").join(name))
}

fn run(mut command: Command) {
    let output = command.stdin(Stdio::null()).output().expect("a program of every machine");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
}

fn read(path: &Path) -> String {
    let text = fs::read_to_string(path);
    text.unwrap_or_else(|e| panic!("{}: {e}", path.display())).trim().to_owned()
}

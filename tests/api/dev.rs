//! `segue dev` on a saga whose carrier never answers, and the verbs that ask its API.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The view may be some seconds behind on a busy machine; each look is a process.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// A running `segue dev`, ended with this value.
pub struct Dev {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Where its API is: `http://127.0.0.1:port`.
    pub server: String,
    /// Where its development broker is: `127.0.0.1:port`.
    #[allow(dead_code, reason = "not every test writes to it")]
    pub broker: String,
}

impl Dev {
    pub fn start() -> Self {
        let saga = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/parcel");
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.arg("dev").arg(saga).args(["--rate", "2", "--listen", "0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let first = lines.next().expect("a first line").expect("UTF-8 text");
        let server = first.split_once("its API at ").expect("the first line says where it is").1;
        let broker = first.split_once("broker at ").and_then(|(_, rest)| rest.split_once(','));
        let broker = broker.expect("the first line says where the broker is").0;
        let (server, broker) = (server.to_owned(), broker.to_owned());
        Self { child, lines, server, broker }
    }

    /// Reads on until a line holds these words.
    pub fn says(&mut self, words: &str) {
        for line in &mut self.lines {
            if line.expect("UTF-8 text").contains(words) {
                return;
            }
        }
        panic!("`segue dev` ended without a word of `{words}`");
    }

    pub fn segue(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.args(arguments).args(["--server", &self.server]).env("USER", "ana");
        command.output().expect("the binary runs")
    }

    /// What a verb prints, and that it ends well.
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.segue(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "segue {arguments:?}: {}\n{said}{told}", output.status);
        said
    }

    /// Asks again until what is printed holds these words: the view follows the topics.
    #[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
    pub fn said_in_time(&self, arguments: &[&str], words: &str) -> String {
        let begun = Instant::now();
        loop {
            let output = self.segue(arguments);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() && said.contains(words) {
                return said;
            }
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(begun.elapsed() < LOOK_MAX, "{arguments:?} without `{words}`:\n{said}{told}");
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It has nothing to say to a test that is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! What people see and do over the API, in a process of its own: `segue dev` and the verbs.
#![cfg(feature = "server")]

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The view may be some seconds behind on a busy machine; each look is a process.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// `segue dev` on a saga whose carrier never answers.
struct Dev {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    server: String,
}

impl Dev {
    fn start() -> Self {
        let saga = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/parcel");
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.arg("dev").arg(saga).args(["--rate", "2", "--listen", "0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let first = lines.next().expect("a first line").expect("UTF-8 text");
        let server = first.split_once("its API at ").expect("the first line says where it is").1;
        Self { child, lines, server: server.to_owned() }
    }

    /// Reads on until a line holds these words.
    fn says(&mut self, words: &str) {
        for line in &mut self.lines {
            if line.expect("UTF-8 text").contains(words) {
                return;
            }
        }
        panic!("`segue dev` ended without a word of `{words}`");
    }

    fn segue(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.args(arguments).args(["--server", &self.server]).env("USER", "ana");
        command.output().expect("the binary runs")
    }

    /// What a verb prints, and that it ends well.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.segue(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "segue {arguments:?}: {}\n{said}{told}", output.status);
        said
    }

    /// Asks again until what is printed holds these words: the view follows the topics.
    fn said_in_time(&self, arguments: &[&str], words: &str) -> String {
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

#[test]
fn a_stuck_parcel_is_listed_shown_sent_again_and_resolved() {
    let mut dev = Dev::start();
    dev.says("needs help");
    let listed = dev.said_in_time(&["list", "--state", "stuck"], "parcel/o-1 ");
    assert!(listed.starts_with("INSTANCE"), "{listed}");
    let shown = dev.said(&["show", "parcel", "o-1"]);
    assert!(shown.starts_with("parcel/o-1  stuck"), "{shown}");
    assert!(shown.contains("book since "), "it says which step is stuck: {shown}");
    assert!(!shown.contains("4111"), "what is sensitive is masked: {shown}");
    let retry = ["retry", "parcel", "o-1", "--why", "it is back", "--wait", "60s"];
    let acted = dev.said(&retry);
    assert!(acted.contains("sent again by local/ana: it is back"), "{acted}");
    let history = dev.said(&["history", "parcel", "o-1", "-o", "jsonl"]);
    let last = history.lines().last().expect("entries");
    let entry: Value = serde_json::from_str(last).expect("a line is a value");
    assert_eq!((&entry["saga"], &entry["key"]), (&"parcel".into(), &"o-1".into()));
    // The carrier is silent again, so that it is stuck once more.
    dev.said_in_time(&["list", "--state", "stuck", "--key", "o-1"], "parcel/o-1 ");
    let done = ["resolve", "parcel", "o-1", "--done", "--why", "they called", "--wait", "60s"];
    let resolved = dev.said(&[&done[..], &["--data", r#"{"booking":"b-7"}"#]].concat());
    assert!(resolved.contains("resolved as done by local/ana"), "{resolved}");
    dev.said_in_time(&["list", "--state", "completed"], "parcel/o-1 ");
}

#[test]
fn what_is_not_there_or_not_possible_has_its_own_exit_code() {
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(&["list", "--state", "stuck"], "parcel/o-1 ");
    let unknown = dev.segue(&["show", "parcel", "o-l"]);
    let told = String::from_utf8_lossy(&unknown.stderr);
    assert_eq!(unknown.status.code(), Some(3), "{told}");
    assert!(told.contains("there is no parcel/o-l") && told.contains("near: parcel/o-1"), "{told}");
    let outside = dev.segue(&["start", "parcel", r#"{"card":"4111"}"#]);
    let told = String::from_utf8_lossy(&outside.stderr);
    assert_eq!(outside.status.code(), Some(1), "{told}");
    assert!(told.contains("`key` has no value"), "{told}");
    let silent = Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["list", "--server", "http://127.0.0.1:1"])
        .output()
        .expect("the binary runs");
    let told = String::from_utf8_lossy(&silent.stderr);
    assert_eq!(silent.status.code(), Some(1), "{told}");
    assert!(told.contains("http://127.0.0.1:1 does not answer") && told.contains("`segue dev`"));
}

#[test]
fn what_is_started_over_the_api_starts_once() {
    let dev = Dev::start();
    let body = r#"{"order":"mine","card":"4111","total":1}"#;
    let start = ["start", "parcel", body, "--id", "mine-1"];
    assert_eq!(dev.said_in_time(&start, ""), "parcel/mine: shop.orders/OrderPlaced is written\n");
    assert_eq!(dev.said(&start), "parcel/mine: shop.orders/OrderPlaced is written\n");
    dev.said_in_time(&["list", "--state", "stuck", "--key", "mine"], "parcel/mine ");
    let history = dev.said(&["history", "parcel", "mine"]);
    assert_eq!(history.matches("  started  ").count(), 1, "{history}");
    let cancel = ["cancel", "parcel", "mine", "--why", "they changed their mind", "--wait", "60s"];
    let cancelled = dev.said(&cancel);
    assert!(cancelled.contains("they changed their mind"), "{cancelled}");
    dev.said_in_time(&["list", "--state", "compensated"], "parcel/mine ");
}

//! Every command that the README names does what it says.
#![cfg(feature = "server")]

#[path = "api/dev.rs"]
mod dev;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use dev::Dev;
use segue::broker::{Connection, Mode, Plan, provision};
use segue::devbroker::{DevBroker, Options};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn segue(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.current_dir(root()).args(arguments).output().expect("the binary runs")
}

/// The verbs of `segue` that the README calls in code.
fn verbs() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let code = text.split('`').skip(1).step_by(2).flat_map(str::lines);
    let lines = code.chain(text.lines().filter_map(|line| line.strip_prefix("    ")));
    let word = |line: &str, start: &str| {
        let rest = line.trim_start_matches("$ ").strip_prefix(start)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    lines
        .filter_map(|line| word(line, "segue ").or_else(|| word(line, "cargo run --release -- ")))
        .collect()
}

fn check(arguments: &[&str], expected: &str) {
    let output = segue(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "segue {arguments:?}: {}\n{said}{told}", output.status);
    assert!(said.contains(expected), "segue {arguments:?} does not say `{expected}`:\n{said}");
}

#[test]
fn every_command_of_the_readme_is_tried_here() {
    let tried = ["act", "check", "dev", "graph", "list", "retry", "run", "show", "test"];
    let named = verbs();
    assert_eq!(named.iter().map(String::as_str).collect::<Vec<_>>(), tried);
}

#[test]
fn a_saga_is_checked_and_its_scenarios_run() {
    check(&["check", "sagas/order-fulfilment"], "every promise is kept");
    check(&["test", "sagas/order-fulfilment"], " 0 failed");
    check(&["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_person_acts_on_a_stuck_saga() {
    let broker = DevBroker::start(Options::default()).expect("a broker");
    let address = broker.address();
    let connection = Connection { brokers: address.clone(), settings: BTreeMap::new() };
    let plan = Plan::new("segue", 1, Mode::Create, BTreeSet::new());
    provision(&connection, &plan).expect("the engine's topics");
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.current_dir(root()).env("SEGUE_KAFKA__BROKERS", address);
    let act = ["act", "retry", "order-fulfilment", "o-1", "--step", "ship", "--by", "ana"];
    let output = command.args(act).args(["--why", "it is back"]).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{told}");
    assert!(said.contains("written to segue.operator"), "{said}");
}

/// The words of a command as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let read = |(place, part): (usize, &str)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    parts.flat_map(|part| -> Vec<String> { read(part) }).collect()
}

#[test]
fn the_session_of_the_readme_finds_what_is_stuck_and_sends_it_again() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    $ segue "));
    let session: Vec<Vec<String>> = lines.map(words).collect();
    let session: Vec<Vec<&str>> =
        session.iter().map(|line| line.iter().map(String::as_str).collect()).collect();
    let [list, show, retry] = &session[..] else { panic!("three commands: {session:?}") };
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(list, "parcel/o-1 ");
    assert!(dev.said(show).starts_with("parcel/o-1  stuck\n"));
    // What it prints stands in the README, line by line.
    for line in dev.said(retry).lines() {
        assert!(text.contains(&format!("    {line}\n")), "{line}");
    }
}

#[test]
fn a_saga_is_drawn() {
    let output = segue(&["graph", "sagas/order-fulfilment"]);
    let drawn = String::from_utf8(output.stdout).expect("UTF-8 text");
    let golden = std::fs::read_to_string(root().join("tests/graph/order-fulfilment.txt"));
    assert_eq!(drawn, golden.expect("the picture that is expected"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display().to_string();
    let svg = ["graph", "--format", "svg", "--lanes", "--output", &path, "sagas/order-fulfilment"];
    check(&svg, "order-fulfilment.svg");
    let two = ["tests/graph/everything.yaml", "tests/graph/settlement.yaml"];
    let several = segue(&["graph", "--format", "svg", two[0], two[1]]);
    assert!(!several.status.success(), "two pictures do not go to one place");
    assert!(String::from_utf8_lossy(&several.stderr).contains("--output"), "it says the mend");
}

#[test]
fn a_saga_is_tried_with_nothing_installed() {
    let orders = ["dev", "sagas/order-fulfilment", "--orders", "12", "--rate", "100"];
    check(&orders, "the books balance");
    check(&["dev", "--orders", "3", "--rate", "100", "--seed", "7"], "the books balance");
}

#[test]
fn the_sample_configuration_is_one() {
    check(&["config", "--config", "deploy/segue.yaml"], "kafka.brokers: ");
}

#[test]
fn an_engine_says_what_it_lacks() {
    let output = segue(&["run", "--config", "no-such-file.yaml"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("no-such-file.yaml"), "it names the file: {told}");
}

#[test]
fn the_scripts_of_the_readme_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    for script in ["tests/run", ".ci/run"] {
        let about = std::fs::metadata(root().join(script)).expect("a script of the project");
        assert!(about.permissions().mode() & 0o111 != 0, "{script} can be run");
    }
}

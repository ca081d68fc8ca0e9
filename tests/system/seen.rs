//! What people see of sagas that run: the view and the API of an engine that is killed meanwhile.

use std::process::Command;

use serde_json::Value;

use crate::engine::{Engine, program};
use crate::watch::{PATIENCE, until};
use crate::world::{EXACTLY_ONCE, World, check};

/// What a verb prints, a value a line.
fn asked(server: &str, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(program());
    let output = command.args(arguments).args(["-o", "jsonl", "--server", server]).output();
    let output = output.expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}{told}");
    said.lines().map(|line| serde_json::from_str(line).expect("a line is a value")).collect()
}

/// Orders go on while the engine and its view are killed; at the end the list says of each order
/// how it ended, as the books do.
fn what_is_listed_is_what_happened(mut world: World, sagas: u64, rate: f64) {
    let serving = |world: &World, log| Engine::serving(&world.config("a", ""), &world.log(log));
    world.serve();
    let mut engine = serving(&world, "a");
    engine.says("its API is at ");
    world.order(sagas, rate);
    world.watch().until_ended(sagas / 3);
    engine.kill();
    let mut engine = serving(&world, "again");
    let server = engine.api();
    world.settle(sagas);
    let listed = |state: &str| asked(&server, &["list", "--state", state, "--limit", "500"]);
    let (completed, compensated) = until("the view", PATIENCE, || {
        let ended = (listed("completed"), listed("compensated"));
        ((ended.0.len() + ended.1.len()) as u64 == sagas).then_some(ended)
    });
    let [saga, key] = ["saga", "key"].map(|field| completed[0][field].as_str().expect("a text"));
    let shown = asked(&server, &["show", saga, key]);
    assert_eq!(shown[0]["overview"]["state"], "completed", "{shown:?}");
    let history = asked(&server, &["history", saga, key]);
    let last = history.last().expect("an end")["notes"].to_string();
    assert!(last.contains(r#""kind":"completed""#), "{last}");
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas, &world.log("again"));
    let told = (completed.len() as u64, compensated.len() as u64);
    assert_eq!(told, (report.tally.completed, report.tally.compensated_all()), "{report}");
}

#[test]
fn what_is_listed_is_what_happened_also_after_a_kill() {
    what_is_listed_is_what_happened(World::hermetic(EXACTLY_ONCE, 81), 120, 40.0);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn what_is_listed_is_what_happened_also_after_a_kill_on_kafka() {
    what_is_listed_is_what_happened(World::real("seen", EXACTLY_ONCE, 82), 400, 40.0);
}

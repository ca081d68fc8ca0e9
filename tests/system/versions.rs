//! A rolling deployment: what starts follows the node that came up last, on every node.

use std::fs;

use crate::world::{EXACTLY_ONCE, World, check};

/// Orders go on while a second node pauses the saga, brings a new version, and puts the old one
/// back; the first node runs all the time and follows.
fn rolling_deployment(mut world: World, sagas: u32, rate: f64) {
    let saga = world.folder.path().join("saga.yaml");
    let one = fs::read_to_string(&saga).expect("a definition");
    let two = one.replace("version: 1", "version: 2").replace("within: 4s", "within: 5s");
    assert_ne!(one, two, "the second version means something else");
    let paused = one.replace("version: 1", "version: 1\nstate: paused");
    world.serve();
    let mut first = world.engine("a");
    first.says("runs as node");
    world.order(sagas.into(), rate);
    for (text, followed) in [(&paused, "saga.paused"), (&two, "version=2"), (&one, "said_by=\"d\"")]
    {
        fs::write(&saga, text).expect("a file");
        let node = match followed {
            "saga.paused" => "b",
            "version=2" => "c",
            _ => "d",
        };
        let mut second = world.engine(node);
        second.says("runs as node");
        first.says(followed);
        assert!(second.terminate().success(), "SIGTERM is a clean end");
    }
    world.settle(sagas.into());
    assert!(first.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas.into(), &world.log("a"));
    assert_eq!(report.tally.dead_letters, 0, "{report}");
}

#[test]
fn a_rolling_deployment_is_followed_by_every_node() {
    rolling_deployment(World::hermetic(EXACTLY_ONCE, 71), 120, 20.0);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_rolling_deployment_is_followed_by_every_node_on_kafka() {
    rolling_deployment(World::real("versions", EXACTLY_ONCE, 72), 600, 40.0);
}

#[test]
fn another_text_under_a_version_that_ran_is_refused_with_its_line() {
    let world = World::hermetic(EXACTLY_ONCE, 73);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let saga = world.folder.path().join("saga.yaml");
    let text = fs::read_to_string(&saga).expect("a definition");
    let line = 1 + text.lines().position(|l| l.contains("within: 4s")).expect("a time");
    fs::write(&saga, format!("# a comment\n{}", text.replace("within: 4s", "within: 5s")))
        .expect("a file");
    let status = world.engine("a").end(std::time::Duration::from_secs(60));
    let said = fs::read_to_string(world.log("a")).expect("a log");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("saga.yaml:{}", line + 1)), "{said}");
    assert!(said.contains("order-fulfilment version 1"), "{said}");
}

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::engine::Engine;
use crate::world::{EXACTLY_ONCE, World};

/// Longer than the engine's patience with a cluster that does not answer.
const REFUSED_MAX: Duration = Duration::from_secs(90);
/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:1";

/// Starts an engine that must refuse, and say why.
fn refused(config: &Path, log: &Path, reasons: &[&str]) {
    let status = Engine::start(config, log).end(REFUSED_MAX);
    let said = fs::read_to_string(log).expect("a log");
    assert_eq!(status.code(), Some(1), "{said}");
    for reason in reasons {
        assert!(said.contains(reason), "`{reason}` is not in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn an_unknown_key_is_refused() {
    let world = World::hermetic(EXACTLY_ONCE, 41);
    let config = world.config("a", "deliverance: exactly-once\n");
    refused(&config, &world.log("a"), &["deliverance", "a.yaml", "delivery"]);
}

#[test]
fn another_shard_count_is_refused() {
    let world = World::hermetic(EXACTLY_ONCE, 42);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let config = world.config("a", "topics: { shards: 8 }\n");
    refused(&config, &world.log("a"), &["shop.inbox has 4 partitions, not 8"]);
}

#[test]
fn a_missing_users_topic_is_refused() {
    let world = World::hermetic(EXACTLY_ONCE, 43);
    let saga = world.folder.path().join("saga.yaml");
    let text = fs::read_to_string(&saga).expect("a definition");
    fs::write(&saga, text.replace("payments.events", "payments.answers")).expect("a file");
    let reasons = ["the users' topic shop.payments.answers does not exist"];
    refused(&world.config("a", ""), &world.log("a"), &reasons);
}

#[test]
fn a_users_topic_that_takes_less_than_a_message_may_be_is_refused() {
    let world = World::hermetic(EXACTLY_ONCE, 48);
    let config = world.config("a", "limits: { message-bytes-max: 4MiB }\n");
    let reasons = ["takes messages of 4194304 bytes", "limits: { message-bytes-max: 4186112 }"];
    refused(&config, &world.log("a"), &reasons);
}

#[test]
fn another_text_under_the_same_version_is_refused() {
    let world = World::hermetic(EXACTLY_ONCE, 44);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let saga = world.folder.path().join("saga.yaml");
    let text = fs::read_to_string(&saga).expect("a definition");
    fs::write(&saga, text.replace("within: 4s", "within: 5s")).expect("a file");
    refused(&world.config("a", ""), &world.log("a"), &["order-fulfilment", "version"]);
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let world = World::hermetic(EXACTLY_ONCE, 45);
    let mut engine = world.engine("a");
    engine.says("runs as node");
    let data = world.data("a").display().to_string();
    refused(&world.config("a", ""), &world.folder.path().join("second.log"), &[&data]);
    assert!(engine.lives(), "{}", engine.last_words());
}

#[test]
fn a_cluster_that_is_down_is_told_at_once_and_a_stop_ends_the_waiting() {
    let mut world = World::hermetic(EXACTLY_ONCE, 46);
    world.connection.brokers = NOWHERE.to_owned();
    let mut engine = world.engine("a");
    engine.says(NOWHERE);
    let status = engine.terminate();
    let said = fs::read_to_string(world.log("a")).expect("a log");
    assert!(status.success(), "a stop that was asked for is no failure: {status}: {said}");
}

#[test]
#[ignore = "takes a minute: the engine's patience with a cluster that is down"]
fn a_cluster_that_stays_down_is_refused() {
    let mut world = World::hermetic(EXACTLY_ONCE, 47);
    world.connection.brokers = NOWHERE.to_owned();
    refused(&world.config("a", ""), &world.log("a"), &["error: no answer from Kafka", NOWHERE]);
}

//! What `deploy/` ships is a configuration that an engine runs on.

use std::fs;
use std::path::PathBuf;

use segue::config::{Config, Mechanism, Protocol};

use crate::engine::Engine;
use crate::world::{EXACTLY_ONCE, World};

const SHIPPED: &str = include_str!("../../deploy/segue.yaml");

/// The shipped configuration with other words in some places; each must be there.
fn written(world: &World, name: &str, places: &[(&str, &str)]) -> PathBuf {
    let text = places.iter().fold(SHIPPED.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in deploy/segue.yaml");
        text.replace(from, to)
    });
    let path = world.folder.path().join(name);
    fs::write(&path, text).expect("a file");
    path
}

#[test]
fn an_engine_runs_on_the_shipped_configuration_and_stops_well() {
    let world = World::hermetic(EXACTLY_ONCE, 61);
    let (saga, data) = (world.folder.path().join("saga.yaml"), world.data("segue-1"));
    let places = [
        ("kafka-1:9092, kafka-2:9092, kafka-3:9092", world.connection.brokers.as_str()),
        ("/etc/segue/sagas", &saga.display().to_string()),
        ("/var/lib/segue", &data.display().to_string()),
        ("replication: 3", "replication: 1"),
    ];
    let config = written(&world, "shipped.yaml", &places);
    let mut engine = Engine::start(&config, &world.log("segue-1"));
    engine.says("shards.restored");
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let stamp = fs::read_to_string(data.join("stamp")).expect("a store's stamp");
    assert!(stamp.contains("state: clean"), "{stamp}");
}

#[test]
fn the_shipped_login_is_one() {
    let world = World::hermetic(EXACTLY_ONCE, 62);
    let folder = world.folder.path();
    fs::write(folder.join("password"), "hunter2").expect("a file");
    fs::write(folder.join("ca.pem"), "").expect("a file");
    let etc = format!("{}/", folder.display());
    let places =
        [("  # security:", "  security:"), ("  #   ", "    "), ("/etc/segue/", etc.as_str())];
    let path = written(&world, "shipped.yaml", &places);
    let config = Config::load(Some(&path), std::iter::empty()).expect("a configuration");
    let security = config.kafka.security;
    assert_eq!(
        (security.protocol, security.mechanism),
        (Protocol::SaslSsl, Mechanism::ScramSha512)
    );
    assert_eq!(security.password.expect("a password").reveal(), "hunter2");
}

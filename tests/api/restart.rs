//! Acts on many instances when their server ends in the middle: killed, or asked to stop.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use segue::api::Endpoint;
use segue::broker::{Connection, TopicSpec, create_topics};
use segue::devbroker::{DevBroker, Options};
use segue::message::Topic;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::asking::Asking;

/// The carrier does not exist, so that each parcel waits for a person.
const SAGA: &str = "saga: parcel
version: 1
start: { on: shop.orders/OrderPlaced, key: event.order }
data: { order: event.order }
steps:
  - step: book
    command: carrier.commands/Book
    done: carrier.events/Booked
    within: 100ms
    retry: { attempts: 1 }
    unknown: park
    compensate: none
";
const WORDS: &str = "its API is at ";

/// A cluster, and what an engine with its API needs.
struct Site {
    folder: TempDir,
    config: PathBuf,
    _broker: DevBroker,
}

impl Site {
    fn new() -> Self {
        let broker = DevBroker::start(Options::default()).expect("a broker");
        let address = broker.address();
        let topics = ["shop.orders", "carrier.commands", "carrier.events"];
        let spec = |name: &str| TopicSpec {
            name: Topic::new(name).expect("a topic"),
            partitions: 2,
            replication: 1,
            settings: Vec::new(),
        };
        create_topics(&Connection::plain(&address), &topics.map(spec)).expect("topics");
        let folder = tempfile::tempdir().expect("a folder");
        let (saga, config) = (folder.path().join("saga.yaml"), folder.path().join("segue.yaml"));
        fs::write(&saga, SAGA).expect("a file");
        let text = format!(
            "app: town\nnode: one\nsagas: [\"{}\"]\ndata: \"{}\"\n\
             kafka: {{ brokers: [\"{address}\"] }}\napi: {{ listen: '127.0.0.1:0' }}\n",
            saga.display(),
            folder.path().join("data").display(),
        );
        fs::write(&config, text).expect("a file");
        Self { folder, config, _broker: broker }
    }

    /// The engine with its API.
    fn engine(&self) -> Engine {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.arg("run").arg("--config").arg(&self.config).current_dir(self.folder.path());
        // A variable of the caller's would silently change what is tested.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEGUE_")) {
            command.env_remove(name);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut told = lines.by_ref().map(|line| line.expect("UTF-8 text"));
        let server = told.find_map(|line| line.split_once(WORDS).map(|(_, at)| at.to_owned()));
        // Whoever does not read what it says would stop it at last.
        thread::spawn(move || lines.for_each(drop));
        let api = Asking::at(&server.expect("it says where its API is"));
        api.until_whole();
        api.until_known("parcel");
        Engine { child, api }
    }
}

/// An engine with its API, killed at the end.
struct Engine {
    child: Child,
    api: Asking,
}

impl Engine {
    /// Asks it to stop, and waits until it has.
    fn stop(mut self) {
        let process = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &process]).status().expect("kill");
        assert!(asked.success(), "it lives");
        assert!(self.child.wait().expect("it is ours").success(), "it ends well");
    }

    /// Places parcels with these keys, and waits until each is stuck.
    fn place(&self, keys: &[String]) {
        for key in keys {
            let start = Endpoint::at(&["sagas", "parcel", "start"]);
            self.api.done(&start, &json!({"order": key}), key);
        }
        for key in keys {
            self.api.at_last("parcel", key, "stuck");
        }
    }

    /// Skips the step of all that are stuck, so many a second; how many these are.
    fn begin(&self, id: &str, rate: u32) -> u64 {
        let which =
            Endpoint::at(&["bulk"]).with("saga", Some("parcel")).with("state", Some("stuck"));
        let mut act = json!({"verb": "skip", "why": id, "rate": rate});
        let counted = self.api.done(&which, &act, id);
        assert_eq!(counted["is_written"], false, "{counted}");
        let members = counted["members"].as_u64().expect("a number");
        act["expect"] = members.into();
        let begun = self.api.done(&which, &act, id);
        assert_eq!((&begun["is_written"], &begun["members"]), (&json!(true), &json!(members)));
        members
    }

    fn shown(&self, id: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.api.until(&Endpoint::at(&["bulk", id]), is)
    }

    /// Waits until an act on many is in the middle.
    fn is_in_the_middle(&self, id: &str, members: u64) {
        let shown = self.shown(id, |shown| written(shown) >= 2);
        assert_eq!(shown["state"], "running", "{shown}");
        assert!(written(&shown) < members, "{shown}");
    }

    /// How many parcels are at that.
    fn count(&self, state: &str) -> u64 {
        let counts = self.api.found(&Endpoint::at(&["counts"]).with("saga", Some("parcel")));
        let mut counts = counts.as_array().expect("a list").iter();
        let found = counts.find(|count| count["state"] == state);
        found.and_then(|count| count["instances"].as_u64()).unwrap_or_default()
    }

    /// The reasons for which a parcel was skipped, as its history tells them.
    fn skipped(&self, key: &str) -> Vec<String> {
        let entries = self.api.found(&Endpoint::at(&["instances", "parcel", key, "history"]));
        let notes = entries.as_array().expect("a list").iter().flat_map(|entry| {
            entry["notes"].as_array().expect("a list").iter().filter_map(|n| n["words"].as_str())
        });
        let why = notes.filter_map(|words| words.split_once("skipped by local/ana: "));
        why.map(|(_, why)| why.to_owned()).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It has nothing to say to a test that is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn written(shown: &Value) -> u64 {
    shown["bulk"]["written"].as_u64().expect("a number")
}

fn keys(name: &str) -> Vec<String> {
    (0..30).map(|number| format!("{name}-{number}")).collect()
}

#[test]
fn an_act_on_many_tells_how_far_it_came_before_its_server_was_killed() {
    let site = Site::new();
    let engine = site.engine();
    let keys = keys("o");
    engine.place(&keys);
    let members = engine.begin("killed", 1);
    assert_eq!(members, 30);
    engine.is_in_the_middle("killed", members);
    drop(engine);

    let engine = site.engine();
    let shown = engine.shown("killed", |_| true);
    assert_eq!(shown["state"], "unended", "nothing tells of its end: {shown}");
    let came = written(&shown);
    assert!(came < members, "{shown}");
    let mut all: Vec<String> = keys.iter().map(|key| format!("parcel/{key}")).collect();
    let mut named: Vec<String> =
        serde_json::from_value(shown["instances"].clone()).expect("a list of texts");
    all.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, all, "it names its members");
    // What was written of it is obeyed, and nobody goes on with it unasked.
    let counts = Endpoint::at(&["counts"]).with("saga", Some("parcel"));
    engine.api.until(&counts, |_| engine.count("completed") == came);
    assert_eq!(engine.count("stuck"), members - came);
    let which = Endpoint::at(&["bulk"]).with("state", Some("stuck"));
    let act = json!({"verb": "skip", "why": "killed", "expect": members});
    let again = engine.api.done(&which, &act, "killed");
    assert_eq!(
        (&again["is_written"], &again["members"]),
        (&json!(true), &json!(members)),
        "{again}"
    );
    let refused = engine.api.refused(&Endpoint::at(&["bulk", "killed", "stop"]), &json!({}), "s");
    assert!(refused.detail.contains("is not written by this server"), "{refused:?}");

    assert_eq!(engine.begin("the-rest", 100), members - came, "the rest still needs it");
    let rest = engine.shown("the-rest", |shown| shown["state"] != "running");
    assert_eq!((&rest["state"], written(&rest)), (&json!("done"), members - came), "{rest}");
    engine.api.until(&counts, |_| engine.count("completed") == members);
    let shown = engine.shown("killed", |_| true);
    assert_eq!((&shown["state"], written(&shown)), (&json!("unended"), came), "{shown}");
    let mut told: Vec<String> = keys.iter().flat_map(|key| engine.skipped(key)).collect();
    told.sort_unstable();
    let part = |why: &str, count: u64| (0..count).map(|_| why.to_owned()).collect::<Vec<_>>();
    let all = [part("killed", came), part("the-rest", members - came)].concat();
    assert_eq!(told, all, "each is skipped once, and tells of which it was a member");
}

#[test]
fn an_act_on_many_that_its_servers_stop_ends_says_so() {
    let site = Site::new();
    let engine = site.engine();
    engine.place(&keys("o"));
    let members = engine.begin("stopped", 1);
    engine.is_in_the_middle("stopped", members);
    engine.stop();

    let engine = site.engine();
    let shown = engine.shown("stopped", |_| true);
    assert_eq!(shown["state"], "stopped", "{shown}");
    assert_eq!(shown["bulk"]["ended"]["reason"], "its server was stopped", "{shown}");
    let came = written(&shown);
    assert!((2..members).contains(&came), "{shown}");
    let counts = Endpoint::at(&["counts"]).with("saga", Some("parcel"));
    engine.api.until(&counts, |_| engine.count("completed") == came);
    assert_eq!(engine.count("stuck"), members - came);
}

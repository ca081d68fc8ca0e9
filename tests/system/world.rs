use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use segue::books::{self, Books, Report};
use segue::broker::{Connection, Isolation, Reader, TopicSpec, Writer, create_topics};
use segue::correlation::Index;
use segue::definition::{self, Catalog, Definition};
use segue::devbroker::{self, DevBroker};
use segue::message::{EngineTopics, Outgoing, Topic};
use segue::participants::{self, Load, Pace, Participants, Script, Starts};
use segue::runtime::SourceRecord;
use tempfile::TempDir;

use crate::cast::Cast;
use crate::engine::{Engine, last_words};
use crate::watch::{PATIENCE, Watch};

const PARTITIONS: u32 = 4;
const WAIT: Duration = Duration::from_millis(50);
const RECORDS_MAX: usize = 5_000;
/// How often books that do not balance are looked at again: a late undoing may be under way.
const LOOKS_MAX: usize = 4;

/// How often a message may stand on a topic: the words of the configuration.
pub const EXACTLY_ONCE: &str = "exactly-once";
/// The other way of delivery.
pub const AT_LEAST_ONCE: &str = "at-least-once";

/// Everything around the engine: a cluster, definitions, services and orders.
pub struct World {
    pub connection: Connection,
    pub app: String,
    pub folder: TempDir,
    pub seed: u64,
    /// How the engine proves who it is, where the cluster asks.
    pub login: Option<Login>,
    delivery: &'static str,
    definitions: Vec<Definition>,
    /// Where the definitions lie.
    files: Vec<PathBuf>,
    scripts: Vec<Script>,
    /// Lines for every node's configuration.
    config: String,
    /// Where topics are begun: a value of `sources`. Tests place orders before the engine runs.
    pub sources: String,
    /// Where the engines find the cluster, if not where everybody else does.
    door: Option<String>,
    /// How many copies the users' topics have.
    replication: i32,
    users: BTreeSet<Topic>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    broker: Option<DevBroker>,
}

impl World {
    /// A world on a development broker of its own.
    pub fn hermetic(delivery: &'static str, seed: u64) -> Self {
        Self::hermetic_of(Cast::orders, delivery, seed)
    }

    /// The same with other sagas; whoever makes them gets the world's name and seed.
    pub fn hermetic_of(
        cast: impl FnOnce(&str, u64) -> Cast,
        delivery: &'static str,
        seed: u64,
    ) -> Self {
        Self::hermetic_with(devbroker::Options::default(), cast, delivery, seed)
    }

    /// The same on a development broker that is set up as these options say.
    pub fn hermetic_with(
        options: devbroker::Options,
        cast: impl FnOnce(&str, u64) -> Cast,
        delivery: &'static str,
        seed: u64,
    ) -> Self {
        let broker = DevBroker::start(options).expect("a broker");
        let connection = Connection::plain(&broker.address());
        let place = Place { connection, broker: Some(broker), replication: 1 };
        Self::on(place, "shop".to_owned(), cast, delivery, seed)
    }

    /// How many of the faults that were ordered of the development broker have happened.
    pub fn faults_fired(&self) -> usize {
        self.broker.as_ref().map_or(0, DevBroker::faults_fired)
    }

    /// A world on a real Kafka of the test's own, exactly once.
    pub fn outside(
        connection: Connection,
        replication: i32,
        name: &str,
        cast: impl FnOnce(&str, u64) -> Cast,
        seed: u64,
    ) -> Self {
        let place = Place { connection, broker: None, replication };
        Self::on(place, name.to_owned(), cast, EXACTLY_ONCE, seed)
    }

    /// Lets the engines find the cluster at another address.
    pub fn behind(&mut self, door: &str) {
        self.door = Some(door.to_owned());
    }

    /// A world of its own on the real Kafka that `SEGUE_TEST_KAFKA` names.
    pub fn real(name: &str, delivery: &'static str, seed: u64) -> Self {
        Self::real_of(name, Cast::orders, delivery, seed)
    }

    /// The same with other sagas.
    pub fn real_of(
        name: &str,
        cast: impl FnOnce(&str, u64) -> Cast,
        delivery: &'static str,
        seed: u64,
    ) -> Self {
        let address = std::env::var("SEGUE_TEST_KAFKA").expect("SEGUE_TEST_KAFKA holds host:port");
        let place = Place::real(Connection::plain(&address));
        Self::on(place, fresh(name), cast, delivery, seed)
    }

    /// The same through that Kafka's door for TLS and a login; what lies in its folder,
    /// `SEGUE_TEST_KAFKA_DIR`, opens it.
    pub fn secure(name: &str, delivery: &'static str, seed: u64) -> Self {
        let folder =
            std::env::var("SEGUE_TEST_KAFKA_DIR").expect("the folder of tests/kafka/start");
        let folder = PathBuf::from(folder);
        let login =
            Login { password_file: folder.join("password"), ca_file: Some(folder.join("ca.pem")) };
        let address = fs::read_to_string(folder.join("secure-address")).expect("an address");
        let mut connection = Connection::plain(address.trim());
        for (name, value) in [
            ("security.protocol", "sasl_ssl"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", "segue"),
            ("sasl.password", &login.password()),
            ("ssl.ca.pem", &fs::read_to_string(folder.join("ca.pem")).expect("a certificate")),
        ] {
            connection.settings.insert(name.to_owned(), value.to_owned());
        }
        let place = Place::real(connection);
        let mut world = Self::on(place, fresh(name), Cast::orders, delivery, seed);
        world.login = Some(login);
        world
    }

    fn on(
        place: Place,
        app: String,
        cast: impl FnOnce(&str, u64) -> Cast,
        delivery: &'static str,
        seed: u64,
    ) -> Self {
        let Place { mut connection, broker, replication } = place;
        connection.settings.insert("message.max.bytes".to_owned(), "4194304".to_owned());
        let Cast { sagas, scripts, config } = cast(&app, seed);
        let folder = TempDir::with_prefix("segue-system.").expect("a folder");
        let (mut catalog, mut files) = (Catalog::default(), Vec::new());
        let mut definitions: Vec<Definition> = Vec::new();
        for (name, text) in sagas {
            let path = folder.path().join(format!("{name}.yaml"));
            fs::write(&path, &text).expect("a file");
            let definition = definition::parse(&name, &text);
            definitions.push(definition.unwrap_or_else(|e| panic!("\n{e}")));
            files.push(path);
        }
        for definition in &definitions {
            catalog.add(definition.clone()).expect("definitions of their own");
        }
        let mut users = Index::new(&catalog).topics();
        users.extend(definitions.iter().flat_map(Definition::topics_written));
        let services = Participants::new(&scripts, seed);
        users.extend(services.topics().into_iter().chain(services.answer_topics()));
        let world = Self {
            connection,
            app,
            folder,
            seed,
            login: None,
            delivery,
            definitions,
            files,
            scripts,
            config,
            sources: "{ start-from: earliest }".to_owned(),
            door: None,
            replication,
            users,
            stop: Arc::new(AtomicBool::new(false)),
            workers: Vec::new(),
            broker,
        };
        create_topics(&world.connection, &world.specs()).expect("topics");
        world
    }

    fn specs(&self) -> Vec<TopicSpec> {
        let spec = |name: &Topic| TopicSpec {
            name: name.clone(),
            partitions: PARTITIONS,
            replication: self.replication,
            settings: vec![("max.message.bytes".to_owned(), "4194304".to_owned())],
        };
        self.users.iter().map(spec).collect()
    }

    /// A topic of the test's own.
    pub fn topic(&self, name: &str) -> Topic {
        Topic::new(&format!("{}.{name}", self.app)).expect("a legal name")
    }

    /// The configuration of a node, with lines of its own at the end.
    pub fn config(&self, node: &str, further: &str) -> PathBuf {
        let files: Vec<_> =
            self.files.iter().map(|path| format!("\"{}\"", path.display())).collect();
        let text = format!(
            "app: {app}\nnode: {node}\nsagas: [{sagas}]\ndata: \"{data}\"\n\
             kafka: {{ brokers: [\"{brokers}\"]{security} }}\ndelivery: {delivery}\n\
             checkpoint: {{ every: 200ms }}\nsources: {sources}\n{own}{further}",
            app = self.app,
            sagas = files.join(", "),
            own = self.config,
            sources = self.sources,
            data = self.data(node).display(),
            brokers = self.door.as_ref().unwrap_or(&self.connection.brokers).replace(',', "\", \""),
            security = self.login.as_ref().map(Login::written).unwrap_or_default(),
            delivery = self.delivery,
        );
        let path = self.folder.path().join(format!("{node}.yaml"));
        fs::write(&path, text).expect("a file");
        path
    }

    /// Where a node keeps its checkpoint.
    pub fn data(&self, node: &str) -> PathBuf {
        self.folder.path().join(format!("{node}.data"))
    }

    /// What a node has said.
    pub fn log(&self, node: &str) -> PathBuf {
        self.folder.path().join(format!("{node}.log"))
    }

    /// Starts a node, or starts it again.
    pub fn engine(&self, node: &str) -> Engine {
        Engine::start(&self.config(node, ""), &self.log(node))
    }

    /// Starts the services.
    pub fn serve(&mut self) {
        let services = Participants::new(&self.scripts, self.seed);
        let (connection, app) = (self.connection.clone(), self.app.clone());
        let stop = Arc::clone(&self.stop);
        self.workers.push(thread::spawn(move || {
            let answered = participants::run(&connection, &app, services, &stop).expect("services");
            assert!(answered.complaints.is_empty(), "{:?}", answered.complaints);
        }));
    }

    /// Starts the services as somebody else runs them.
    pub fn serve_by(&mut self, run: fn(&Connection, Participants, &AtomicBool)) {
        let services = Participants::new(&self.scripts, self.seed);
        let (connection, stop) = (self.connection.clone(), Arc::clone(&self.stop));
        self.workers.push(thread::spawn(move || run(&connection, services, &stop)));
    }

    /// Places orders until they are told to end; joining tells how many were placed.
    pub fn orders(&self, rate: f64, until: &Arc<AtomicBool>) -> JoinHandle<u64> {
        let starts = Starts::new(&self.scripts, self.seed).expect("the scripts have starts");
        let load = Load { starts, orders: None, pace: Pace::Rate(rate) };
        let (connection, until) = (self.connection.clone(), Arc::clone(until));
        thread::spawn(move || {
            load.place(&connection, "orders", &until, |_| {}).expect("orders").orders
        })
    }

    /// Places orders, so many a second.
    pub fn order(&mut self, orders: u64, rate: f64) {
        let starts = Starts::new(&self.scripts, self.seed).expect("the scripts have starts");
        let load = Load { starts, orders: Some(orders), pace: Pace::Rate(rate) };
        let (connection, stop) = (self.connection.clone(), Arc::clone(&self.stop));
        self.workers.push(thread::spawn(move || {
            load.place(&connection, "orders", &stop, |_| {}).expect("orders");
        }));
    }

    /// Sends messages.
    pub fn send(&self, messages: &[Outgoing]) {
        let writer = Writer::open(&self.connection, "sender").expect("a writer");
        for message in messages {
            writer.send(message, None).expect("queued");
        }
        writer.flush(PATIENCE).expect("acknowledged");
    }

    /// Follows what users see.
    pub fn watch(&self) -> Watch {
        self.follow(Isolation::Committed)
    }

    /// Follows what is written, in transactions that will be aborted too.
    pub fn pulse(&self) -> Watch {
        self.follow(Isolation::Uncommitted)
    }

    fn follow(&self, isolation: Isolation) -> Watch {
        let topics: Vec<Topic> = self.users.iter().cloned().collect();
        Watch::over(&self.connection, &topics, isolation, self.log("a"))
    }

    /// Waits until all sagas have ended and everything late has come too.
    pub fn settle(&self, sagas: u64) {
        let mut watch = self.watch();
        watch.until_ended(sagas);
        for _ in 0..LOOKS_MAX {
            watch.until_quiet();
            if self.reckon().balances() {
                return;
            }
        }
    }

    /// Waits as [`World::settle`] does, but no longer than `patience` without another end;
    /// answers how many sagas have ended.
    pub fn settle_within(&self, sagas: u64, patience: Duration) -> u64 {
        let mut watch = self.watch();
        let ended = watch.ended_within(sagas, patience);
        for _ in 0..LOOKS_MAX {
            watch.until_quiet();
            if self.reckon().balances() {
                break;
            }
        }
        ended
    }

    /// Stops services and orders, and checks the books.
    pub fn close(&mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            worker.join().expect("services and orders end well");
        }
        self.reckon()
    }

    /// Reads every topic and checks the books.
    fn reckon(&self) -> Report {
        let engine = EngineTopics::new(&self.app).expect("legal names");
        let mut topics: Vec<Topic> = self.users.iter().cloned().collect();
        topics.extend([engine.history, engine.questions, engine.operator, engine.dead_letters]);
        let delivery = match self.delivery {
            AT_LEAST_ONCE => books::Delivery::AtLeastOnce,
            _ => books::Delivery::ExactlyOnce,
        };
        let options = books::Options { app: self.app.clone(), delivery, ended: true };
        let mut books = Books::new(&self.definitions, options);
        self.read(&topics, |record| {
            books.read(&books::Record {
                topic: &record.origin.topic,
                partition: record.origin.partition,
                offset: record.origin.offset,
                key: record.key.as_deref(),
                headers: &record.headers,
                body: record.body.as_ref(),
                timestamp: record.timestamp,
            });
        });
        books.close()
    }

    /// Reads what users see of some topics, from their beginning to their end.
    pub fn read(&self, topics: &[Topic], mut see: impl FnMut(&SourceRecord)) {
        let reader = Reader::all(&self.connection, "books", topics, Isolation::Committed);
        let mut reader = reader.expect("the topics");
        let mut heard = Instant::now();
        while !reader.is_at_end().expect("an answer") {
            let records = reader.poll(WAIT, RECORDS_MAX).expect("records");
            records.iter().for_each(&mut see);
            if !records.is_empty() {
                heard = Instant::now();
            }
            if heard.elapsed() >= PATIENCE {
                let behind = reader.behind().expect("an answer");
                panic!("nothing for {PATIENCE:?}: {behind:?}\n{}", last_words(&self.log("a")));
            }
        }
    }
}

/// The cluster that a world is on.
struct Place {
    connection: Connection,
    broker: Option<DevBroker>,
    replication: i32,
}

impl Place {
    fn real(connection: Connection) -> Self {
        Self { connection, broker: None, replication: 1 }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if std::thread::panicking() {
            keep(self.folder.path(), &self.app);
        }
        for worker in self.workers.drain(..) {
            // A failure is told by `close`; here something else has failed already.
            let _ = worker.join();
        }
    }
}

/// Copies what a test that fails leaves behind to the folder that `SEGUE_TEST_KEEP` names, if it
/// does.
pub fn keep(folder: &Path, name: &str) {
    if let Some(kept) = std::env::var_os("SEGUE_TEST_KEEP") {
        let copied =
            Command::new("cp").arg("-a").arg(folder).arg(Path::new(&kept).join(name)).status();
        println!("what there was is kept in {}: {copied:?}", kept.display());
    }
}

/// What a cluster wants to see of an engine.
pub struct Login {
    pub password_file: PathBuf,
    /// Whoever vouches for the cluster; none means the system's authorities.
    pub ca_file: Option<PathBuf>,
}

impl Login {
    pub fn password(&self) -> String {
        fs::read_to_string(&self.password_file).expect("a password").trim().to_owned()
    }

    /// As it stands in a configuration, behind the brokers.
    fn written(&self) -> String {
        let ca = self.ca_file.as_ref().map(|path| format!(", ca-file: {}", path.display()));
        format!(
            ", security: {{ protocol: sasl-ssl, mechanism: scram-sha-512, username: segue, \
             password-file: {}{} }}",
            self.password_file.display(),
            ca.unwrap_or_default(),
        )
    }
}

/// A name that no other run has used.
fn fresh(name: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    format!("{name}-{}", now.as_nanos())
}

/// Fails unless the books balance over so many sagas of which some went back, and some did not.
pub fn check(report: &Report, sagas: u64, log: &std::path::Path) {
    check_ended(report, sagas, log);
    let tally = &report.tally;
    assert!(tally.completed > 0 && tally.compensated_all() > 0, "{report}");
}

/// Fails unless the books balance over so many sagas, and all have ended.
pub fn check_ended(report: &Report, sagas: u64, log: &std::path::Path) {
    assert!(report.balances(), "{report}\nthe engine says:\n{}", last_words(log));
    let tally = &report.tally;
    assert_eq!(tally.started, sagas, "{report}");
    assert_eq!(tally.completed + tally.compensated_all() + tally.stuck, sagas, "{report}");
}

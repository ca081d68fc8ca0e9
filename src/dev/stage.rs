use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::{Error, Options, reckoning, sample};
use crate::api::{self, Serving};
use crate::books::Report;
use crate::broker::{self, Connection, TopicSpec, create_topics};
use crate::config::{App, Config, Node as Name};
use crate::console;
use crate::correlation::Index;
use crate::definition::{self, Catalog, Definition};
use crate::devbroker::DevBroker;
use crate::message::{SagaName, StartFrom, StepName, Topic};
use crate::node::{Callers, Health, Node, Observer, files};
use crate::participants::{
    self, Callees, Load, Pace, Participants, Script, ScriptedCaller, Starts,
};
use crate::runtime::Observed;

const APP: &str = "segue-dev";
const PARTITIONS: u32 = 4;

/// Everything that plays a part, running.
pub(super) struct Stage {
    broker: DevBroker,
    connection: Connection,
    definitions: Vec<Definition>,
    topics: BTreeSet<Topic>,
    observed: Receiver<Observed>,
    node: Option<Node>,
    serving: Option<Serving>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Result<(), broker::Error>>>,
    folder: PathBuf,
    begun: String,
}

impl Stage {
    /// Starts the broker, makes the topics, starts the engine, the services and the orders.
    pub fn set(options: &Options, interrupted: &Arc<AtomicBool>) -> Result<Self, Error> {
        let (definitions, scripts) = read(&options.sagas)?;
        let starts = Starts::new(&scripts, options.seed).ok_or(Error::NoStarts)?;
        let services = Participants::new(&scripts, options.seed);
        let topics = topics(&definitions, &services, &starts)?;
        let broker = DevBroker::start(crate::devbroker::Options::default())?;
        let connection = Connection::plain(&broker.address());
        create_topics(&connection, &specs(&topics))?;
        let folder = std::env::temp_dir().join(format!("{APP}-{}", std::process::id()));
        let config = config(&connection, &folder)?;
        let (tell, observed) = channel();
        let observer: Observer = Arc::new(move |seen: &Observed| {
            // Nobody listens any more once the stage closes.
            let _ = tell.send(seen.clone());
        });
        // The engine stops after everybody else, so it has a flag of its own.
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let callees = Arc::new(Mutex::new(Callees::new(&scripts, options.seed)));
        let callers = Callers::new(move || Box::new(ScriptedCaller::new(Arc::clone(&callees))));
        let node = Node::start(&config, definitions.clone(), &observer, &callers, flag)?;
        let serving = serve(&config, options.listen, &node.health())?;
        let mut stage = Self {
            begun: begun(&definitions, options, &broker, serving.address()),
            serving: Some(serving),
            broker,
            connection,
            definitions,
            topics,
            observed,
            node: Some(node),
            stop: Arc::clone(interrupted),
            workers: Vec::new(),
            folder,
        };
        stage.start_services(services)?;
        stage.start_orders(starts, options)?;
        Ok(stage)
    }

    fn start_services(&mut self, services: Participants) -> Result<(), Error> {
        let (connection, stop) = (self.connection.clone(), Arc::clone(&self.stop));
        let serve = move || participants::run(&connection, APP, services, &stop).map(|_| ());
        self.workers.push(thread::Builder::new().name("services".to_owned()).spawn(serve)?);
        Ok(())
    }

    fn start_orders(&mut self, starts: Starts, options: &Options) -> Result<(), Error> {
        let load = Load { starts, orders: options.orders, pace: Pace::Rate(options.rate) };
        let (connection, stop) = (self.connection.clone(), Arc::clone(&self.stop));
        let place = move || load.place(&connection, "orders", &stop, |_| {}).map(|_| ());
        self.workers.push(thread::Builder::new().name("orders".to_owned()).spawn(place)?);
        Ok(())
    }

    /// What is about to happen, in a few lines.
    pub fn greeting(&self) -> &str {
        &self.begun
    }

    pub fn observed(&self) -> &Receiver<Observed> {
        &self.observed
    }

    /// The definitions' own words for their steps.
    pub fn titles(&self) -> BTreeMap<(SagaName, StepName), String> {
        let steps = self.definitions.iter().flat_map(|d| d.steps.iter().map(move |s| (d, s)));
        let title = |(d, s): (&Definition, &definition::Step)| {
            let title = s.title.clone().unwrap_or_else(|| s.name.to_string());
            ((d.saga.clone(), s.name.clone()), title)
        };
        steps.map(title).collect()
    }

    /// The sagas that only others start.
    pub fn children(&self) -> BTreeSet<SagaName> {
        let children = self.definitions.iter().filter(|d| d.by_parent && d.starts.is_empty());
        children.map(|d| d.saga.clone()).collect()
    }

    /// Why something that should go on has ended, if something has.
    pub fn ended_early(&mut self) -> Option<String> {
        if self.node.as_ref().is_some_and(Node::has_ended) {
            let node = self.node.take()?;
            return Some(node.wait().err().unwrap_or_else(|| "the engine stopped".to_owned()));
        }
        let place = self.workers.iter().position(JoinHandle::is_finished)?;
        match self.workers.remove(place).join() {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("a thread panicked; this is a defect of segue".to_owned()),
        }
    }

    /// Stops services and orders, then the engine; the broker stays for the books.
    pub fn close(&mut self) -> Result<(), Error> {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = None;
        for worker in self.workers.drain(..) {
            match worker.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed = Some(Error::Broker(error)),
                Err(_) => failed = Some(Error::Ended("a thread panicked".to_owned())),
            }
        }
        drop(self.serving.take());
        if let Some(node) = self.node.take() {
            node.stop();
            node.wait().map_err(Error::Ended)?;
        }
        match std::fs::remove_dir_all(&self.folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            Ok(()) | Err(_) => {}
        }
        failed.map_or(Ok(()), Err)
    }

    /// Reads every topic and checks the books.
    pub fn reckon(&self) -> Result<Report, Error> {
        let report = reckoning::reckon(&self.connection, APP, &self.definitions, &self.topics)?;
        tracing::debug!(address = self.broker.address(), "books.read");
        Ok(report)
    }
}

/// Serves the API on this machine alone.
fn serve(config: &Config, port: Option<u16>, health: &Health) -> Result<Serving, Error> {
    let on = |port| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut config = config.clone();
    if let Some(port) = port {
        config.api.listen = on(port);
    }
    let mut started = Serving::beside(&config, console::PAGES, Some(health.clone()));
    if port.is_none() && matches!(started, Err(api::Error::Listen { .. })) {
        config.api.listen = on(0);
        started = Serving::beside(&config, console::PAGES, Some(health.clone()));
    }
    Ok(started?.expect("an address is set"))
}

fn begun(
    definitions: &[Definition],
    options: &Options,
    broker: &DevBroker,
    api: SocketAddr,
) -> String {
    let names: Vec<String> = definitions.iter().map(|d| d.saga.to_string()).collect();
    let orders = match options.orders {
        Some(orders) => format!("{orders} sagas"),
        None => "sagas until Ctrl-C".to_owned(),
    };
    format!(
        "{} on a development broker at {}, its API at http://{api}\n\
         {orders}, {} a second, seed {}\n",
        names.join(", "),
        broker.address(),
        options.rate,
        options.seed
    )
}

/// The definitions and the scripts beside them; those that ship if none is named.
fn read(paths: &[PathBuf]) -> Result<(Vec<Definition>, Vec<Script>), Error> {
    if paths.is_empty() {
        let (mut definitions, mut scripts) = (Vec::new(), Vec::new());
        for (saga, participants) in sample::SAGAS {
            definitions.push(definition::parse("saga.yaml", saga).map_err(files::Error::Wrong)?);
            scripts.push(Script::parse("participants.yaml", participants)?);
        }
        return Ok((definitions, scripts));
    }
    let found = files::find(paths)?;
    let definitions = files::load(&found)?;
    let mut scripts = Vec::new();
    for path in found.iter().filter_map(files::SagaFiles::participants) {
        scripts.push(Script::parse(&path.display().to_string(), &files::read(&path)?)?);
    }
    Ok((definitions, scripts))
}

/// Every topic that anybody reads or writes.
fn topics(
    definitions: &[Definition],
    services: &Participants,
    starts: &Starts,
) -> Result<BTreeSet<Topic>, Error> {
    let mut catalog = Catalog::default();
    for definition in definitions {
        catalog.add(definition.clone()).map_err(crate::node::Error::Catalog)?;
    }
    let mut topics = Index::new(&catalog).topics();
    topics.extend(definitions.iter().flat_map(Definition::topics_written));
    topics.extend(services.topics());
    topics.extend(services.answer_topics());
    topics.extend(starts.topics());
    Ok(topics)
}

fn specs(topics: &BTreeSet<Topic>) -> Vec<TopicSpec> {
    let spec = |name: &Topic| TopicSpec {
        name: name.clone(),
        partitions: PARTITIONS,
        replication: 1,
        settings: Vec::new(),
    };
    topics.iter().map(spec).collect()
}

fn config(connection: &Connection, folder: &std::path::Path) -> Result<Config, Error> {
    let mut config = Config {
        app: App::new(APP).map_err(Error::Config)?,
        node: Name::new("dev").map_err(Error::Config)?,
        data: folder.to_owned(),
        view_path: folder.join("view"),
        ..Config::default()
    };
    config.kafka.brokers = vec![connection.brokers.clone()];
    config.topics.shards = PARTITIONS;
    // All that is on this broker is meant for this engine.
    config.sources.start_from = StartFrom::Earliest;
    Ok(config)
}

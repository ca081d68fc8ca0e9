//! The view follows what an engine has written on a development broker.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Folder;
use crate::broker::{self, Connection, Isolation, Reader, TopicSpec, create_topics};
use crate::config::{App, Config, Node as Name};
use crate::correlation::Index;
use crate::definition::{Catalog, Definition, Limits, parse, parse_stored};
use crate::devbroker::DevBroker;
use crate::engine::Instance;
use crate::expression::Kinds;
use crate::format::{changelog, open, wire};
use crate::message::{EngineTopics, InstanceId, Key, SagaName, Span, StartFrom, Topic};
use crate::node::{Callers, Node, Observer, files};
use crate::participants::{
    self, Callees, Load, Pace, Participants, Script, ScriptedCaller, Starts,
};
use crate::runtime::{Observed, SourceRecord};
use crate::status::{LifeState, Masks, Moment, Overview, Wait, overview};
use crate::view::fold::folded;
use crate::view::{Error, Filter, PAGE_ROWS_MAX, Row, Settings, Signatures, Sort, View};

pub(super) const APP: &str = "town";
const SHARDS: u32 = 3;
const ORDERS: u64 = 30;
/// So many lives end before the engine stops.
const ENDED: usize = 20;
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// An engine with the sagas that ship, and the services around it.
struct Town {
    broker: DevBroker,
    node: Node,
    observed: Receiver<Observed>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Result<(), broker::Error>>>,
    _folder: Folder,
}

fn shipped() -> (Vec<Definition>, Vec<Script>) {
    let sagas = Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas");
    let found = files::find(&[sagas]).expect("sagas");
    let definitions = files::load(&found).expect("definitions");
    let definitions = definitions.into_iter().map(searched).collect();
    let scripts = found.iter().filter_map(files::SagaFiles::participants).map(|path| {
        let text = files::read(&path).expect("a file of the project");
        Script::parse(&path.display().to_string(), &text).unwrap_or_else(|e| panic!("\n{e}"))
    });
    let scripts = scripts.collect();
    (definitions, scripts)
}

/// The same definition, which is searched by every field of its data that it may be.
fn searched(definition: Definition) -> Definition {
    let secret = definition.secret_fields();
    let is_open = |field: &&String| {
        !secret.contains(*field)
            && definition.sensitive.iter().all(|path| path.first() != Some(*field))
    };
    let plain = Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL);
    let kinds = definition.data_kinds();
    let fields = kinds.iter().filter(|(field, kinds)| is_open(field) && kinds.meets(plain));
    let fields: Vec<String> = fields.map(|(field, _)| format!("data.{field}")).take(8).collect();
    if fields.is_empty() {
        return definition;
    }
    let text = format!("search: [{}]\n{}", fields.join(", "), definition.source);
    parse(&definition.file, &text).unwrap_or_else(|e| panic!("\n{e}"))
}

impl Town {
    fn start() -> Self {
        let (definitions, scripts) = shipped();
        let (services, starts) =
            (Participants::new(&scripts, 1), Starts::new(&scripts, 1).expect("starts"));
        let broker = DevBroker::start(crate::devbroker::Options::default()).expect("a broker");
        let connection = Connection::plain(&broker.address());
        let spec =
            |name: Topic| TopicSpec { name, partitions: 2, replication: 1, settings: Vec::new() };
        let topics = topics(&definitions, &services, &starts);
        let specs: Vec<TopicSpec> = topics.into_iter().map(spec).collect();
        create_topics(&connection, &specs).expect("topics");
        let folder = Folder::new();
        let config = config(&connection, &folder.0);
        let (tell, observed) = channel();
        let observer: Observer = Arc::new(move |seen: &Observed| drop(tell.send(seen.clone())));
        let callees = Arc::new(Mutex::new(Callees::new(&scripts, 1)));
        let callers = Callers::new(move || Box::new(ScriptedCaller::new(Arc::clone(&callees))));
        let flag = Arc::new(AtomicBool::new(false));
        let node = Node::start(&config, definitions, &observer, &callers, flag);
        let node = node.unwrap_or_else(|e| panic!("{e}"));
        let stop = Arc::new(AtomicBool::new(false));
        let (at, flag) = (connection.clone(), Arc::clone(&stop));
        let serve = move || participants::run(&at, APP, services, &flag).map(|_| ());
        let (at, flag) = (connection, Arc::clone(&stop));
        let load = Load { starts, orders: Some(ORDERS), pace: Pace::Rate(0.0) };
        let order = move || load.place(&at, "orders", &flag, |_| {}).map(|_| ());
        let workers = vec![thread::spawn(serve), thread::spawn(order)];
        Self { broker, node, observed, stop, workers, _folder: folder }
    }

    /// Waits until so many lives have ended, then stops everything but the broker.
    fn rest(self) -> DevBroker {
        let mut ended = BTreeSet::new();
        while ended.len() < ENDED {
            let seen = self.observed.recv_timeout(PATIENCE).expect("lives end in time");
            if matches!(seen.standing, "completed" | "compensated") {
                ended.insert((seen.id.clone(), seen.life));
            }
        }
        self.stop.store(true, Ordering::Relaxed);
        for worker in self.workers {
            worker.join().expect("no panic").expect("no error");
        }
        self.node.stop();
        self.node.wait().expect("it stops well");
        self.broker
    }
}

fn topics(definitions: &[Definition], services: &Participants, starts: &Starts) -> BTreeSet<Topic> {
    let mut catalog = Catalog::default();
    for definition in definitions {
        catalog.add(definition.clone()).expect("versions of their own");
    }
    let mut topics = Index::new(&catalog).topics();
    topics.extend(definitions.iter().flat_map(Definition::topics_written));
    topics.extend(services.topics());
    topics.extend(services.answer_topics());
    topics.extend(starts.topics());
    topics
}

fn config(connection: &Connection, folder: &Path) -> Config {
    let mut config = Config {
        app: App::new(APP).expect("a name"),
        node: Name::new("n1").expect("a name"),
        data: folder.to_owned(),
        ..Config::default()
    };
    config.kafka.brokers = vec![connection.brokers.clone()];
    config.topics.shards = SHARDS;
    config.sources.start_from = StartFrom::Earliest;
    config
}

/// A view that follows.
pub(super) struct Viewing {
    pub view: View,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Viewing {
    pub fn start(connection: &Connection, folder: &Folder) -> Self {
        let settings = Settings {
            connection: connection.clone(),
            app: App::new(APP).expect("a name"),
            folder: folder.0.clone(),
            age_max: Span::hours(12),
            keep: None,
            limits: Limits::default(),
            signatures: Signatures::default(),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let started = View::start(&settings, Arc::clone(&stop));
        let (view, thread) = started.unwrap_or_else(|e| panic!("{e}"));
        Self { view, stop, thread: Some(thread) }
    }

    /// Waits until the view has read everything that stood on the topics after now.
    pub fn catch_up(&self) {
        let (start, since) = (Instant::now(), crate::view::follow::now());
        loop {
            let fresh = self.view.wait(Duration::from_secs(1));
            let heard = fresh.heard.is_some_and(|Moment(heard)| heard > since);
            if fresh.is_whole && fresh.behind_records == 0 && heard {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "it does not catch up: {fresh:?}");
        }
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the view does not panic");
        }
    }
}

/// What the topics say, folded without any index.
struct Fold {
    catalog: Catalog,
    instances: BTreeMap<InstanceId, (SourceRecord, Instance)>,
    entries: BTreeMap<InstanceId, usize>,
}

impl Fold {
    fn of(connection: &Connection) -> Self {
        let topics = EngineTopics::new(APP).expect("topics");
        let stored = broker::definitions::read(connection, APP).expect("definitions");
        let (mut catalog, starts) = (Catalog::default(), stored.starts());
        for (key, text) in stored.texts {
            catalog.add(parse_stored(&key, &text).expect("a definition")).expect("its version");
        }
        let catalog = catalog.starting_as(starts.map(Arc::new));
        let mut fold = Self { catalog, instances: BTreeMap::new(), entries: BTreeMap::new() };
        let all = [topics.changelog.clone(), topics.history];
        let reader = Reader::all(connection, "fold", &all, Isolation::Committed);
        let mut reader = reader.expect("a reader");
        while !reader.is_at_end().expect("an answer") {
            for record in reader.poll(Duration::from_millis(50), 1_000).expect("records") {
                if record.origin.topic == topics.changelog {
                    fold.change(record);
                } else {
                    fold.enter(&record);
                }
            }
        }
        fold
    }

    fn change(&mut self, record: SourceRecord) {
        let key = record.key.clone().expect("a key");
        if !changelog::is_instance(&key) {
            return;
        }
        let id = changelog::target_of(&key).read().expect("an instance");
        match &record.body {
            Some(body) => {
                let instance = Instance::decode(body).expect("an instance");
                self.instances.insert(id, (record, instance));
            }
            None => drop(self.instances.remove(&id)),
        }
    }

    fn enter(&mut self, record: &SourceRecord) {
        let entry: wire::Entry = open(record.body.as_deref().expect("a body")).expect("an entry");
        let saga = SagaName::new(&entry.saga).expect("a name");
        let id = InstanceId { saga, key: Key::new(&entry.key).expect("a key") };
        *self.entries.entry(id).or_default() += 1;
    }
}

/// Every row of the view, by instance; locks too.
fn rows(view: &View) -> BTreeMap<(String, String), Row> {
    let mut rows = BTreeMap::new();
    for saga in [None, Some(SagaName::lock())] {
        let (filter, mut after) = (Filter { saga, ..Filter::default() }, None::<String>);
        loop {
            let page = view.instances(&filter, Sort::Oldest, after.as_deref(), PAGE_ROWS_MAX / 100);
            let page = page.expect("a page").found;
            let keyed =
                page.instances.into_iter().map(|row| ((row.saga.clone(), row.key.clone()), row));
            rows.extend(keyed);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    rows
}

/// The view says what the topics say, field by field.
fn check(view: &View, fold: &Fold) {
    let rows = rows(view);
    let mut told = 0;
    let mut counts: BTreeMap<(String, LifeState), u64> = BTreeMap::new();
    for (id, (record, instance)) in &fold.instances {
        let at = record.timestamp;
        let Some(folded) = folded(&fold.catalog, id, instance, at) else { continue };
        told += 1;
        let row = rows.get(&(id.saga.to_string(), id.key.to_string()));
        let row = row.unwrap_or_else(|| panic!("{id} is not listed"));
        let moment = |at: crate::message::Timestamp| Moment(at);
        assert_eq!(
            (row.state, row.version, &row.step),
            (folded.state, folded.version, &folded.step)
        );
        assert_eq!((row.started, row.changed), (moment(folded.started), moment(at)), "{id}");
        assert_eq!(
            (row.ended, row.due),
            (folded.ended.map(moment), folded.due.map(moment)),
            "{id}"
        );
        assert_eq!(row.error, folded.error.map(|(error, _)| error), "{id}");
        let fields = folded.searched.into_iter().map(|(field, value)| (field, value.text));
        assert_eq!(row.fields, fields.collect(), "{id}");
        *counts.entry((id.saga.to_string(), folded.state)).or_default() += 1;
        let detail = view.instance(id, Masks::On).expect("an answer").found.expect("it is known");
        let expected = overview(&fold.catalog, id, instance, Masks::On).expect("it is told of");
        assert_eq!(without_holders(detail.overview), expected);
        assert_eq!(detail.stored.offset, record.origin.offset.0, "{id}");
        let history = view.history(id, usize::MAX).expect("an answer").found.expect("it is known");
        assert_eq!(history.len(), fold.entries.get(id).copied().unwrap_or_default(), "{id}");
        assert!(history.iter().all(|entry| entry.key == id.key.as_str()), "{id}");
        assert!(history.is_sorted_by_key(|entry| entry.stored.offset), "{id}");
    }
    assert_eq!(rows.len(), told, "nothing else is listed");
    let counted = view.counts(None).expect("counts").found.into_iter();
    let counted: BTreeMap<_, _> = counted.map(|c| ((c.saga, c.state), c.instances)).collect();
    assert_eq!(counted, counts);
}

/// The same without what only the view knows: who holds a lock.
fn without_holders(mut overview: Overview) -> Overview {
    for step in overview.lives.iter_mut().flat_map(|life| &mut life.steps) {
        if let Wait::Lock { behind, .. } = &mut step.waits {
            *behind = None;
        }
    }
    overview
}

#[test]
fn the_view_is_a_fold_of_the_topics_also_when_its_file_is_lost_or_damaged() {
    let town = Town::start();
    let connection = Connection::plain(&town.broker.address());
    let folder = Folder::new();
    let viewing = Viewing::start(&connection, &folder);
    let broker = town.rest();
    viewing.catch_up();
    let fold = Fold::of(&connection);
    let sagas: BTreeSet<_> = fold.instances.keys().map(|id| id.saga.clone()).collect();
    assert!(sagas.len() >= 6, "{sagas:?}");
    check(&viewing.view, &fold);

    let newest = fold.instances.keys().find(|id| !id.saga.is_lock()).expect("an instance");
    let entries = viewing.view.history(newest, 1).expect("an answer").found.expect("it is known");
    assert_eq!(entries.len(), 1, "the newest alone");

    // It goes on where it was: nothing is read twice, nothing is lost.
    drop(viewing);
    let viewing = Viewing::start(&connection, &folder);
    viewing.catch_up();
    check(&viewing.view, &fold);

    // The file goes while it is read: whoever asks next finds that out.
    fs::remove_file(folder.0.join("view.db")).expect("it was there");
    let asked = viewing.view.counts(None);
    assert!(asked.is_ok() || matches!(asked, Err(Error::Damaged(_))), "{asked:?}");
    drop(viewing);
    fs::write(folder.0.join("view.db"), vec![0xff; 100_000]).expect("written");
    let viewing = Viewing::start(&connection, &folder);
    viewing.catch_up();
    check(&viewing.view, &fold);
    drop(viewing);
    drop(broker);
}

#[test]
fn a_view_of_a_cluster_that_is_away_says_so_and_answers_what_it_has() {
    let folder = Folder::new();
    let viewing = Viewing::start(&Connection::plain("127.0.0.1:1"), &folder);
    let page = viewing.view.instances(&Filter::default(), Sort::Newest, None, 5);
    let page = page.expect("an empty list");
    assert_eq!((page.found.instances.len(), page.freshness.is_whole), (0, false));
    let start = Instant::now();
    loop {
        let fresh = viewing.view.wait(Duration::from_secs(1));
        if let Some(trouble) = fresh.trouble {
            assert!(trouble.contains("127.0.0.1:1"), "{trouble}");
            return;
        }
        assert!(start.elapsed() < PATIENCE, "it does not say so: {fresh:?}");
    }
}

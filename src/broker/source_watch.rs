use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::register::{self, Register};
use super::source_asker::SourceAsker;
use super::source_start::{Stop, stop};
use super::{Connection, Error};
use crate::message::{Topic, TopicId};

/// How often the cluster is asked whether the topics are still the same.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long one such question may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Looks after the identity of the users' topics on a thread of its own, so that reading them
/// never waits for an answer; a question that fails stops nothing and is asked again.
pub(super) struct SourceWatch {
    tell: Sender<Told>,
    /// How much it was told so far.
    told: u64,
    news: Arc<Mutex<Option<Sighting>>>,
}

/// What a look has come to.
#[derive(Debug)]
struct Sighting {
    /// How much it was told before this look.
    heard: u64,
    stops: BTreeMap<Topic, Stop>,
}

/// What the one who reads has seen.
#[derive(Debug)]
enum Told {
    /// Something that is worth a look at once.
    Look,
    CutOff(CutOff),
}

/// A partition that ends before what was read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CutOff {
    pub topic: Topic,
    pub partition: i32,
    /// What its offsets belonged to.
    pub id: TopicId,
    pub how: String,
}

impl SourceWatch {
    /// Starts to look after topics; it ends with this handle.
    ///
    /// # Errors
    /// When the client cannot be made, or the system gives no thread.
    pub(super) fn start(
        connection: &Connection,
        app: &str,
        cluster: &str,
        topics: BTreeSet<Topic>,
    ) -> Result<Self, Error> {
        let (tell, told) = channel();
        let news = Arc::new(Mutex::new(None));
        let mut worker = Worker {
            connection: connection.clone(),
            app: app.to_owned(),
            cluster: cluster.to_owned(),
            topics,
            asker: SourceAsker::open(connection, app)?,
            register: Register::new(),
            cut_off: Vec::new(),
            heard: 0,
            news: Arc::clone(&news),
        };
        let run = move || worker.run(&told);
        let spawned = thread::Builder::new().name("source-watch".to_owned()).spawn(run);
        spawned.map_err(|e| Error::Client(format!("the system gives no thread: {e}")))?;
        Ok(Self { tell, told: 0, news })
    }

    /// Has the topics looked at now.
    pub(super) fn look(&mut self) {
        self.send(Told::Look);
    }

    /// Has a partition that was cut off written down, so that nobody reads it before a person has
    /// accepted that.
    pub(super) fn cut_off(&mut self, cut_off: CutOff) {
        self.send(Told::CutOff(cut_off));
    }

    /// Every topic that is to be stopped, if a look was taken since the last call that knew of
    /// everything that was told.
    pub(super) fn news(&self) -> Option<BTreeMap<Topic, Stop>> {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        news.filter(|sighting| sighting.heard == self.told).map(|sighting| sighting.stops)
    }

    fn send(&mut self, told: Told) {
        self.told += 1;
        // A worker that panicked is missed by nobody but the topics that are made anew.
        if self.tell.send(told).is_err() {
            tracing::error!("source_watch.ended: topics that are made anew are not noticed");
        }
    }
}

struct Worker {
    connection: Connection,
    app: String,
    cluster: String,
    topics: BTreeSet<Topic>,
    asker: SourceAsker,
    register: Register,
    /// Not written down yet.
    cut_off: Vec<CutOff>,
    heard: u64,
    news: Arc<Mutex<Option<Sighting>>>,
}

impl Worker {
    fn run(&mut self, told: &Receiver<Told>) {
        loop {
            match told.recv_timeout(LOOK_EVERY) {
                Ok(first) => {
                    self.receive(first);
                    for further in told.try_iter() {
                        self.receive(further);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Err(error) = self.look() {
                tracing::debug!(%error, "source_watch.unanswered");
            }
        }
    }

    fn receive(&mut self, told: Told) {
        self.heard += 1;
        match told {
            Told::Look => {}
            Told::CutOff(cut_off) => self.cut_off.push(cut_off),
        }
    }

    fn look(&mut self) -> Result<(), Error> {
        let described = self.asker.ids(&self.topics, ANSWER_MAX)?;
        let stops = |register: &Register, cluster: &str| -> BTreeMap<Topic, Stop> {
            let stop = |(topic, entry): (&Topic, &register::Entry)| {
                Some((topic.clone(), stop(entry, described.get(topic), cluster)?))
            };
            register
                .iter()
                .filter(|(topic, _)| self.topics.contains(topic))
                .filter_map(stop)
                .collect()
        };
        let mut found = stops(&self.register, &self.cluster);
        // What stops a topic may have been accepted since the register was read.
        if !found.is_empty() || self.register.is_empty() || !self.cut_off.is_empty() {
            let mut register = register::read(&self.connection, &self.app)?;
            let written = note(&mut register, &self.cut_off);
            if !written.is_empty() {
                register::write(&self.connection, &self.app, &written)?;
            }
            found = stops(&register, &self.cluster);
            self.register = register;
            self.cut_off.clear();
        }
        let sighting = Sighting { heard: self.heard, stops: found };
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = Some(sighting);
        Ok(())
    }
}

/// Notes partitions that were cut off, unless a person has accepted that meanwhile; answers the
/// entries that have changed.
fn note(register: &mut Register, cut_off: &[CutOff]) -> Register {
    let mut changed = Register::new();
    for CutOff { topic, partition, id, how } in cut_off {
        let Some(entry) = register.get_mut(topic) else { continue };
        if entry.incarnation(*partition).id == *id && !entry.cut_off.contains_key(partition) {
            entry.cut_off.insert(*partition, how.clone());
            changed.insert(topic.clone(), entry.clone());
        }
    }
    changed
}

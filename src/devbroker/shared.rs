//! What all connections share: the cluster behind its lock, and those who wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use kafka_protocol::ResponseError;
use tokio::sync::{Notify, oneshot};

use super::answer::{Answer, Ticket};
use super::cluster::Cluster;
use super::fault::Faults;
use super::frame::Changes;
use super::journal::Journal;
use super::topics::Place;

/// How new topics come about and how they look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Creation {
    pub automatic: bool,
    pub partitions: i32,
}

#[derive(Debug, Default)]
struct Waiting {
    fetches: BTreeMap<Place, Vec<Arc<Notify>>>,
    answers: BTreeMap<Ticket, oneshot::Sender<Answer>>,
}

/// The cluster, and the journal that is told every change before anyone else is.
#[derive(Debug)]
struct State {
    cluster: Cluster,
    journal: Option<Journal>,
}

/// Everything that connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub host: String,
    pub port: u16,
    pub creation: Creation,
    pub faults: Faults,
    state: Mutex<State>,
    /// Nothing is answered any more, for nothing would be kept.
    closed: AtomicBool,
    waiting: Mutex<Waiting>,
    tickets: AtomicU64,
}

impl Shared {
    pub fn new(
        port: u16,
        creation: Creation,
        faults: Faults,
        cluster: Cluster,
        journal: Option<Journal>,
    ) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            creation,
            faults,
            state: Mutex::new(State { cluster, journal }),
            closed: AtomicBool::new(false),
            waiting: Mutex::default(),
            tickets: AtomicU64::new(1),
        }
    }

    /// Acts on the cluster under its lock, keeps what changed, then wakes whom it concerns.
    pub fn with<R>(&self, act: impl FnOnce(&mut Cluster, i64) -> R) -> R {
        let mut state = self.state.lock().expect("a panic under the lock ends the broker");
        let result = act(&mut state.cluster, now_ms());
        self.keep(&mut state);
        let events = std::mem::take(&mut state.cluster.events);
        if events.appended.is_empty() && events.answers.is_empty() {
            return result;
        }
        let mut waiting = self.waiting.lock().expect("a panic under the lock ends the broker");
        for place in events.appended {
            for fetch in waiting.fetches.remove(&place).unwrap_or_default() {
                fetch.notify_one();
            }
        }
        for (ticket, answer) in events.answers {
            if let Some(sender) = waiting.answers.remove(&ticket) {
                // Whoever asked may have gone.
                let _ = sender.send(answer);
            }
        }
        result
    }

    /// Writes what changed to the journal; one that cannot be written ends the service.
    fn keep(&self, state: &mut State) {
        let State { cluster, journal } = state;
        let (Some(open), Some(frame)) = (journal.as_mut(), cluster.changes.frame()) else { return };
        if let Err(error) = open.write(frame) {
            tracing::error!(%error, "journal.failed: the development broker answers no more");
            self.closed.store(true, Ordering::SeqCst);
            *journal = None;
            cluster.changes = Changes::default();
        }
    }

    /// Says whether answers must not be sent any more.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Lets go of the journal; whatever still runs is not answered.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.closed.store(true, Ordering::SeqCst);
        state.journal = None;
    }

    /// Has a fetch woken by the next append to any of these partitions; call it under the lock.
    pub fn wake_on_append<'a>(&self, fetch: &Arc<Notify>, places: impl Iterator<Item = &'a Place>) {
        let mut waiting = self.waiting.lock().expect("a panic under the lock ends the broker");
        for place in places {
            let fetches = waiting.fetches.entry(place.clone()).or_default();
            // What only this list still holds belongs to a fetch that is over.
            fetches.retain(|f| Arc::strong_count(f) > 1 && !Arc::ptr_eq(f, fetch));
            fetches.push(Arc::clone(fetch));
        }
    }

    /// Acts with a ticket and waits until the cluster answers it.
    pub async fn answer_to(&self, act: impl FnOnce(&mut Cluster, Ticket, i64)) -> Answer {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        self.waiting
            .lock()
            .expect("a panic under the lock ends the broker")
            .answers
            .insert(ticket, sender);
        self.with(|cluster, now_ms| act(cluster, ticket, now_ms));
        receiver.await.unwrap_or(Answer::Refused {
            error: ResponseError::CoordinatorNotAvailable,
            member: String::new(),
        })
    }
}

/// Milliseconds since 1970.
#[allow(clippy::disallowed_methods)] // The edge is where time comes from.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

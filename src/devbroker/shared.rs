//! What all connections share: the cluster behind its lock, and those who wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use kafka_protocol::ResponseError;
use tokio::sync::{Notify, oneshot};

use super::answer::{Answer, Ticket};
use super::cluster::Cluster;
use super::fault::Faults;
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

/// Everything that connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub host: String,
    pub port: u16,
    pub creation: Creation,
    pub faults: Faults,
    cluster: Mutex<Cluster>,
    waiting: Mutex<Waiting>,
    tickets: AtomicU64,
}

impl Shared {
    pub fn new(port: u16, creation: Creation, faults: Faults, cluster: Cluster) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            creation,
            faults,
            cluster: Mutex::new(cluster),
            waiting: Mutex::default(),
            tickets: AtomicU64::new(1),
        }
    }

    /// Acts on the cluster under its lock, then wakes those whom the act concerns.
    pub fn with<R>(&self, act: impl FnOnce(&mut Cluster, i64) -> R) -> R {
        let mut cluster = self.cluster.lock().expect("a panic under the lock ends the broker");
        let result = act(&mut cluster, now_ms());
        let events = std::mem::take(&mut cluster.events);
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

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use super::outbox::Outbox;
use super::stream::is_stopping;
use crate::message::{BulkEnd, BulkEnded, BulkRecord, Headers, Outgoing, RawRecord, Topic, header};

/// Acts on many instances that one server writes at once.
const RUNS_MAX: usize = 4;
/// How soon it is seen that one is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// So many that have ended are remembered until the view has read that.
const ENDED_MAX: usize = 100;

/// The acts on many instances that this server writes. What was written, and how it ended, stands
/// in Kafka; this only knows what is under way here.
#[derive(Clone, Default)]
pub(super) struct Runs(Arc<(Mutex<Known>, Condvar)>);

#[derive(Default)]
struct Known {
    /// Those that are under way, with who has stopped them.
    under_way: BTreeMap<String, Arc<OnceLock<String>>>,
    /// Those whose end was told last.
    ended: VecDeque<String>,
}

/// One of them, as long as it is under way.
pub(super) struct UnderWay {
    id: String,
    runs: Runs,
    /// Who has stopped it.
    stopped_by: Arc<OnceLock<String>>,
}

impl Runs {
    /// Begins one; none if it is under way already or has just ended, or too many others are.
    pub fn begin(&self, id: &str) -> Option<UnderWay> {
        let mut all = self.all();
        if all.knows(id) || all.under_way.len() >= RUNS_MAX {
            return None;
        }
        let stopped_by = Arc::new(OnceLock::new());
        all.under_way.insert(id.to_owned(), Arc::clone(&stopped_by));
        Some(UnderWay { id: id.to_owned(), runs: self.clone(), stopped_by })
    }

    /// Whether it is under way here, or has told its end just now.
    pub fn has(&self, id: &str) -> bool {
        self.all().knows(id)
    }

    /// Waits until none is under way any more, but no longer than `limit`; whether none is.
    pub fn wait(&self, limit: Duration) -> bool {
        let is_busy = |known: &mut Known| !known.under_way.is_empty();
        let waited = self.0.1.wait_timeout_while(self.all(), limit, is_busy);
        let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        known.under_way.is_empty()
    }

    /// Stops one; whether it is under way here.
    pub fn stop(&self, id: &str, by: &str) -> bool {
        let all = self.all();
        let Some(stopped_by) = all.under_way.get(id) else { return false };
        // Whoever has stopped it first is told.
        drop(stopped_by.set(by.to_owned()));
        true
    }

    /// The end of one is told; the view will read it.
    fn tell_end(&self, id: &str) {
        let mut all = self.all();
        all.ended.push_back(id.to_owned());
        if all.ended.len() > ENDED_MAX {
            all.ended.pop_front();
        }
    }

    fn all(&self) -> MutexGuard<'_, Known> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn knows(&self, id: &str) -> bool {
        self.under_way.contains_key(id) || self.ended.iter().any(|ended| ended == id)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.runs.all().under_way.remove(&self.id);
        self.runs.0.1.notify_all();
    }
}

/// What is written of one member.
pub(super) struct Member {
    /// A record that is written byte for byte before it is told.
    pub first: Option<RawRecord>,
    /// The act, or what was done.
    pub message: Outgoing,
}

impl From<Outgoing> for Member {
    fn from(message: Outgoing) -> Self {
        Self { first: None, message }
    }
}

/// What is written of an act on many instances.
pub(super) struct Run {
    pub under_way: UnderWay,
    pub outbox: Arc<dyn Outbox>,
    pub operator: Topic,
    /// Its members, in their order.
    pub members: Vec<Member>,
    /// The pause between two of them.
    pub pause: Duration,
    /// Whether the server is to stop.
    pub server: watch::Receiver<bool>,
}

impl Run {
    /// Writes one member after the other, then how it ended.
    pub fn run(self) {
        let end = self.write();
        let (id, how, written) = (&end.id, end.how.text(), end.written);
        tracing::info!(id, how, written, reason = end.reason, "bulk.ended");
        let ended = record(&self.operator, &BulkRecord::Ended(end.clone()));
        match self.outbox.write(&ended) {
            Ok(()) => self.under_way.runs.tell_end(id),
            Err(reason) => {
                tracing::error!(id, reason, "bulk.end_untold: its page says that it is unended");
            }
        }
    }

    fn write(&self) -> BulkEnd {
        let mut written = 0;
        let end = |how, written, reason: &str| BulkEnd {
            id: self.under_way.id.clone(),
            how,
            written,
            reason: reason.to_owned(),
        };
        for member in &self.members {
            if let Some(reason) = self.stopped(written > 0) {
                return end(BulkEnded::Stopped, written, &reason);
            }
            let first = member.first.as_ref().map_or(Ok(()), |first| self.outbox.write_raw(first));
            if let Err(reason) = first.and_then(|()| self.outbox.write(&member.message)) {
                return end(BulkEnded::Failed, written, &reason);
            }
            written += 1;
        }
        end(BulkEnded::Done, written, "")
    }

    /// Waits for the turn of the next member; why it is not written, if it is not.
    fn stopped(&self, is_paused: bool) -> Option<String> {
        let mut rest = if is_paused { self.pause } else { Duration::ZERO };
        loop {
            if let Some(by) = self.under_way.stopped_by.get() {
                return Some(format!("stopped by {by}"));
            }
            if is_stopping(&self.server) {
                return Some("its server was stopped".to_owned());
            }
            if rest.is_zero() {
                return None;
            }
            let step = rest.min(LOOK);
            thread::sleep(step);
            rest -= step;
        }
    }
}

/// The record that tells of an act on many instances.
pub(super) fn record(operator: &Topic, told: &BulkRecord) -> Outgoing {
    let key = match told {
        BulkRecord::Begun(bulk) => &bulk.id,
        BulkRecord::Ended(end) => &end.id,
    };
    let mut headers = Headers::default();
    headers.push(header::CONTENT_TYPE, "application/json");
    let body = told.body().to_string().into();
    Outgoing { topic: operator.clone(), key: format!("bulk/{key}"), headers, body }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::message::read_json;

    /// Takes so many messages, and stops what is under way behind one of them.
    struct Shelf {
        taken: Mutex<Vec<Outgoing>>,
        room: AtomicUsize,
        stops: Option<(usize, Runs)>,
    }

    impl Outbox for Shelf {
        fn write(&self, message: &Outgoing) -> Result<(), String> {
            if self.room.fetch_sub(1, Ordering::Relaxed) == 0 {
                self.room.store(1, Ordering::Relaxed);
                return Err("no room".to_owned());
            }
            let mut taken = self.taken.lock().expect("no test panics inside");
            taken.push(message.clone());
            if let Some((_, runs)) = self.stops.as_ref().filter(|(at, _)| *at == taken.len()) {
                assert!(runs.stop("b-1", "ben") && runs.stop("b-1", "eve"));
            }
            Ok(())
        }

        fn write_raw(&self, record: &RawRecord) -> Result<(), String> {
            Err(format!("nothing is replayed to {}", record.topic))
        }
    }

    /// How three members end on a shelf, and how many of them stand there.
    fn ended(room: usize, stops_at: Option<usize>, server_stops: bool) -> (BulkEnd, usize) {
        let (runs, operator) = (Runs::default(), Topic::new("shop.operator").expect("a topic"));
        let stops = stops_at.map(|at| (at, runs.clone()));
        let shelf = Shelf { taken: Mutex::default(), room: AtomicUsize::new(room), stops };
        let shelf = Arc::new(shelf);
        let (running, server) = watch::channel(server_stops);
        let member = |number: usize| Outgoing {
            topic: operator.clone(),
            key: BulkRecord::member("b-1", number),
            headers: Headers::default(),
            body: "{}".into(),
        };
        let outbox: Arc<dyn Outbox> = Arc::<Shelf>::clone(&shelf);
        let run = Run {
            under_way: runs.begin("b-1").expect("there is room"),
            outbox,
            operator: operator.clone(),
            members: (0..3).map(|number| member(number).into()).collect(),
            pause: Duration::ZERO,
            server,
        };
        run.run();
        drop(running);
        assert!(!runs.stop("b-1", "eve"), "it is under way no more");
        assert!(runs.has("b-1"), "the view may not have read its end");
        assert!(runs.begin("b-1").is_none(), "nor that it was written");
        assert!(runs.wait(Duration::ZERO), "who stops the server waits for it no more");
        let taken = shelf.taken.lock().expect("no test panics inside").clone();
        let (last, members) = taken.split_last().expect("the end is told");
        let body = read_json(&last.body).expect("JSON");
        let Some(BulkRecord::Ended(end)) = BulkRecord::read(&body) else { panic!("{body}") };
        (end, members.len())
    }

    fn end(how: BulkEnded, written: u32, reason: &str) -> (BulkEnd, usize) {
        let (id, members) = ("b-1".to_owned(), usize::try_from(written).expect("few"));
        (BulkEnd { id, how, written, reason: reason.to_owned() }, members)
    }

    #[test]
    fn each_member_is_written_and_then_the_end() {
        assert_eq!(ended(9, None, false), end(BulkEnded::Done, 3, ""));
    }

    #[test]
    fn it_stops_when_somebody_says_so_and_tells_who() {
        assert_eq!(ended(9, Some(2), false), end(BulkEnded::Stopped, 2, "stopped by ben"));
        assert_eq!(ended(9, None, true), end(BulkEnded::Stopped, 0, "its server was stopped"));
        assert!(!Runs::default().stop("b-1", "ben"), "it is not under way here");
    }

    #[test]
    fn what_kafka_does_not_take_ends_it_with_what_was_written() {
        assert_eq!(ended(2, None, false), end(BulkEnded::Failed, 2, "no room"));
    }

    #[test]
    fn one_is_under_way_once_and_only_so_many_are() {
        let runs = Runs::default();
        let first = runs.begin("b-0").expect("there is room");
        assert!(runs.begin("b-0").is_none(), "it is under way");
        let others: Vec<_> =
            (1..RUNS_MAX).map(|number| runs.begin(&format!("b-{number}")).expect("room")).collect();
        assert!(runs.begin("b-9").is_none(), "there are too many");
        assert!(!runs.wait(Duration::ZERO), "they are under way");
        drop(first);
        assert!(runs.begin("b-9").is_some());
        drop(others);
    }
}

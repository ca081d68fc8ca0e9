use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use utoipa::IntoParams;

use super::problem::{Code, Problem};
use super::request::{Asked, instance, saga_name};
use super::service::Service;
use super::stream::{End, Told, is_stopping, line};
use crate::message::{Key, SagaName};
use crate::view::{self, Entry, Next, Position, Tail, View};

/// Readers at once; each has a thread that waits for what comes.
const READERS_MAX: usize = 16;
const LAST_EVENT_ID: &str = "last-event-id";
/// Events that wait in the server for a slow reader; more wait in the view, which drops it in time.
const EVENTS_MAX: usize = 64;
const LOOK: Duration = Duration::from_millis(250);
/// So many looks in silence are told by a comment, so that nobody on the way thinks it is over.
const SILENT_LOOKS: u32 = 60;
const NOTHING_NEW: &str = ": nothing new\n\n";
/// The most places of the history that are read back for whoever was away.
const MISSED_MAX: u64 = 100_000;
/// So many are told while new ones already wait.
const NEAR: u64 = 300;

/// Room for readers.
#[derive(Clone)]
pub(super) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(READERS_MAX)))
    }
}

/// Which transitions are told.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Watching {
    /// Of which saga; without it, of all.
    saga: Option<String>,
    /// Of which instance of that saga.
    key: Option<String>,
}

/// Tells transitions as they come, from now on, as server-sent events: `transition` with an entry
/// of the history. Whoever names the id of the last event that came (`Last-Event-ID`, as browsers
/// do) is told what came since; `gap` says how much of that is not kept any more. `dropped` with
/// the reason is the last event of one who reads too slowly or was away for too long.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "flow",
    params(
        Watching,
        ("last-event-id" = Option<String>, Header, description = "The last event that came"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn live(
    State(service): State<Service>,
    Asked(watching): Asked<Watching>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = filter(&watching)?;
    let since = since(&headers)?;
    let Ok(room) = Arc::clone(&service.readers.0).try_acquire_owned() else {
        let detail = format!("{READERS_MAX} read along already");
        return Err(Problem::new(Code::TooMany, detail, "let one of them end").after(1));
    };
    let (told, events) = line(EVENTS_MAX);
    let telling = Telling { view: service.view, filter, since, told, room, stop: service.stopped };
    let begun = thread::Builder::new().name("api-live".to_owned()).spawn(move || telling.run());
    begun.map_err(|e| {
        let detail = format!("the system gives no thread: {e}");
        Problem::new(Code::Unavailable, detail, "try again in a minute")
    })?;
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::new(events)).into_response())
}

/// Where whoever was away goes on; none if they are new.
fn since(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(said) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let said = said.to_str().unwrap_or("?").trim();
    if said.is_empty() {
        return Ok(None);
    }
    let position = said.parse();
    position.map(Some).map_err(|e: String| Problem::wrong(format!("`Last-Event-ID`: {e}")))
}

/// Whose transitions are told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    saga: Option<SagaName>,
    key: Option<Key>,
}

fn filter(watching: &Watching) -> Result<Filter, Problem> {
    match (&watching.saga, &watching.key) {
        (None, None) => Ok(Filter { saga: None, key: None }),
        (Some(saga), None) => Ok(Filter { saga: Some(saga_name(saga)?), key: None }),
        (Some(saga), Some(key)) => {
            let id = instance(saga, key)?;
            Ok(Filter { saga: Some(id.saga), key: Some(id.key) })
        }
        (None, Some(_)) => Err(Problem::wrong("`key` stands without `saga`; say both")),
    }
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        self.saga.as_ref().is_none_or(|saga| saga.as_str() == entry.saga)
            && self.key.as_ref().is_none_or(|key| key.as_str() == entry.key)
    }
}

/// One reader, on a thread of its own.
struct Telling {
    view: View,
    filter: Filter,
    /// Where the reader goes on.
    since: Option<Position>,
    told: Told,
    /// Given back at the end.
    room: OwnedSemaphorePermit,
    stop: watch::Receiver<bool>,
}

impl Telling {
    fn run(mut self) {
        let since = self.since.take();
        if let Err(End::Dropped(words)) = self.told_all(since) {
            self.told.drop_reader(words);
        }
        drop(self.room);
    }

    /// Tells what came since, if the reader was away, then what comes.
    fn told_all(&self, since: Option<Position>) -> Result<Infallible, End> {
        self.wait_until_whole()?;
        let tail = match since {
            Some(since) => self.catch_up(since)?,
            None => self.view.tail(),
        };
        self.follow(&tail)
    }

    /// Before the view is whole it tells nobody what it reads.
    fn wait_until_whole(&self) -> Result<(), End> {
        let mut silent = 0;
        while !self.view.freshness().is_whole {
            self.check()?;
            silent += 1;
            if silent % SILENT_LOOKS == 0 {
                self.told.tell(NOTHING_NEW, &self.stop)?;
            }
            let _ = self.view.wait(LOOK);
        }
        Ok(())
    }

    /// Tells what came since; when little is left, what comes meanwhile begins to wait. What a
    /// position of a server whose view was ahead has passed is told once more, not left out.
    fn catch_up(&self, mut since: Position) -> Result<Tail, End> {
        loop {
            let until = self.view.position();
            let missed = since.distance_to(&until);
            if missed > MISSED_MAX {
                let words = format!("{missed} places of the history behind; begin anew");
                return Err(End::Dropped(words));
            }
            if missed <= NEAR {
                let tail = self.view.tail();
                self.tell_missed(&mut since, tail.from().clone())?;
                return Ok(tail);
            }
            self.tell_missed(&mut since, until)?;
        }
    }

    /// Tells what stands between two positions.
    fn tell_missed(&self, since: &mut Position, until: Position) -> Result<(), End> {
        let failed = |error: view::Error| End::Dropped(format!("{error}; go on in a second"));
        if since.distance_to(&until) > 0 {
            let mut missed = self.view.missed(since, until.clone()).map_err(failed)?;
            if missed.lost() > 0 {
                let lost = missed.lost();
                let data = format!("{{\"places\":{lost}}}");
                self.told.tell(&format!("event: gap\ndata: {data}\n\n"), &self.stop)?;
            }
            while let Some(entries) = missed.read_on().map_err(failed)? {
                self.check()?;
                for entry in &entries {
                    self.tell(entry, since)?;
                }
            }
        }
        *since = until;
        Ok(())
    }

    /// Tells transitions as they come.
    fn follow(&self, tail: &Tail) -> Result<Infallible, End> {
        let (mut silent, mut position) = (0, tail.from().clone());
        loop {
            self.check()?;
            silent += 1;
            match tail.next(LOOK) {
                Next::Entry(entry) => {
                    if self.tell(&entry, &mut position)? {
                        silent = 0;
                    }
                }
                Next::Nothing => {}
                Next::Dropped => return Err(End::Dropped("too slow".to_owned())),
            }
            if silent >= SILENT_LOOKS {
                silent = 0;
                self.told.tell(NOTHING_NEW, &self.stop)?;
            }
        }
    }

    /// Tells a transition if the reader wants it; whether it does.
    fn tell(&self, entry: &Entry, position: &mut Position) -> Result<bool, End> {
        position.pass(entry);
        let is_wanted = self.filter.takes(entry);
        if is_wanted {
            self.told.tell(&transition(entry, position), &self.stop)?;
        }
        Ok(is_wanted)
    }

    /// Whether anybody still reads.
    fn check(&self) -> Result<(), End> {
        if self.told.is_closed() || is_stopping(&self.stop) { Err(End::Over) } else { Ok(()) }
    }
}

/// A transition as an event; its id says how far the reader has read.
fn transition(entry: &Entry, position: &Position) -> String {
    let data = serde_json::to_string(entry).expect("its keys are texts");
    format!("id: {position}\nevent: transition\ndata: {data}\n\n")
}

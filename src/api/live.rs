use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use utoipa::IntoParams;

use super::problem::{Code, Problem};
use super::request::{Asked, instance, saga_name};
use super::service::Service;
use crate::message::{Key, SagaName};
use crate::view::{Entry, Next, Tail};

/// Readers at once; each has a thread that waits for what comes.
const READERS_MAX: usize = 16;
/// Events that wait in the server for a slow reader; more wait in the view, which drops it in time.
const EVENTS_MAX: usize = 16;
const LOOK: Duration = Duration::from_millis(250);
/// So many looks in silence are told by a comment, so that nobody on the way thinks it is over.
const SILENT_LOOKS: u32 = 60;

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
/// of the history; `dropped` at the end of one who reads too slowly.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "flow", params(Watching),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn live(
    State(service): State<Service>,
    Asked(watching): Asked<Watching>,
) -> Result<Response, Problem> {
    let filter = filter(&watching)?;
    let Ok(room) = Arc::clone(&service.readers.0).try_acquire_owned() else {
        let detail = format!("{READERS_MAX} read along already");
        return Err(Problem::new(Code::TooMany, detail, "let one of them end").after(1));
    };
    let (tell, events) = mpsc::channel(EVENTS_MAX);
    let telling = Telling { tail: service.view.tail(), filter, tell, room, stop: service.stopped };
    let told = thread::Builder::new().name("api-live".to_owned()).spawn(move || telling.run());
    told.map_err(|e| {
        let detail = format!("the system gives no thread: {e}");
        Problem::new(Code::Unavailable, detail, "try again in a minute")
    })?;
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::new(Events(events))).into_response())
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
    tail: Tail,
    filter: Filter,
    tell: mpsc::Sender<Bytes>,
    /// Given back at the end.
    room: OwnedSemaphorePermit,
    stop: watch::Receiver<bool>,
}

impl Telling {
    fn run(self) {
        let mut silent = 0;
        // A server that has gone asks for the end as one that stops does.
        while self.stop.has_changed().is_ok() && !*self.stop.borrow() {
            silent += 1;
            let event = match self.tail.next(LOOK) {
                Next::Entry(entry) if self.filter.takes(&entry) => transition(&entry),
                Next::Entry(_) | Next::Nothing if silent < SILENT_LOOKS => {
                    if self.tell.is_closed() {
                        break;
                    }
                    continue;
                }
                Next::Entry(_) | Next::Nothing => ": nothing new\n\n".to_owned(),
                Next::Dropped => "event: dropped\ndata: \"too slow\"\n\n".to_owned(),
            };
            let is_last = event.starts_with("event: dropped");
            silent = 0;
            if self.tell.blocking_send(event.into()).is_err() || is_last {
                break;
            }
        }
        drop(self.room);
    }
}

/// A transition as an event; it is known by where it stands.
fn transition(entry: &Entry) -> String {
    let data = serde_json::to_string(entry).expect("its keys are texts");
    let place = &entry.stored;
    format!("id: {}/{}\nevent: transition\ndata: {data}\n\n", place.partition, place.offset)
}

/// The body of an answer that goes on.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

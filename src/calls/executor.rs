use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::answer::HEAD_BYTES_MAX;
use super::attempt::Attempt;
use super::connector::Connector;
use super::failure::Failure;
use super::host::Host;
use super::request::Outgoing;
use super::resolver::{MachineResolver, Resolver};
use super::target::Target;
use super::{Error, Settings, tls};
use crate::engine::{Call, CallOutcome, Called};
use crate::message::{Timestamp, Traced};
use crate::runtime::Caller;
use crate::telemetry::{CallSpan, Tracer};

/// Threads that wait for DNS: more than any one host that does not answer may hold.
const DNS_THREADS_MAX: usize = 64;
/// The most headers of an answer.
const HEADERS_MAX: usize = 100;
/// How long a connection is kept for the next call.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// The threads and connections of all calls of this process.
pub struct Executor {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Executor {
    /// Makes ready to call; nothing is connected before the first call. Each is told to `tracer`.
    ///
    /// # Errors
    /// When the authorities cannot be read or the system gives no threads.
    pub fn open(settings: Settings, tracer: Tracer) -> Result<Self, Error> {
        let shared = Shared::new(settings, Arc::new(MachineResolver))?;
        let shared = Shared { tracer, ..shared };
        let runtime = Builder::new_multi_thread()
            .thread_name("segue-calls")
            .worker_threads(2)
            .max_blocking_threads(DNS_THREADS_MAX)
            .enable_all()
            .build();
        let runtime = runtime.map_err(|e| Error::Threads(e.to_string()))?;
        Ok(Self { shared: Arc::new(shared), runtime: Some(runtime) })
    }

    /// A queue for one pipeline: what it starts comes back to it alone.
    #[must_use]
    pub fn queue(&self) -> CallQueue {
        let runtime = self.runtime.as_ref().expect("it is there until the end");
        CallQueue::new(Arc::clone(&self.shared), runtime.handle().clone())
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Calls under way are broken off; the engine makes them again when their time is up.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What all calls of a process share.
pub(super) struct Shared {
    pub settings: Settings,
    tracer: Tracer,
    pub client: Client<Connector, Full<Bytes>>,
    /// Places for calls that are under way.
    pub places: Semaphore,
    /// Room for calls that wait or are under way.
    room: Arc<Semaphore>,
    /// As many as definitions name: a host is never a template.
    hosts: Mutex<BTreeMap<Target, Arc<Host>>>,
}

impl Shared {
    pub fn new(settings: Settings, resolver: Arc<dyn Resolver>) -> Result<Self, Error> {
        let connector = Connector {
            allow: Arc::new(settings.allow.clone()),
            resolver,
            tls: tls::connector(&settings)?,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(settings.host_at_once_max)
            .http1_max_headers(HEADERS_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Ok(Self {
            client,
            places: Semaphore::new(settings.at_once_max),
            room: Arc::new(Semaphore::new(settings.room())),
            hosts: Mutex::default(),
            tracer: Tracer::off(),
            settings,
        })
    }

    /// Decides at once whether a call may wait for its place.
    fn admit(self: &Arc<Self>, call: &Call, trace_parent: &str) -> Result<Admitted, Failure> {
        let outgoing = Outgoing::of(call, trace_parent)?;
        let target = Target::of(&outgoing.uri)?;
        if !self.settings.allow.permits(&target) {
            return Err(Failure::NotAllowed { target: target.to_string() });
        }
        let host = self.host(&target);
        host.look(Instant::now())?;
        let room = |room: &Arc<Semaphore>| Arc::clone(room).try_acquire_owned().ok();
        let near = room(&host.room).ok_or(Failure::Crowded(" for this host"))?;
        let all = room(&self.room).ok_or(Failure::Crowded(""))?;
        let within = call.within;
        let deadline = Instant::now() + Duration::from_millis(within.0);
        let command = call.id.to_string();
        let shared = Arc::clone(self);
        let left = Arc::default();
        let attempt = Attempt { shared, host, command, outgoing, within, deadline, left };
        Ok(Admitted { attempt, _room: [near, all] })
    }

    fn host(&self, target: &Target) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(Host::new(target.clone(), &self.settings));
        Arc::clone(hosts.entry(target.clone()).or_insert_with(made))
    }
}

/// A call that waits or is under way; the room that it takes is given back at its end.
struct Admitted {
    attempt: Attempt,
    _room: [OwnedSemaphorePermit; 2],
}

impl Admitted {
    async fn run(self) -> CallOutcome {
        self.attempt.run().await
    }
}

/// Where one pipeline hands over its calls and takes what came of them.
pub struct CallQueue {
    shared: Arc<Shared>,
    handle: Handle,
    told: mpsc::UnboundedSender<Called>,
    heard: mpsc::UnboundedReceiver<Called>,
    under_way: usize,
}

impl CallQueue {
    pub(super) fn new(shared: Arc<Shared>, handle: Handle) -> Self {
        // Bounded by the calls that are started and not yet finished.
        let (told, heard) = mpsc::unbounded_channel();
        Self { shared, handle, told, heard, under_way: 0 }
    }

    /// What comes of a call next, as soon as something does.
    #[cfg(test)]
    pub(super) async fn next(&mut self) -> Called {
        let called = self.heard.recv().await.expect("its own end of the channel lives");
        self.under_way -= 1;
        called
    }
}

impl Caller for CallQueue {
    fn start(&mut self, call: Call, traced: Traced) {
        self.under_way += 1;
        let report = Report::of(&self.shared, self.told.clone(), &call, traced);
        let trace_parent = traced.context.traceparent(&call.id);
        let admitted = match self.shared.admit(&call, &trace_parent) {
            Ok(admitted) => admitted,
            Err(failure) => {
                tracing::warn!(command = report.command, reason = %failure, "call.refused");
                let reason = failure.to_string();
                report.tell(CallOutcome::Failed { reason, unsent: failure.is_refusal() });
                return;
            }
        };
        self.handle.spawn(async move {
            // A task of its own, so that its panic is an answer like any other.
            let ended = tokio::spawn(admitted.run()).await;
            report.tell(ended.unwrap_or_else(|_| CallOutcome::Failed {
                reason: Failure::Panicked.to_string(),
                unsent: false,
            }));
        });
    }

    fn finished(&mut self) -> Vec<Called> {
        let all: Vec<Called> = std::iter::from_fn(|| self.heard.try_recv().ok()).collect();
        self.under_way -= all.len();
        all
    }

    fn under_way(&self) -> usize {
        self.under_way
    }
}

/// Where the end of a call is told: to its pipeline, and to its trace if anybody wants to see it.
struct Report {
    command: String,
    told: mpsc::UnboundedSender<Called>,
    tracer: Tracer,
    span: Option<CallSpan>,
}

impl Report {
    fn of(
        shared: &Shared,
        told: mpsc::UnboundedSender<Called>,
        call: &Call,
        traced: Traced,
    ) -> Self {
        let span = shared.tracer.is_on().then(|| CallSpan {
            traced,
            id: call.id.clone(),
            method: call.method.text(),
            host: host_of(&call.url),
            started: now(),
            ended: now(),
            status: None,
            error: None,
        });
        Self { command: call.id.to_string(), told, tracer: shared.tracer.clone(), span }
    }

    fn tell(self, outcome: CallOutcome) {
        if let Some(span) = self.span {
            let (status, error) = match &outcome {
                CallOutcome::Answered { status, .. } => (Some(*status), None),
                CallOutcome::Failed { reason, .. } => (None, Some(reason.clone())),
            };
            self.tracer.record_call(CallSpan { ended: now(), status, error, ..span });
        }
        // A pipeline that is gone hears nothing: a new one makes the call again in time.
        let _ = self.told.send(Called { command: self.command, outcome });
    }
}

/// The host of a URL, without whatever stands behind it.
fn host_of(url: &str) -> String {
    let uri = url.parse::<hyper::Uri>().ok();
    uri.and_then(|uri| Some(uri.authority()?.as_str().to_owned())).unwrap_or_default()
}

#[allow(clippy::disallowed_methods)] // The edge is where time comes from.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

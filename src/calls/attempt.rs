use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::Response;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::answer;
use super::executor::Shared;
use super::failure::{Failure, Health, span};
use super::host::Host;
use super::redirect;
use super::request::Outgoing;
use crate::engine::CallOutcome;
use crate::message::Span;

/// The most redirects that one call follows.
const REDIRECTS_MAX: usize = 3;

/// One call from the moment it is let in to its answer; its time runs from the beginning.
pub(super) struct Attempt {
    pub shared: Arc<Shared>,
    pub host: Arc<Host>,
    pub command: String,
    pub outgoing: Outgoing,
    pub within: Span,
    pub deadline: Instant,
    /// Whether something may have left: from then on it may have happened.
    pub left: Arc<AtomicBool>,
}

impl Attempt {
    /// Waits for its place, makes the request and reads the answer.
    pub async fn run(self) -> CallOutcome {
        let left = self.left.clone();
        let ended = self.visit().await;
        ended.unwrap_or_else(|failure| CallOutcome::Failed {
            reason: failure.to_string(),
            unsent: !left.load(Ordering::Relaxed),
        })
    }

    async fn visit(self) -> Result<CallOutcome, Failure> {
        let _places = self.places().await?;
        let mut visit = self.host.enter(Instant::now())?;
        let began = Instant::now();
        let method = self.outgoing.method.clone();
        let (command, host) = (&self.command, self.host.target.to_string());
        tracing::debug!(command, host, %method, "call.sent");
        let ended = self.exchange().await;
        visit.health = health(&ended);
        let took_ms = span(began.elapsed()).0;
        match &ended {
            Ok(CallOutcome::Answered { status, .. }) => {
                tracing::debug!(command, host, status, took_ms, "call.answered");
            }
            Ok(CallOutcome::Failed { .. }) => {}
            Err(reason) if reason.is_refusal() => {
                tracing::warn!(command, host, %reason, "call.refused");
            }
            Err(reason) => tracing::info!(command, host, took_ms, %reason, "call.failed"),
        }
        ended
    }

    /// A place of the host first: those who wait for a slow host take none of the others'.
    async fn places(&self) -> Result<[SemaphorePermit<'_>; 2], Failure> {
        let late = |_| Failure::Waited { within: self.within };
        let open = "nobody closes it";
        let near = timeout_at(self.deadline, self.host.places.acquire()).await.map_err(late)?;
        let any = timeout_at(self.deadline, self.shared.places.acquire()).await.map_err(late)?;
        // Its turn may have come in the same moment as its end.
        if Instant::now() >= self.deadline {
            return Err(Failure::Waited { within: self.within });
        }
        Ok([near.expect(open), any.expect(open)])
    }

    /// Asks, and asks again where the answer leads, until there is one.
    async fn exchange(&self) -> Result<CallOutcome, Failure> {
        let mut asked = self.outgoing.clone();
        for _ in 0..=REDIRECTS_MAX {
            let response = self.ask(&asked).await?;
            let Some(next) = redirect::next(&asked, response.status(), response.headers())? else {
                let read = answer::read(response, self.shared.settings.body_bytes_max);
                return self.in_time("its body was still coming", read).await;
            };
            asked = next;
        }
        Err(Failure::Redirects(REDIRECTS_MAX))
    }

    async fn ask(&self, outgoing: &Outgoing) -> Result<Response<Incoming>, Failure> {
        let mut request = outgoing.request();
        let connected = capture_connection(&mut request);
        let asking = self.shared.client.request(request);
        let answered = async { asking.await.map_err(|e| Failure::of_client(&e)) };
        let ended = self.in_time("nothing had come yet", answered).await;
        // The client tells of a connection right before it hands the request to it.
        if ended.is_ok() || connected.connection_metadata().is_some() {
            self.left.store(true, Ordering::Relaxed);
        }
        ended
    }

    async fn in_time<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = Failure::Late { within: self.within, doing };
        timeout_at(self.deadline, work).await.unwrap_or(Err(late))
    }
}

/// What the end of a call says about its host: any answer is good but one that complains of itself.
fn health(ended: &Result<CallOutcome, Failure>) -> Health {
    match ended {
        Ok(CallOutcome::Answered { status: 500..=599, .. }) => Health::Ill,
        Ok(_) => Health::Well,
        Err(failure) => failure.health(),
    }
}

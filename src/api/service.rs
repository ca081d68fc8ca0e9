use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::live::Readers;
use super::outbox::Outbox;
use super::problem::{Code, Problem};
use super::runs::Runs;
use super::server;
use crate::broker::{self, Connection};
use crate::message::{InstanceId, Outgoing, RawRecord, Span, Topic};
use crate::node;
use crate::view::{self, Fresh, Freshness, View};

/// How long the view is left to read on before it is asked again.
const LOOK: Duration = Duration::from_millis(200);

/// What the handlers answer from.
#[derive(Clone)]
pub(crate) struct Service {
    /// The application's name, with which its topics begin.
    pub app: String,
    /// What is looked up.
    pub view: View,
    /// Where what people do is written.
    pub outbox: Arc<dyn Outbox>,
    /// Room for those who read transitions as they come.
    pub(super) readers: Readers,
    /// Whether the server is to stop: nobody waits then.
    pub stopped: watch::Receiver<bool>,
    /// How to reach the cluster.
    pub connection: Connection,
    /// Whether the shards of the engine in this process are restored; none if there is no engine.
    pub health: Option<node::Health>,
    /// Acts on many instances that this server writes.
    pub(super) runs: Runs,
}

/// What was found, and how fresh it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer<T: ToSchema> {
    /// What was found.
    pub found: T,
    /// How far behind the topics it is.
    pub freshness: Freshness,
}

impl<T: ToSchema> From<Fresh<T>> for Answer<T> {
    fn from(fresh: Fresh<T>) -> Self {
        Self { found: fresh.found, freshness: fresh.freshness }
    }
}

impl Service {
    /// Asks the view, which may wait for a disk or for Kafka, on a thread for that.
    pub async fn look<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&View) -> Result<T, view::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let view = self.view.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&view)).await;
        found(joined(asked)?)
    }

    /// Does what may wait for Kafka, on a thread for that.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, broker::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let connection = self.connection.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&connection)).await;
        joined(asked)?.map_err(|error| {
            Problem::new(Code::Unavailable, error.to_string(), "ask again when Kafka answers")
        })
    }

    /// Writes a message to Kafka.
    pub async fn write(&self, message: Outgoing) -> Result<(), Problem> {
        let outbox = Arc::clone(&self.outbox);
        let topic = message.topic.clone();
        let written = tokio::task::spawn_blocking(move || outbox.write(&message)).await;
        joined(written)?.map_err(|reason| unacknowledged(&topic, &reason))
    }

    /// Writes a record to Kafka byte for byte.
    pub async fn write_raw(&self, record: RawRecord) -> Result<(), Problem> {
        let outbox = Arc::clone(&self.outbox);
        let topic = record.topic.clone();
        let written = tokio::task::spawn_blocking(move || outbox.write_raw(&record)).await;
        joined(written)?.map_err(|reason| unacknowledged(&topic, &reason))
    }

    /// Asks again and again until there is an answer, at most for `wait`.
    pub async fn until<T, F: Future<Output = Result<Option<T>, Problem>>>(
        &self,
        wait: Span,
        mut ask: impl FnMut() -> F,
    ) -> Result<Option<T>, Problem> {
        let asking = async {
            loop {
                if let Some(answer) = ask().await? {
                    return Ok(Some(answer));
                }
                self.look(|view| Ok(view.wait(LOOK))).await?;
            }
        };
        tokio::select! {
            answer = asking => answer,
            () = tokio::time::sleep(Duration::from_millis(wait.0)) => Ok(None),
            () = server::wait_for(self.stopped.clone()) => Ok(None),
        }
    }

    /// Why there is no such instance, with what is near.
    pub async fn unknown(&self, id: &InstanceId) -> Problem {
        let asked = id.clone();
        let near = match self.look(move |view| view.near(&asked)).await {
            Ok(near) => near,
            Err(problem) => return problem,
        };
        let mend = if near.is_empty() {
            "look for it with a filter on `key`; what has ended is listed as long as it is kept"
        } else {
            "it may be one of those under `near`"
        };
        let near = near.iter().map(ToString::to_string).collect();
        Problem::new(Code::NotFound, format!("there is no {id}"), mend).near(near)
    }
}

fn unacknowledged(topic: &Topic, reason: &str) -> Problem {
    let detail = format!("{topic} has not acknowledged it: {reason}");
    let mend = "send it again with the same `Idempotency-Key`: it counts once";
    Problem::new(Code::Unavailable, detail, mend)
}

fn joined<T>(ended: Result<T, tokio::task::JoinError>) -> Result<T, Problem> {
    ended.map_err(|error| {
        tracing::error!(%error, "api.panicked");
        Problem::defect("the thread that looked it up failed")
    })
}

/// What the view has found, or why it has not.
pub(super) fn found<T>(looked: Result<T, view::Error>) -> Result<T, Problem> {
    looked.map_err(|error| told(&error))
}

fn told(error: &view::Error) -> Problem {
    let detail = error.to_string();
    match error {
        view::Error::Cursor(_) | view::Error::Test(_) | view::Error::Sort(_) => {
            Problem::wrong(detail)
        }
        view::Error::Gone { .. } => {
            Problem::new(Code::Unavailable, detail, "ask again in a second: the view is behind")
        }
        view::Error::Broker(_) => {
            Problem::new(Code::Unavailable, detail, "ask again when Kafka answers")
        }
        view::Error::Index(_)
        | view::Error::Damaged(_)
        | view::Error::Taken(_)
        | view::Error::Folder(_) => {
            let mend = "look at the disk under `data`; the index may be deleted, it is built anew";
            Problem::new(Code::Unavailable, detail, mend)
        }
        view::Error::Foreign { .. } => {
            Problem::new(Code::Unavailable, detail, "ask a segue that is as new as the writer's")
        }
    }
}

//! Which instances and which dead letters a verb is about: the same options wherever it is asked.

use clap::Args;

use crate::api::Endpoint;

/// Which instances.
#[derive(Debug, Args)]
pub(super) struct Instances {
    /// What they are at, with commas between: stuck, retrying, waiting, …
    #[arg(long)]
    state: Option<String>,
    /// Their saga
    #[arg(long)]
    saga: Option<String>,
    /// The version of it
    #[arg(long)]
    version: Option<u32>,
    /// The step that is stuck, else under way, else failed
    #[arg(long)]
    step: Option<String>,
    /// The group of their error, as `segue attention -o json` says it
    #[arg(long)]
    error: Option<String>,
    /// What their key begins with
    #[arg(long)]
    key: Option<String>,
    /// They have started at that moment (RFC 3339) or later
    #[arg(long)]
    started_from: Option<String>,
    /// They have started before that moment (RFC 3339)
    #[arg(long)]
    started_before: Option<String>,
    /// What a field is that the saga names under `search`, such as data.total>=100; all of several
    #[arg(long = "where", value_name = "TEST")]
    pub tests: Vec<String>,
}

impl Instances {
    /// Asks an endpoint for those.
    pub fn of(&self, endpoint: Endpoint) -> Endpoint {
        let endpoint = endpoint
            .with("state", self.state.as_ref())
            .with("saga", self.saga.as_ref())
            .with("version", self.version)
            .with("step", self.step.as_ref())
            .with("error", self.error.as_ref())
            .with("key", self.key.as_ref())
            .with("started_from", self.started_from.as_ref())
            .with("started_before", self.started_before.as_ref());
        self.tests.iter().fold(endpoint, |endpoint, test| endpoint.with("where", Some(test)))
    }
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(super) struct Letters {
    /// The topic that they were read from
    #[arg(long)]
    topic: Option<String>,
    /// The type of their event
    #[arg(long = "type")]
    event_type: Option<String>,
    /// Words that stand in their reason
    #[arg(long)]
    reason: Option<String>,
    /// They were put aside before that moment (RFC 3339)
    #[arg(long)]
    before: Option<String>,
}

impl Letters {
    /// Asks an endpoint for those.
    pub fn of(&self, endpoint: Endpoint) -> Endpoint {
        endpoint
            .with("topic", self.topic.as_ref())
            .with("type", self.event_type.as_ref())
            .with("reason", self.reason.as_ref())
            .with("before", self.before.as_ref())
    }
}

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{FAILED, complain, stop};
use crate::api::{self, Serving};
use crate::broker;
use crate::config::{Config, Origin, Setting};
use crate::console;
use crate::engine::NoteKind;
use crate::node::{self, Callers, Health, MachineClock, Node, Observer, files};
use crate::runtime::{Clock as _, Observed};
use crate::telemetry::{self, SentMessage, Tracer, TransitionSpan};

/// Runs the engine until it is told to stop.
pub(super) fn run(config: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, std::env::vars())?;
    let stop = stop::flag()?;
    let telemetry = telemetry::init(config.log, &config.telemetry)?;
    let definitions = files::load(&files::find(&config.sagas)?)?;
    for node::Unallowed { definition, step, call, add } in
        node::unallowed(&definitions, &config.calls.allow)
    {
        tracing::warn!(definition, step, call, add, "call.host_not_allowed");
    }
    let health = Health::default();
    let serving = serve(&config, &health)?;
    let tracer = telemetry.tracer();
    let observer: Observer = Arc::new(move |seen: &Observed| record(&tracer, seen));
    let callers = Callers::http(&config, telemetry.tracer())?;
    let flag = Arc::clone(&stop);
    let started = Node::start_with(&config, definitions, &observer, &callers, flag, health);
    let node = match started {
        Ok(node) => node,
        // It was asked to stop while it waited for the cluster: nothing went wrong.
        Err(node::Error::Broker(broker::Error::Stopped)) => return Ok(ExitCode::SUCCESS),
        Err(error) => return Err(error.into()),
    };
    complain(&format!(
        "segue {} runs as node {} of {}; SIGTERM stops it",
        env!("CARGO_PKG_VERSION"),
        config.node,
        config.app
    ));
    if let Some(serving) = &serving {
        complain(&format!("its API is at {}", serving.url()));
    }
    match node.wait() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(reason) => {
            complain(&format!("error: {reason}"));
            Ok(ExitCode::from(FAILED))
        }
    }
}

/// Serves the API. That the default address is taken, as by another node of this machine, is no
/// reason not to run; that one which somebody chose cannot be had is. Nor is a disk that has no
/// room for the view: sagas need it not.
fn serve(config: &Config, health: &Health) -> Result<Option<Serving>, api::Error> {
    let is_default = |setting: &Setting| setting.origin == Origin::Default;
    let listen = config.origins().iter().find(|setting| setting.key.path == "api.listen");
    match Serving::beside(config, console::PAGES, Some(health.clone())) {
        Err(error @ api::Error::Listen { .. }) if listen.is_some_and(is_default) => {
            tracing::warn!(%error, "api.not_served");
            Ok(None)
        }
        Err(error @ (api::Error::View(_) | api::Error::System(_))) => {
            tracing::error!(%error, "api.not_served");
            Ok(None)
        }
        started => started,
    }
}

/// Hands a committed transition to the tracer.
fn record(tracer: &Tracer, seen: &Observed) {
    if !tracer.is_on() {
        return;
    }
    let sent = seen.sent.iter().cloned().map(|(id, to)| SentMessage { id, to });
    let stuck = seen.notes.iter().find(|note| note.kind() == NoteKind::Stuck);
    tracer.record(TransitionSpan {
        instance: seen.id.clone(),
        life: seen.life,
        trace_parent: Some(seen.trace_parent.clone()),
        transition: seen.transition,
        notes: seen.notes.clone(),
        sent: sent.collect(),
        started: seen.at,
        ended: MachineClock::default().now(),
        status: seen.standing,
        error: stuck.map(|note| note.what.to_string()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_that_cannot_be_had_keeps_no_engine_from_running() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("it is written");
        let below = file.join("view").display().to_string();
        let said = [
            ("SEGUE_APP", "shop"),
            ("SEGUE_NODE", "n1"),
            ("SEGUE_KAFKA__BROKERS", "127.0.0.1:1"),
            ("SEGUE_API__LISTEN", "127.0.0.1:0"),
            ("SEGUE_VIEW__PATH", below.as_str()),
        ];
        let said = said.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(None, said).expect("a configuration");
        assert!(serve(&config, &Health::default()).expect("the engine runs").is_none());
    }
}

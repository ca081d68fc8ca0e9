use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{FAILED, complain, stop};
use crate::config::Config;
use crate::node::{Node, files};
use crate::telemetry;

/// Runs the engine until it is told to stop.
pub(super) fn run(config: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, std::env::vars())?;
    let stop = stop::flag()?;
    let telemetry = telemetry::init(config.log, &config.telemetry)?;
    let definitions = files::load(&files::find(&config.sagas)?)?;
    let tracer = telemetry.tracer();
    let observer = Arc::new(move |seen: &crate::runtime::Observed| tracer.record(seen));
    let node = Node::start(&config, definitions, observer, Arc::clone(&stop))?;
    complain(&format!(
        "segue {} runs as node {} of {}; SIGTERM stops it",
        env!("CARGO_PKG_VERSION"),
        config.node,
        config.app
    ));
    match node.wait() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(reason) => {
            complain(&format!("error: {reason}"));
            Ok(ExitCode::from(FAILED))
        }
    }
}

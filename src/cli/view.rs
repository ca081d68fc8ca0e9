use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::{complain, stop};
use crate::api::Serving;
use crate::config::Config;
use crate::console;
use crate::telemetry;

/// How soon a signal is seen.
const LOOK: Duration = Duration::from_millis(50);

/// Serves the API without an engine until it is told to stop.
pub(super) fn run(config: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, std::env::vars())?;
    let stop = stop::flag()?;
    let _telemetry = telemetry::init(config.log, &config.telemetry)?;
    let serving = Serving::start(&config, console::PAGES)?;
    let serving = serving.context("`api.listen` is empty, so there is nothing to serve; set it")?;
    complain(&format!(
        "segue {} serves the API of {} at {}; SIGTERM stops it",
        env!("CARGO_PKG_VERSION"),
        config.app,
        serving.url()
    ));
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(LOOK);
    }
    drop(serving);
    Ok(ExitCode::SUCCESS)
}

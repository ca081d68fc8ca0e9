//! Lets people try sagas with nothing installed: broker, engine, simulated services and orders.
//!
//! ```text
//!   orders ──▶ development broker ◀──▶ engine ──▶ narrator (lines for a shop owner)
//!                      ▲
//!                      ├──▶ simulated services (participants.yaml)      books, at the end
//!                      └──▶ view ──▶ API: `segue list`, `segue show`, `segue retry`, …
//! ```

mod narrator;
mod progress;
mod reckoning;
mod sample;
mod stage;

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::books::Report;
use crate::runtime::Observed;

use narrator::Narrator;
use progress::Progress;
use stage::Stage;

/// How long nothing may happen, once all sagas have ended, before the books are closed.
const QUIET: Duration = Duration::from_millis(1_500);
/// How long nothing at all may happen before it is a failure: longer than any retry's pause.
const SILENT: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(100);

/// What to try.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Definitions, or folders that hold some; empty means those that ship.
    pub sagas: Vec<PathBuf>,
    /// How many sagas are started; none means until stopped.
    pub orders: Option<u64>,
    /// How many are started a second.
    pub rate: f64,
    /// The same seed makes the same orders and the same answers.
    pub seed: u64,
    /// The port of the API on loopback, 0 for any; none means the usual one, or any if it is taken.
    pub listen: Option<u16>,
}

/// Why it could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The definitions cannot be used.
    #[error(transparent)]
    Files(#[from] crate::node::files::Error),
    /// The simulated services cannot be used.
    #[error(transparent)]
    Participants(#[from] crate::participants::Error),
    /// Nothing says how sagas are started.
    #[error("no `starts:` in any participants.yaml; say there what an order looks like")]
    NoStarts,
    /// The development broker does not start.
    #[error(transparent)]
    DevBroker(#[from] crate::devbroker::Error),
    /// A client failed.
    #[error(transparent)]
    Broker(#[from] crate::broker::Error),
    /// The engine does not start.
    #[error(transparent)]
    Node(#[from] crate::node::Error),
    /// The API cannot be served.
    #[error(transparent)]
    Api(#[from] crate::api::Error),
    /// The configuration cannot be made.
    #[error("{0}")]
    Config(String),
    /// The disk or the terminal fails.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// Something ended that should have gone on.
    #[error("{0}")]
    Ended(String),
}

/// Runs until all orders have ended or `stop` is set; tells `out` what happens.
///
/// # Errors
/// When something does not start, or ends too early.
pub fn run(
    options: &Options,
    out: &mut dyn Write,
    stop: &std::sync::Arc<AtomicBool>,
) -> Result<Report, Error> {
    let mut stage = Stage::set(options, stop)?;
    writeln!(out, "{}", stage.greeting())?;
    let told = watch(options, &mut stage, out, stop);
    // Whatever happened, everything that was started is stopped.
    let closed = stage.close();
    told?;
    closed?;
    let report = stage.reckon()?;
    writeln!(out)?;
    writeln!(out, "{report}")?;
    Ok(report)
}

/// Tells what happens until it is over.
fn watch(
    options: &Options,
    stage: &mut Stage,
    out: &mut dyn Write,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let narrator = Narrator::new(stage.titles());
    let mut progress = Progress::of(stage.children());
    let mut silence = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        match next(stage.observed()) {
            Some(seen) => {
                silence = Duration::ZERO;
                progress.note(&seen);
                for line in narrator.lines(&seen) {
                    writeln!(out, "{line}")?;
                }
            }
            None => silence += LOOK,
        }
        if let Some(reason) = stage.ended_early() {
            return Err(Error::Ended(reason));
        }
        let settled = options.orders.is_some_and(|orders| progress.is_settled(orders));
        if settled && silence >= QUIET {
            return Ok(());
        }
        if options.orders.is_some() && silence >= SILENT {
            let words = progress.words();
            return Err(Error::Ended(format!("nothing has happened for {SILENT:?}: {words}")));
        }
    }
    Ok(())
}

fn next(observed: &Receiver<Observed>) -> Option<Observed> {
    observed.recv_timeout(LOOK).ok()
}

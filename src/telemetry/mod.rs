//! Exports traces and logs: never a payload, and never at the cost of its caller.
//!
//! ```text
//!  shard loop ──record──▶ bounded queue ──batches──▶ OTLP receiver (HTTP, protobuf)
//!                 └─ full: dropped and counted
//! ```
//!
//! The trace of an instance is [`crate::message::TraceContext`]'s: its first transition is the
//! root, the others hang below it, and what a transition sends or calls hangs below that.

mod call;
mod log;
mod settings;
mod span;
#[cfg(test)]
mod tests;
mod tracer;

pub use call::CallSpan;
pub use settings::{Export, Level, Log, LogFormat};
pub use span::{SentMessage, TransitionSpan};
pub use tracer::Tracer;

/// Why logs or traces cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The variable `SEGUE_LOG` does not parse: write such as `info,segue::broker=debug`.
    #[error("SEGUE_LOG: {0}; write such as info,segue::broker=debug")]
    Filter(String),
    /// The process has a log already.
    #[error("the log of this process is set up already")]
    Twice,
    /// This build speaks no TLS to the receiver: name one on the same machine or network.
    #[error("telemetry.endpoint {0}: traces go over plain http; put a collector beside segue")]
    Encrypted(String),
    /// The exporter cannot be made: mend the endpoint or the `OTEL_…` variable that it names.
    #[error("traces cannot be exported: {0}")]
    Export(String),
}

/// Keeps telemetry going; at its end, what waits is exported.
#[derive(Debug)]
pub struct Guard {
    tracer: Tracer,
}

/// Sets up the log of this process and the export of its traces.
///
/// # Errors
/// When a setting cannot be obeyed or the process has a log already.
pub fn init(log: Log, export: &Export) -> Result<Guard, Error> {
    log::init(log, std::env::var("SEGUE_LOG").ok().as_deref())?;
    let tracer = Tracer::start(export)?;
    Ok(Guard { tracer })
}

impl Guard {
    /// Where to record transitions.
    #[must_use]
    pub fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tracer.stop();
        let dropped = self.tracer.dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "telemetry.spans.dropped");
        }
    }
}

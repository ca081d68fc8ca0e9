use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use super::{Error, Log, LogFormat};

/// Writes the log to stderr; `filter` says it in more detail than the level.
pub(super) fn init(log: Log, filter: Option<&str>) -> Result<(), Error> {
    let base = fmt().with_writer(std::io::stderr).with_env_filter(read(log, filter)?);
    // What cannot be written is not said where it cannot be written: that would panic.
    let base = base.log_internal_errors(false);
    let done = match log.format {
        LogFormat::Json => base.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => {
            base.with_ansi(false).with_target(!std::io::stderr().is_terminal()).try_init()
        }
    };
    done.map_err(|_| Error::Twice)
}

pub(super) fn read(log: Log, filter: Option<&str>) -> Result<EnvFilter, Error> {
    match filter.map(str::trim) {
        None | Some("") => Ok(EnvFilter::new(log.level.text())),
        Some(text) => EnvFilter::builder().parse(text).map_err(|e| Error::Filter(e.to_string())),
    }
}

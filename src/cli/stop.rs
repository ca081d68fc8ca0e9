use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;

/// A flag that SIGTERM and SIGINT set; a second SIGINT ends the process at once.
///
/// # Errors
/// When the system refuses the handlers.
pub(super) fn flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("the system does not let us wait for signals")?;
    }
    Ok(stop)
}

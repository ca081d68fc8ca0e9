use std::path::PathBuf;
use std::time::Duration;

use super::allow::Allow;

/// Who may be called, and the bounds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The hosts that may be called.
    pub allow: Allow,
    /// The authorities to trust instead of the machine's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The most calls at once.
    pub at_once_max: usize,
    /// The most calls at once to one host.
    pub host_at_once_max: usize,
    /// The most calls that wait for a place.
    pub waiting_max: usize,
    /// The most calls that wait for a place at one host.
    pub host_waiting_max: usize,
    /// The largest body of an answer, in bytes.
    pub body_bytes_max: usize,
    /// So many failures of a host in a row open its circuit.
    pub failures_max: u32,
    /// How long an open circuit refuses calls before it tries one.
    pub pause: Duration,
}

impl Settings {
    /// Room for all calls that wait or are under way.
    pub(super) fn room(&self) -> usize {
        self.at_once_max.saturating_add(self.waiting_max)
    }

    /// Room for such calls to one host.
    pub(super) fn host_room(&self) -> usize {
        self.host_at_once_max.saturating_add(self.host_waiting_max)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow: Allow::default(),
            ca_file: None,
            at_once_max: 64,
            host_at_once_max: 8,
            waiting_max: 1000,
            host_waiting_max: 200,
            body_bytes_max: 256 * 1024,
            failures_max: 5,
            pause: Duration::from_secs(10),
        }
    }
}

//! Reads the configuration: YAML file, then environment; every value keeps its origin.
//!
//! ```text
//!  default ──▶ segue.yaml ──▶ SEGUE_KAFKA__BROKERS ──▶ Config
//!              (kafka: { brokers: … })                  each setting with where it came from
//! ```
//!
//! The file is YAML, as definitions are, and nothing else. A key's variable is `SEGUE_` and the
//! key in capitals, `__` for each `.` and `_` for each `-`; a list is comma-separated there, a map
//! is `key=value,key=value`. A secret may stand in a file that `…-file` names.

mod api;
mod error;
mod file;
mod keys;
mod model;
mod options;
mod read;
mod settings;
#[cfg(test)]
mod tests;
mod values;
mod words;

use std::path::Path;

pub use error::Error;
pub use keys::{KEYS, Key, Kind};
pub use model::{
    Batch, Checkpoint, Config, Identity, Kafka, Listening, Memory, Oidc, Security, Sources, Topics,
    Unmatched,
};
pub use options::{allowed, is_allowed};
pub use settings::{Origin, Setting};
pub use values::{App, Node, Replication, Secret, Size};
pub use words::{Delivery, Mechanism, OnUnmatched, Protocol, TopicMode};

pub use crate::telemetry::{Export, Level, Log, LogFormat};

impl Config {
    /// Reads the file, if one is given, then the environment over it.
    ///
    /// # Errors
    /// When a key is unknown or a value cannot be obeyed; all of them are named at once.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut settings = settings::Settings::default();
        if let Some(path) = file {
            file::read(path, &mut settings)?;
        }
        settings.add_environment(environment);
        read::config(settings)
    }

    /// Every setting with its value, secrets masked, and where it came from, in the order of
    /// [`KEYS`].
    #[must_use]
    pub fn origins(&self) -> &[Setting] {
        &self.settings
    }
}

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::broker::Connection;
use crate::config::{App, Config};
use crate::definition::Limits;
use crate::message::Span;
use crate::runtime::SourceRecord;

/// What the view is told once by the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How to reach the cluster.
    pub connection: Connection,
    /// The application whose topics are read.
    pub app: App,
    /// The folder of the index.
    pub folder: PathBuf,
    /// An index that was not written for so long is made anew, for it may have missed a removal:
    /// half as long as the changelog keeps removals.
    pub age_max: Span,
    /// How long what is forgotten stays listed; none takes it out at once.
    pub keep: Option<Span>,
    /// The limits of the engine, by which it is foreseen what an act would do.
    pub limits: Limits,
    /// Which records of `<app>.operator` the gateways take.
    pub signatures: Signatures,
}

/// Says of a record of `<app>.operator` whether the gateways take it for signed; without
/// `operator.key-file` they take every one. It reads keys, so the view is given it.
#[derive(Clone, Default)]
#[allow(clippy::type_complexity, reason = "it is named by this very struct")]
pub struct Signatures(Option<Arc<dyn Fn(&SourceRecord) -> Result<(), String> + Send + Sync>>);

impl Signatures {
    /// Those that `verify` finds nothing wrong with; what is wrong it says in words.
    pub fn verified(
        verify: impl Fn(&SourceRecord) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(verify)))
    }

    /// Whether a record is taken.
    ///
    /// # Errors
    /// When the gateways refuse it, in words.
    pub fn check(&self, record: &SourceRecord) -> Result<(), String> {
        self.0.as_ref().map_or(Ok(()), |verify| verify(record))
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signatures").field(&self.0.is_some()).finish()
    }
}

impl Settings {
    /// What a configuration says.
    #[must_use]
    pub fn of(config: &Config, connection: Connection) -> Self {
        Self {
            connection,
            app: config.app.clone(),
            folder: config.view_path.clone(),
            age_max: Span(config.topics.changelog_delete_retention.0 / 2),
            keep: config.view_keep,
            limits: config.limits.clone(),
            signatures: Signatures::default(),
        }
    }
}

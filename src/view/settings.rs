use std::path::PathBuf;

use crate::broker::Connection;
use crate::config::{App, Config};
use crate::definition::Limits;
use crate::message::Span;

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
        }
    }
}

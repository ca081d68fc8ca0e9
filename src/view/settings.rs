use std::path::PathBuf;

use crate::broker::Connection;
use crate::config::App;
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
    /// How long what is forgotten stays listed; none takes it out at once.
    pub keep: Option<Span>,
}

use crate::calls;

/// Why a node could not start; everything is said before anything runs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster refuses, is not there, or its topics do not fit.
    #[error(transparent)]
    Broker(#[from] crate::broker::Error),
    /// The local store cannot be had.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// Calls cannot be made.
    #[error(transparent)]
    Calls(#[from] calls::Error),
    /// Two texts under one version.
    #[error(transparent)]
    Catalog(#[from] crate::definition::CatalogError),
    /// A stored definition does not parse here.
    #[error("{0}")]
    Stored(String),
    /// The keys that acts are signed with cannot be used: mend the line that is named.
    #[error("`operator.key-file`: {0}")]
    ActKeys(String),
    /// A name cannot stand in a topic.
    #[error(transparent)]
    Name(#[from] crate::message::Error),
    /// The system gives no thread.
    #[error("the system gives no thread: {0}")]
    Thread(#[from] std::io::Error),
}

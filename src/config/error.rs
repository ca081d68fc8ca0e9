/// Why there is no configuration; mend what it names and start again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file cannot be read: check its name and rights.
    #[error("{file}: {reason}; give another file with --config")]
    File {
        /// Which file.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// The file is not YAML, or not only one mapping of it.
    #[error("{0}")]
    Yaml(String),
    /// Settings that cannot be obeyed, each with its origin.
    #[error("{}", .0.join("\n"))]
    Settings(Vec<String>),
}

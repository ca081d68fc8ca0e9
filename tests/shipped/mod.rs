//! The sagas that ship, for tests that want all of them.

use std::fs;
use std::path::{Path, PathBuf};

/// Each saga's folder under `sagas/`, a child's in its parent's.
pub const SAGAS: [&str; 7] = [
    "order-fulfilment",
    "insurance-claim",
    "treatment-plan",
    "money-transfer",
    "model-data-flow",
    "agent-team",
    "agent-team/agent-task",
];

pub fn folder(saga: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sagas").join(saga)
}

/// A file of a saga.
pub fn text(saga: &str, file: &str) -> String {
    let path = folder(saga).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

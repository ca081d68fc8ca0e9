use std::ops::Range;

use super::diagnostic::{Code, Severity};

/// One thing that a rule found.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Which kind of mistake.
    pub code: Code,
    /// Whether it stops the definition from running.
    pub severity: Severity,
    /// Where.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

use crate::message::{Disposed, SagaName, Timestamp, Version};
use crate::status::{Fingerprint, LifeState};

/// Which instances are listed: those of which everything that is said here is true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// They are at one of these; none means at any.
    pub states: Vec<LifeState>,
    /// Their saga. Without it no locks are listed, which are instances of a built-in saga.
    pub saga: Option<SagaName>,
    /// The version that their newest life runs on.
    pub version: Option<Version>,
    /// The step that is stuck, else under way, else failed: its name, without brackets.
    pub step: Option<String>,
    /// The group of their error.
    pub error: Option<Fingerprint>,
    /// What their key begins with.
    pub key_prefix: Option<String>,
    /// They have started at that moment or later.
    pub started_from: Option<Timestamp>,
    /// They have started before that moment.
    pub started_before: Option<Timestamp>,
}

/// In which order instances are listed. Each is by what does not change while a life lasts, so
/// that no page repeats or leaves out what was there all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// What started last comes first.
    #[default]
    Newest,
    /// What started first comes first.
    Oldest,
}

/// Which dead letters are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LetterState {
    /// Those with which nobody has done anything.
    #[default]
    Open,
    /// Those with which that was done last.
    Disposed(Disposed),
    /// All of them.
    Any,
}

/// The most rows of one page.
pub const PAGE_ROWS_MAX: usize = 1_000;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::{Hash, Offset, SagaName, Version};

/// What starts now, as a whole: which definition the new instances of each saga run on.
///
/// Every shard is told through its inbox and keeps it in its position, so what a start runs on is
/// part of the fold of the inbox and the same wherever that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starts {
    /// Where it stands in `<app>.definitions`: greater is newer.
    pub offset: Offset,
    /// Which node has said so.
    pub node: Arc<str>,
    /// Every saga of which a definition is known to have started.
    pub sagas: BTreeMap<SagaName, Starting>,
}

/// What the new instances of one saga run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Starting {
    /// The version, for people.
    pub version: Version,
    /// The definition.
    pub definition: Hash,
    /// Whether events start it.
    pub state: State,
}

/// What becomes of an event that starts a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It starts an instance.
    Active,
    /// It is kept, in order, until the saga is active again.
    Paused,
    /// It is a dead letter.
    Retired,
    /// Nobody reads it: the saga's file is gone. What parents that run begin is not its business.
    Removed,
}

impl State {
    /// What a definition may say.
    pub const WORDS: [(&str, Self); 3] =
        [("active", Self::Active), ("paused", Self::Paused), ("retired", Self::Retired)];

    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an instance is at, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LifeState {
    /// On its way forward, and something is under way that should be answered soon.
    Running,
    /// On its way forward, and a request had to be sent again.
    Retrying,
    /// On its way forward, and everything under way waits: for an event, a person, a time, a child
    /// or a lock.
    Waiting,
    /// On its way back.
    Compensating,
    /// Nothing goes on until a person acts.
    Stuck,
    /// Ended; all steps done.
    Completed,
    /// Ended; all that may have happened undone.
    Compensated,
    /// It stands still until a person resumes it; or it has no life yet, and a start waits for the
    /// end of a pause of its saga.
    Paused,
    /// It has no life yet: an event came that waits for its start.
    Early,
    /// A lock that somebody holds.
    Held,
    /// A lock that nobody holds, as long as it is remembered.
    Free,
}

impl LifeState {
    /// Every state with the word for it.
    pub const WORDS: [(&str, Self); 11] = [
        ("running", Self::Running),
        ("retrying", Self::Retrying),
        ("waiting", Self::Waiting),
        ("compensating", Self::Compensating),
        ("stuck", Self::Stuck),
        ("completed", Self::Completed),
        ("compensated", Self::Compensated),
        ("paused", Self::Paused),
        ("early", Self::Early),
        ("held", Self::Held),
        ("free", Self::Free),
    ];

    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Compensating => "compensating",
            Self::Stuck => "stuck",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Paused => "paused",
            Self::Early => "early",
            Self::Held => "held",
            Self::Free => "free",
        }
    }

    /// The state that a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(text, _)| *text == word).map(|(_, state)| *state)
    }

    /// Whether the life has ended.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Compensated)
    }
}

impl fmt::Display for LifeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_from_its_word_here_and_in_json() {
        for (word, state) in LifeState::WORDS {
            assert_eq!((state.text(), LifeState::named(word)), (word, Some(state)));
            assert_eq!(serde_json::to_value(state).expect("a word"), word);
        }
        assert_eq!(LifeState::named("Running"), None);
    }
}

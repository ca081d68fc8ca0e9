use std::fmt;
use std::str::FromStr;

/// What somebody may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Acts on instances, answers, starts.
    Operator,
    /// Sees data without masks and changes it.
    Admin,
}

impl Role {
    /// Every one of them with its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("viewer", Self::Viewer), ("operator", Self::Operator), ("admin", Self::Admin)];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, _) = Self::WORDS.iter().find(|(_, role)| role == self).expect("each has one");
        f.write_str(word)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, role)| *role);
        found.ok_or_else(|| format!("`{text}` is no role; write viewer, operator or admin"))
    }
}

use crate::message::{StartFrom, Timestamp, Topic};

/// What a person says about a users' topic that was made anew, was cut off or is of another
/// cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The act's own id.
    pub id: String,
    /// The topic.
    pub topic: Topic,
    /// Where to begin it; none leaves it to what happened to the topic.
    pub from: Option<StartFrom>,
    /// Who says so.
    pub by: String,
    /// The reason.
    pub why: String,
    /// When it was signed, where acts are.
    pub signed: Option<Timestamp>,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The topic is read.
    Done,
    /// It cannot be obeyed, in words.
    Refused(String),
}

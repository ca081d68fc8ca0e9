use serde_json::Value;

use super::Instance;
use crate::message::{Address, CommandId, Life, StepName};

/// What an input made of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The instance from now on; none means that it is forgotten.
    pub after: Option<Instance>,
    /// What must happen, in this order.
    pub effects: Vec<Effect>,
    /// What happened, in a person's words.
    pub notes: Vec<Note>,
}

/// What the engine asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a command to a participant.
    Command(Message),
    /// Tell a fact.
    Fact(Message),
    /// Tell the people who run this that something could not be done; goes to the dead letters.
    Complaint(String),
}

/// A message that an effect sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Which attempt of what; a fact has the id of the step that tells it.
    pub id: CommandId,
    /// The idempotency key of the action that this undoes.
    pub undoes: Option<String>,
    /// Where to and of what type.
    pub to: Address,
    /// The record's key.
    pub key: String,
    /// The author's headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which generation it is about.
    pub generation: Life,
    /// The step, if it is about one.
    pub step: Option<StepName>,
    /// What kind of thing.
    pub kind: NoteKind,
    /// The rest, in words; never a value of the data.
    pub words: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// An instance began.
    Started,
    /// A start waits for the end of the living generation.
    Queued,
    /// A command was sent, for the first time or again.
    Sent,
    /// A fact was told.
    Told,
    /// A step is done.
    Succeeded,
    /// A participant said no.
    Rejected,
    /// A step was left out.
    Skipped,
    /// An attempt took too long.
    TimedOut,
    /// A step was given up; it may have happened.
    GivenUp,
    /// The way back began.
    WentBack,
    /// A compensation was sent.
    Undoing,
    /// A step is undone.
    Undone,
    /// A success came after it was given up.
    Late,
    /// Somebody asked for the way back.
    Cancelled,
    /// Something was asked for that cannot be.
    Refused,
    /// A person must act.
    Stuck,
    /// A person acted.
    Acted,
    /// All steps done.
    Completed,
    /// All that may have happened undone.
    Compensated,
    /// No longer remembered.
    Forgotten,
}

impl NoteKind {
    /// The word for it, past tense.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Told => "told",
            Self::Succeeded => "succeeded",
            Self::Rejected => "rejected",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed-out",
            Self::GivenUp => "given-up",
            Self::WentBack => "went-back",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Late => "late",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Stuck => "stuck",
            Self::Acted => "acted",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Forgotten => "forgotten",
        }
    }
}

/// Why an input changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was here before.
    #[error("{0}")]
    Duplicate(String),
    /// The definition says that it means nothing now.
    #[error("{0}")]
    Ignored(String),
    /// Nothing waits for it.
    #[error("{0}")]
    Unmatched(String),
    /// It cannot be obeyed; the sender should know.
    #[error("{0}")]
    Refused(String),
}

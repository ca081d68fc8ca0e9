use super::carried::Text;
use super::names::Name;
use crate::engine::NoteKind;
use crate::message::{Life, Offset, Part};

/// Everything that the topics say about one instance.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub starts: Vec<Begun>,
    pub sent: Vec<Sent>,
    pub answers: Vec<Heard>,
    pub turns: Vec<Turn>,
}

/// Where a record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub topic: Name,
    pub partition: i32,
    pub offset: Offset,
}

/// A start event.
#[derive(Debug)]
pub(super) struct Begun {
    /// Digest of its id.
    pub id: u128,
    pub place: Place,
    /// The values of the plan's sources.
    pub given: Vec<Text>,
}

/// A command or a fact that the engine sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub generation: Life,
    pub step: Name,
    pub part: Part,
    pub attempt: u32,
    pub is_command: bool,
    /// Digest of the id of the event that caused it; none if a timer did.
    pub cause: Option<u128>,
    /// Digest of key and body.
    pub content: u128,
    /// The values at the plan's carried places.
    pub received: Vec<Text>,
    pub place: Place,
}

impl Sent {
    pub fn is_undo(&self) -> bool {
        self.part != Part::Action
    }
}

/// An answer of a participant.
#[derive(Debug)]
pub(super) struct Heard {
    /// Digest of its id.
    pub id: u128,
    /// The event's address.
    pub event: Name,
    /// The command that it names.
    pub command: Option<Asked>,
}

/// The request that an answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub generation: Life,
    pub step: Name,
    pub part: Part,
    pub attempt: u32,
}

/// One transition, as the history tells it.
#[derive(Debug)]
pub(super) struct Turn {
    pub generation: Life,
    pub transition: u64,
    pub is_stuck: bool,
    pub notes: Vec<Noted>,
    pub place: Place,
}

/// One thing that happened in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noted {
    pub kind: NoteKind,
    pub step: Name,
    /// For a sent request its attempt, else 0.
    pub attempt: u32,
    /// The reason, where people want it.
    pub words: Option<Text>,
}

use super::carried::Text;
use super::names::Name;
use crate::engine::NoteKind;
use crate::message::{InstanceId, LifeId, Offset, Part};

/// Everything that the topics say about one instance.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub starts: Vec<Begun>,
    pub sent: Vec<Sent>,
    pub answers: Vec<Answer>,
    pub turns: Vec<Turn>,
    /// Questions to people: the life, the step, and the transition that asked.
    pub questions: Vec<(LifeId, Name, u32)>,
    /// The steps whose questions people answered; empty if they named none.
    pub said: Vec<Name>,
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
    /// The mark of the life that it begins, and the one that a build gave it which did not read
    /// sources.
    pub marks: [u64; 2],
    pub place: Place,
    /// The values of the plan's sources.
    pub given: Vec<Text>,
}

/// A command or a fact that the engine sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub life: LifeId,
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
    /// The fencing tokens at the plan's places for them.
    pub fences: Vec<Text>,
    pub place: Place,
}

impl Sent {
    /// Whether it undoes what was undone before: a late success, with or without its lock.
    pub fn is_again(&self) -> bool {
        matches!(self.part, Part::Undo(run) if run > 1)
    }
}

/// An answer of a participant.
#[derive(Debug)]
pub(super) struct Answer {
    /// Digest of its id.
    pub id: u128,
    /// The event's address.
    pub event: Name,
    /// The command that it names.
    pub command: Option<Asked>,
    /// Whether its key is this instance's, so that a step that waits may take it.
    pub is_for_waits: bool,
}

/// The request that an answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub life: LifeId,
    pub step: Name,
    pub part: Part,
    pub attempt: u32,
}

/// One transition, as the history tells it.
#[derive(Debug)]
pub(super) struct Turn {
    pub life: LifeId,
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
    /// For a request its attempt, else 0.
    pub attempt: u32,
    /// For a request where it went to: an address, or a child.
    pub whom: Name,
    /// Whether it has happened, or may have, of what was given up or answered late.
    pub happened: bool,
    /// Whether a probe says so.
    pub by_probe: bool,
    /// For a lock that is held its token, else 0.
    pub token: u64,
    /// The branch that was left behind, or why the saga went back.
    pub text: Option<Text>,
}

/// One letter that a lock obeyed, as its history tells it.
#[derive(Debug)]
pub(super) struct LockTurn {
    /// Where the letter stood in the inbox.
    pub inbox: i64,
    pub notes: Vec<Claimed>,
    pub place: Place,
}

/// What a lock says of one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub kind: NoteKind,
    pub instance: InstanceId,
    pub step: Name,
    /// The token, for a claim that is granted.
    pub token: u64,
}

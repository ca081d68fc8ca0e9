//! What happened, as data; the words for people are made of it in `words`.

mod kind;
mod words;

pub use kind::NoteKind;

use super::{Claim, Failure};
use crate::message::{Address, Coordinate, EventType, InstanceId, LifeId, Span, Timestamp};

/// One thing that happened: what programs read of it are its fields; its words are made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which life of the instance it is about.
    pub life: LifeId,
    /// The step, if it is about one.
    pub step: Option<Coordinate>,
    /// What happened; never a value of the data.
    pub what: What,
}

impl Note {
    /// What kind of thing happened.
    #[must_use]
    pub fn kind(&self) -> NoteKind {
        self.what.kind()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An instance began.
    Started {
        /// The title of its definition.
        title: String,
    },
    /// A start waits for the end of the life before it.
    Queued {
        /// The id of the event that starts it.
        event: String,
    },
    /// A lock was asked for and is held by another.
    Claimed(Claimant),
    /// A request was sent, for the first time or again.
    Sent(Sending),
    /// A probe was sent.
    Probed(Sending),
    /// An undoing was sent.
    Undoing(Sending),
    /// A fact was told.
    Told {
        /// Which.
        fact: Address,
    },
    /// A step is done.
    Succeeded(Proof),
    /// Whoever must know says that a step did not happen.
    Rejected {
        /// Why.
        reason: String,
    },
    /// A step was left out.
    Skipped {
        /// Why.
        reason: String,
    },
    /// A step or an attempt took too long.
    TimedOut {
        /// How long it might take, in words.
        reason: String,
    },
    /// An attempt got its time again, for the engine was away when it ran out.
    Extended {
        /// Which attempt.
        attempt: u32,
        /// How much time it got.
        within: Span,
    },
    /// A step was given up.
    GivenUp {
        /// Whether it may have happened; not if no attempt of it has left.
        may_have_happened: bool,
    },
    /// The way back began.
    WentBack(Failure),
    /// A step is undone.
    Undone {
        /// The fact that corrects it, if one was told.
        by: Option<Address>,
    },
    /// It was heard of a step that had been given up.
    Late {
        /// Whether it has happened.
        has_happened: bool,
        /// Whether a probe says so.
        by_probe: bool,
    },
    /// Somebody asked for the way back.
    Cancelled {
        /// Who and why.
        reason: String,
    },
    /// Something was asked for that cannot be.
    Refused {
        /// What and why.
        reason: String,
    },
    /// A person must act.
    Stuck {
        /// Why.
        reason: String,
    },
    /// A person acted.
    Acted {
        /// What was done.
        verb: String,
        /// Who did it.
        by: String,
        /// Why, in that person's words.
        why: String,
    },
    /// All steps are done.
    Completed,
    /// All that may have happened is undone.
    Compensated {
        /// Why the saga went back.
        reason: String,
    },
    /// It is no longer remembered.
    Forgotten,
    /// A step waits.
    Waiting(Awaited),
    /// A person is asked.
    Asked {
        /// The role.
        who: String,
    },
    /// A reminder was told.
    Reminded {
        /// The fact that it is.
        fact: Address,
    },
    /// An event came before what waits for it and is kept.
    Kept {
        /// What kind of event.
        event: Address,
        /// Its id.
        id: String,
    },
    /// A branch was left behind: it undoes itself and the saga goes on.
    Dropped {
        /// Its name, or its place in a fan-out.
        branch: String,
        /// Why.
        reason: String,
    },
    /// A step holds its lock.
    Locked {
        /// The fencing token.
        token: u64,
    },
    /// A lock was given to one who asked for it.
    Granted {
        /// To whom.
        to: Claimant,
        /// The fencing token.
        token: u64,
    },
    /// A step has let its lock go.
    Released,
    /// A lock was given back.
    Returned(Claimant),
    /// One who waited for a lock wants it no more.
    Withdrawn(Claimant),
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Where to: an address, a method with its host, or a child.
    pub to: String,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// Why a step counts as done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// An event of this kind says so.
    Event(EventType),
    /// A call was answered.
    Call,
    /// A probe says so.
    Probe,
    /// A child has completed.
    Child(InstanceId),
    /// Its time has come.
    Time,
    /// A person has answered a question.
    Answer {
        /// The choice.
        choice: String,
        /// Who made it.
        by: String,
    },
    /// A person says so.
    Person,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// One of these facts.
    Facts(Vec<EventType>),
    /// A moment.
    Moment(Timestamp),
    /// Its lock.
    Lock,
}

/// Who asks for a lock: a step of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The instance.
    pub instance: InstanceId,
    /// Its step.
    pub step: Coordinate,
}

impl From<&Claim> for Claimant {
    fn from(claim: &Claim) -> Self {
        Self { instance: claim.instance.clone(), step: claim.step.clone() }
    }
}

impl What {
    /// What kind of thing it is.
    #[must_use]
    pub fn kind(&self) -> NoteKind {
        match self {
            Self::Started { .. } => NoteKind::Started,
            Self::Queued { .. } | Self::Claimed(_) => NoteKind::Queued,
            Self::Sent(_) => NoteKind::Sent,
            Self::Probed(_) => NoteKind::Probed,
            Self::Undoing(_) => NoteKind::Undoing,
            Self::Told { .. } => NoteKind::Told,
            Self::Succeeded(_) => NoteKind::Succeeded,
            Self::Rejected { .. } => NoteKind::Rejected,
            Self::Skipped { .. } => NoteKind::Skipped,
            Self::TimedOut { .. } => NoteKind::TimedOut,
            Self::Extended { .. } => NoteKind::Extended,
            Self::GivenUp { .. } => NoteKind::GivenUp,
            Self::WentBack(_) => NoteKind::WentBack,
            Self::Undone { .. } => NoteKind::Undone,
            Self::Late { .. } => NoteKind::Late,
            Self::Cancelled { .. } => NoteKind::Cancelled,
            Self::Refused { .. } => NoteKind::Refused,
            Self::Stuck { .. } => NoteKind::Stuck,
            Self::Acted { .. } => NoteKind::Acted,
            Self::Completed => NoteKind::Completed,
            Self::Compensated { .. } => NoteKind::Compensated,
            Self::Forgotten => NoteKind::Forgotten,
            Self::Waiting(_) => NoteKind::Waiting,
            Self::Asked { .. } => NoteKind::Asked,
            Self::Reminded { .. } => NoteKind::Reminded,
            Self::Kept { .. } => NoteKind::Kept,
            Self::Dropped { .. } => NoteKind::Dropped,
            Self::Locked { .. } | Self::Granted { .. } => NoteKind::Locked,
            Self::Released | Self::Returned(_) => NoteKind::Released,
            Self::Withdrawn(_) => NoteKind::Withdrawn,
        }
    }
}

use std::fmt;

use super::{Awaited, Claimant, DataChange, NoteKind, Proof, Sending};
use crate::engine::Failure;
use crate::message::{Address, Span};

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
    /// A person asked for something that is not done.
    NotObeyed {
        /// The act's id.
        id: String,
        /// What was asked for.
        verb: String,
        /// Who asked.
        by: String,
        /// Why it is not done.
        reason: String,
    },
    /// A person acted.
    Acted {
        /// The act's id.
        id: String,
        /// What was done.
        verb: String,
        /// Who did it.
        by: String,
        /// Why, in that person's words.
        why: String,
    },
    /// A person has set fields of the data.
    DataSet {
        /// The act's id.
        id: String,
        /// What became of each.
        changes: Vec<DataChange>,
    },
    /// A person lets it stand still.
    Paused {
        /// The act's id.
        id: String,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Something was told to it that it hears at its resume.
    Held {
        /// What, in words.
        what: String,
    },
    /// A person lets it go on.
    Resumed {
        /// The act's id.
        id: String,
        /// Who.
        by: String,
        /// Why.
        why: String,
        /// How long it stood still.
        length: Span,
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
            Self::Refused { .. } | Self::NotObeyed { .. } => NoteKind::Refused,
            Self::Stuck { .. } => NoteKind::Stuck,
            Self::Acted { .. } => NoteKind::Acted,
            Self::DataSet { .. } => NoteKind::DataSet,
            Self::Paused { .. } => NoteKind::Paused,
            Self::Held { .. } => NoteKind::Held,
            Self::Resumed { .. } => NoteKind::Resumed,
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

/// The words for people, beside the kind and the step.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { title } => f.write_str(title),
            Self::Queued { event } => write!(f, "{event} waits for the end"),
            Self::Claimed(claimant) | Self::Returned(claimant) | Self::Withdrawn(claimant) => {
                claimant.fmt(f)
            }
            Self::Sent(sending) | Self::Probed(sending) | Self::Undoing(sending) => sending.fmt(f),
            Self::Told { fact } | Self::Reminded { fact } => fact.fmt(f),
            Self::Succeeded(proof) => proof.fmt(f),
            Self::Rejected { reason }
            | Self::Skipped { reason }
            | Self::TimedOut { reason }
            | Self::Cancelled { reason }
            | Self::Refused { reason }
            | Self::Stuck { reason }
            | Self::Compensated { reason } => f.write_str(reason),
            Self::Extended { attempt, within } => {
                write!(f, "attempt {attempt} has {within} more, for the engine was away")
            }
            Self::GivenUp { may_have_happened: true } => {
                f.write_str("no answer; it may have happened")
            }
            Self::GivenUp { may_have_happened: false } => {
                f.write_str("no attempt has left; it has not happened")
            }
            Self::WentBack(failure) => write!(f, "{}: {}", failure.kind.text(), failure.reason),
            Self::Undone { by } => by.as_ref().map_or(Ok(()), |fact| fact.fmt(f)),
            Self::Late { has_happened, by_probe } => {
                let said =
                    if *has_happened { "it has happened after all" } else { "it has not happened" };
                f.write_str(said)?;
                if *by_probe { f.write_str(", says the probe") } else { Ok(()) }
            }
            Self::Acted { verb, by, why: reason, .. }
            | Self::NotObeyed { verb, by, reason, .. } => write!(f, "{verb} by {by}: {reason}"),
            Self::DataSet { changes, .. } => {
                changes.iter().enumerate().try_for_each(|(place, change)| {
                    f.write_str(if place == 0 { "" } else { ", " })?;
                    change.fmt(f)
                })
            }
            Self::Paused { by, why, .. } => write!(f, "by {by}: {why}"),
            Self::Held { what } => f.write_str(what),
            Self::Resumed { by, why, length, .. } => write!(f, "after {length} by {by}: {why}"),
            Self::Completed | Self::Forgotten | Self::Released => Ok(()),
            Self::Waiting(awaited) => awaited.fmt(f),
            Self::Asked { who } => f.write_str(who),
            Self::Kept { event, id } => write!(f, "{event} {id}"),
            Self::Dropped { branch, reason } => write!(f, "{branch}: {reason}"),
            Self::Locked { token } => write!(f, "token {token}"),
            Self::Granted { to, token } => write!(f, "{to}, token {token}"),
        }
    }
}

use serde_json::Value;

use super::Failure;
use crate::message::{Coordinate, InstanceId, LifeId};

/// What one instance says to another, or to a lock, through the recipient's inbox.
///
/// Every conversation is about one step of the asking side: the parent of a child, or whoever
/// wants a lock. Letters of both sides name that step.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Letter {
    /// Its own id, derived from where it stands, so that a replay makes the same again.
    pub id: String,
    /// Who says it.
    pub from: InstanceId,
    /// The life of the asking side.
    pub life: LifeId,
    /// The asking side's step.
    pub step: Coordinate,
    /// How often that step has asked, counted from 1: what belongs to an earlier time is stale.
    pub round: u32,
    /// What it says.
    pub say: Say,
}

/// What a letter says.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Say {
    /// To a child: begin.
    Start {
        /// What its `data` reads as `event`.
        body: Value,
        /// W3C trace context of the parent; empty if it has none.
        trace_parent: String,
    },
    /// To a child: take yourself back.
    TakeBack {
        /// Why, in words.
        reason: String,
        /// Whether it takes itself back even if it has completed.
        reopen: bool,
    },
    /// To a child: its parent will not take it back any more.
    ParentGone,
    /// To a parent: the child has ended.
    Ended {
        /// Whether it has completed; else it is compensated, or could not start.
        completed: bool,
        /// Its data.
        data: Value,
        /// Why it was compensated.
        failure: Option<Failure>,
    },
    /// To a parent: the key is somebody else's.
    Taken,
    /// To a parent: the child has taken itself back.
    TakenBack,
    /// To a parent: the child is past its pivot and cannot be taken back.
    Kept,
    /// To a lock: hold it for me, behind those who came before.
    Acquire {
        /// The token must be greater than this.
        above: u64,
    },
    /// To a lock: it is free again.
    Release {
        /// The greatest token that was used under it.
        fence: u64,
    },
    /// To a lock: no longer wanted.
    Withdraw,
    /// From a lock: it is held for you.
    Granted {
        /// The token.
        fence: u64,
    },
    /// From a lock: too many wait for it.
    Full,
}

impl Say {
    /// What it brings to the data of whoever reads it; none if it brings nothing.
    #[must_use]
    pub fn carried(&self) -> Option<&Value> {
        match self {
            Self::Start { body, .. } => Some(body),
            Self::Ended { data, .. } => Some(data),
            Self::TakeBack { .. }
            | Self::ParentGone
            | Self::Taken
            | Self::TakenBack
            | Self::Kept
            | Self::Acquire { .. }
            | Self::Release { .. }
            | Self::Withdraw
            | Self::Granted { .. }
            | Self::Full => None,
        }
    }
}

impl Say {
    /// The word for it, for ids and for people.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::TakeBack { .. } => "take-back",
            Self::ParentGone => "parent-gone",
            Self::Ended { .. } => "ended",
            Self::Taken => "taken",
            Self::TakenBack => "taken-back",
            Self::Kept => "kept",
            Self::Acquire { .. } => "acquire",
            Self::Release { .. } => "release",
            Self::Withdraw => "withdraw",
            Self::Granted { .. } => "granted",
            Self::Full => "full",
        }
    }
}

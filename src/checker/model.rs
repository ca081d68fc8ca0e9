use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::Memory;
use crate::engine::{Instance, Letter, Say};
use crate::message::{Address, Coordinate, InstanceId, Span, Timestamp};

/// The key of every instance that is explored.
pub(super) const KEY: &str = "k";
/// The time of every input: when a timer strikes is a choice, not a moment.
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);
/// When every timer would strike that has not been chosen.
pub(super) const LATER: Timestamp = Timestamp(NOW.0 + Span::hours(24 * 30).0.cast_signed());

/// Where a run has come to: the instance as the engine left it, without what cannot matter any
/// more, and the world around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub instance: Option<Instance>,
    pub around: Around,
}

/// What the world knows of an instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Around {
    /// Conditions that were decided.
    pub memory: Arc<Memory>,
    /// Children and locks that were written to.
    pub partners: BTreeMap<InstanceId, Partner>,
    /// Facts that came before the first step was done.
    pub early: Vec<Address>,
    /// Somebody has asked for the way back.
    pub cancelled: bool,
    /// A person went on without a step: what it would have set may be missing.
    pub skipped: bool,
}

/// Somebody who answers letters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Partner {
    /// The last letter to it.
    pub letter: Letter,
    /// How it stands.
    pub stands: Stands,
}

/// How a child or a lock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// A child runs.
    Running,
    /// A child has completed.
    Completed,
    /// A child is asked to take itself back.
    Asked,
    /// A child has done all that it was asked to.
    Over,
    /// A lock is waited for.
    Waiting,
    /// A lock is held.
    Held,
}

impl Stands {
    /// How the one stands whom an instance has told this; none if nothing is expected of it then.
    pub fn told(say: &Say) -> Option<Self> {
        match say {
            Say::Start { .. } => Some(Self::Running),
            Say::TakeBack { .. } => Some(Self::Asked),
            Say::Acquire { .. } => Some(Self::Waiting),
            Say::ParentGone
            | Say::Ended { .. }
            | Say::Taken
            | Say::TakenBack
            | Say::Kept
            | Say::Release { .. }
            | Say::Withdraw
            | Say::Granted { .. }
            | Say::Full => None,
        }
    }
}

/// How a run can end, or stop until a person acts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// All steps done.
    Completed,
    /// Undone, and why it went back.
    Compensated {
        /// Where it began; none for the whole saga.
        step: Option<Coordinate>,
        /// What kind of thing it was.
        kind: &'static str,
    },
    /// A person must act.
    Stuck {
        /// On which step.
        step: Coordinate,
        /// Whether on its undoing.
        undoing: bool,
    },
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::Compensated { step: None, kind } => write!(f, "compensated ({kind})"),
            Self::Compensated { step: Some(step), kind } => {
                write!(f, "compensated ({step} {kind})")
            }
            Self::Stuck { step, undoing: false } => write!(f, "stuck at {step}"),
            Self::Stuck { step, undoing: true } => write!(f, "stuck undoing {step}"),
        }
    }
}

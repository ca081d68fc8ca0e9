use super::{Failure, Frame, Request};
use crate::message::{Key, Timestamp};

/// What a step keeps of its own, which depends on its kind.
///
/// A step of any kind keeps nothing that was left out or could not begin. The largest variants are
/// boxed, for many instances are in memory at once.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub enum Inside {
    /// Nothing, for it only writes, tells, or waits without reminders.
    #[default]
    Nothing,
    /// The next reminder of a `wait` or an `ask`.
    Reminder(Reminder),
    /// The fact that ended a `wait`, as a request that was never sent and is answered.
    Fact(Request),
    /// What a `command` or a `call` has sent.
    Requested(Requested),
    /// The child of a `saga`.
    Child(Box<Child>),
    /// The branches of a `parallel`, an `each` or a `choose`.
    Branched(Branched),
    /// The keys of a `lock`, and the steps under it.
    Locked(Box<Locked>),
}

/// What a `command` or a `call` has sent.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Requested {
    /// Its request.
    pub action: Request,
    /// The question whether it happened.
    pub probe: Option<Box<Request>>,
}

/// The child of a `saga`.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Child {
    /// The key of the child.
    pub key: Key,
    /// What was asked of it; the attempts count how often it was begun.
    pub action: Request,
    /// Why the step is rejected once the child has taken itself back.
    pub failure: Option<Failure>,
}

/// The branches of a `parallel`, an `each` or a `choose`.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Branched {
    /// The branches.
    pub frames: Vec<Frame>,
    /// Why the step is rejected once all that is in the branches is undone.
    pub failure: Option<Box<Failure>>,
}

/// The keys of a `lock`, and the steps under it.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Locked {
    /// The keys in their order.
    pub keys: Vec<Key>,
    /// How the keys stand.
    pub hold: Hold,
    /// The list of the steps under the lock, once it was held.
    pub frames: Vec<Frame>,
}

/// The next reminder of a step that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reminder {
    /// When it is told.
    pub at: Timestamp,
    /// How many were told before.
    pub told: u32,
}

/// How a lock step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hold {
    /// What it is at.
    pub stage: Stage,
    /// How many of its keys are held, in their order.
    pub got: u32,
    /// The greatest token of its keys.
    pub fence: u64,
    /// How often it has taken them.
    pub round: u32,
    /// Whether it takes or keeps them only for what is undone late.
    pub late: bool,
}

/// What a lock step is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It asks for its keys, one after the other.
    Taking,
    /// It holds all of them.
    Held,
    /// It has let them go.
    Freed,
}

impl Inside {
    /// What was sent for the step itself, and the question whether it happened.
    pub(super) fn requests(&self) -> (Option<&Request>, Option<&Request>) {
        match self {
            Self::Fact(fact) => (Some(fact), None),
            Self::Requested(requested) => (Some(&requested.action), requested.probe.as_deref()),
            Self::Child(child) => (Some(&child.action), None),
            Self::Nothing | Self::Reminder(_) | Self::Branched(_) | Self::Locked(_) => (None, None),
        }
    }

    /// The same, to be changed.
    pub(super) fn requests_mut(&mut self) -> (Option<&mut Request>, Option<&mut Request>) {
        match self {
            Self::Fact(fact) => (Some(fact), None),
            Self::Requested(requested) => {
                (Some(&mut requested.action), requested.probe.as_deref_mut())
            }
            Self::Child(child) => (Some(&mut child.action), None),
            Self::Nothing | Self::Reminder(_) | Self::Branched(_) | Self::Locked(_) => (None, None),
        }
    }

    /// The lists of steps in it.
    pub(super) fn frames(&self) -> &[Frame] {
        match self {
            Self::Branched(branched) => &branched.frames,
            Self::Locked(locked) => &locked.frames,
            Self::Nothing
            | Self::Reminder(_)
            | Self::Fact(_)
            | Self::Requested(_)
            | Self::Child(_) => &[],
        }
    }

    /// The same, to be changed.
    pub(super) fn frames_mut(&mut self) -> &mut [Frame] {
        match self {
            Self::Branched(branched) => &mut branched.frames,
            Self::Locked(locked) => &mut locked.frames,
            Self::Nothing
            | Self::Reminder(_)
            | Self::Fact(_)
            | Self::Requested(_)
            | Self::Child(_) => &mut [],
        }
    }

    /// Why the step is rejected once all that is in it is undone.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Child(child) => child.failure.as_ref(),
            Self::Branched(branched) => branched.failure.as_deref(),
            Self::Nothing
            | Self::Reminder(_)
            | Self::Fact(_)
            | Self::Requested(_)
            | Self::Locked(_) => None,
        }
    }
}

use crate::definition::Unknown;

/// Where a step stands, seen from the pivots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The way back is open.
    Before,
    /// It is the pivot.
    Pivot,
    /// A pivot may have succeeded, or what stands here may be undone alone: both rules hold.
    Perhaps,
    /// There is only forward.
    After,
}

impl Position {
    /// What an action that may have happened means if its author says nothing.
    pub fn unknown(self) -> Unknown {
        match self {
            Self::Before => Unknown::Compensate,
            Self::Pivot | Self::Perhaps | Self::After => Unknown::Retry,
        }
    }

    /// Where those stand that come from two places.
    pub fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Perhaps }
    }

    /// Whether a rejection here may find no way back.
    pub fn is_behind(self) -> bool {
        match self {
            Self::Before | Self::Pivot => false,
            Self::Perhaps | Self::After => true,
        }
    }

    /// Where the steps of a block stand that may be undone without the saga.
    pub fn undoable(self) -> Self {
        match self {
            Self::Before | Self::Pivot => Self::Before,
            Self::Perhaps | Self::After => Self::Perhaps,
        }
    }
}

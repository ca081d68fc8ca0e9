/// Which way an instance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Step by step towards `completed`.
    #[default]
    Forward,
    /// Undoing, towards `compensated`.
    Back,
}

/// What an instance is, for people and for the table of legal moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// On its way forward.
    Running,
    /// On its way back.
    Compensating,
    /// Ended; all steps done.
    Completed,
    /// Ended; all that may have happened undone.
    Compensated,
    /// A person must act.
    Stuck,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Stuck => "stuck",
        }
    }
}

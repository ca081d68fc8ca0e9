/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// An instance began.
    Started,
    /// A start waits for the end of the life before, or a claim of a lock for those before it.
    Queued,
    /// A command was sent, for the first time or again.
    Sent,
    /// A fact was told.
    Told,
    /// A step is done.
    Succeeded,
    /// A step did not happen and never will: a participant, a person or its own time said no.
    Rejected,
    /// A step was left out.
    Skipped,
    /// The time of an attempt, of a step, of a block or of the saga is up.
    TimedOut,
    /// An attempt got its time again, for the engine was away when it ran out.
    Extended,
    /// A step was given up; it may have happened.
    GivenUp,
    /// The way back began.
    WentBack,
    /// A probe was sent.
    Probed,
    /// A compensation was sent.
    Undoing,
    /// A step is undone.
    Undone,
    /// An answer came after its step was given up.
    Late,
    /// Somebody asked for the way back.
    Cancelled,
    /// Something was asked for that cannot be.
    Refused,
    /// A person must act.
    Stuck,
    /// A person acted.
    Acted,
    /// A person has set fields of the data.
    DataSet,
    /// A person lets it stand still.
    Paused,
    /// Something was told to it that it hears at its resume.
    Held,
    /// A person lets it go on.
    Resumed,
    /// All steps done.
    Completed,
    /// All that may have happened undone.
    Compensated,
    /// No longer remembered.
    Forgotten,
    /// A step waits for a fact, a moment or a lock.
    Waiting,
    /// A person is asked.
    Asked,
    /// A reminder was told.
    Reminded,
    /// An event came before what waits for it and is kept.
    Kept,
    /// A branch was left behind: it undoes itself and the saga goes on.
    Dropped,
    /// A lock is held.
    Locked,
    /// A lock is free again.
    Released,
    /// One who waited for a lock wants it no more.
    Withdrawn,
}

impl NoteKind {
    /// Every kind.
    pub const ALL: [Self; 34] = [
        Self::Started,
        Self::Queued,
        Self::Sent,
        Self::Told,
        Self::Succeeded,
        Self::Rejected,
        Self::Skipped,
        Self::TimedOut,
        Self::Extended,
        Self::GivenUp,
        Self::WentBack,
        Self::Probed,
        Self::Undoing,
        Self::Undone,
        Self::Late,
        Self::Cancelled,
        Self::Refused,
        Self::Stuck,
        Self::Acted,
        Self::Completed,
        Self::Compensated,
        Self::Forgotten,
        Self::Waiting,
        Self::Asked,
        Self::Reminded,
        Self::Kept,
        Self::Dropped,
        Self::Locked,
        Self::Released,
        Self::Withdrawn,
        Self::Paused,
        Self::Held,
        Self::Resumed,
        Self::DataSet,
    ];

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
            Self::Extended => "extended",
            Self::GivenUp => "given-up",
            Self::WentBack => "went-back",
            Self::Probed => "probed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Late => "late",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Stuck => "stuck",
            Self::Acted => "acted",
            Self::DataSet => "data-set",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Forgotten => "forgotten",
            Self::Waiting => "waiting",
            Self::Asked => "asked",
            Self::Reminded => "reminded",
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Locked => "locked",
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
        }
    }
}

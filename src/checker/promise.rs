use crate::definition::Code;

/// A broken promise: of which kind, on which step, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which promise.
    pub promise: Promise,
    /// The step that it is about; empty for the saga as a whole.
    pub step: String,
    /// What is wrong.
    pub words: String,
    /// The text to look for on the line to mend: what is read, or is read twice.
    pub path: Option<String>,
}

impl Broken {
    pub(super) fn new(promise: Promise, step: impl Into<String>, words: String) -> Self {
        Self { promise, step: step.into(), words, path: None }
    }
}

/// What every run keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// What a template or expression reads is there.
    Filled,
    /// An answer is taken by the step that asked.
    Answered,
    /// It ends, or a person is told.
    Ends,
    /// Nothing waits for ever.
    Waits,
    /// Completed means that nothing was undone.
    Complete,
    /// Compensated means that all that may have happened was undone, in order. (That nothing
    /// else is undone the engine asserts itself in every run of the checker.)
    Undone,
    /// After the end nothing is sent but what undoes late successes.
    Silent,
    /// Locks are let go and children are not left behind.
    LetGo,
    /// What comes a second time changes nothing.
    Once,
}

impl Promise {
    /// Every promise, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::Ends,
        Self::Complete,
        Self::Undone,
        Self::Silent,
        Self::LetGo,
        Self::Waits,
        Self::Answered,
        Self::Once,
        Self::Filled,
    ];

    /// The code of what breaks it.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Ends => Code::Endless,
            Self::Complete => Code::UndoneAndCompleted,
            Self::Undone => Code::NotUndone,
            Self::Silent => Code::SentAfterEnd,
            Self::LetGo => Code::LeftBehind,
            Self::Waits => Code::WaitsForEver,
            Self::Answered => Code::AnswerAstray,
            Self::Once => Code::TakenTwice,
            Self::Filled => Code::NotFilled,
        }
    }

    /// The promise in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Filled => "every template can be filled where it is sent",
            Self::Answered => "every answer is taken by the step that asked, and by no other",
            Self::Ends => "every run ends, or is stuck with a reason",
            Self::Waits => "no step waits for ever without a deadline",
            Self::Complete => "completed means that nothing was undone",
            Self::Undone => {
                "compensated means that all that may have happened was undone, in reverse order"
            }
            Self::Silent => "after the end only late successes are undone",
            Self::LetGo => "locks are let go and no child is left behind",
            Self::Once => "what comes a second time changes nothing",
        }
    }

    /// Whether the engine keeps it for every definition: what breaks it is no mistake of the
    /// definition's, so it stops nobody.
    #[must_use]
    pub fn is_engines(self) -> bool {
        match self {
            Self::Ends | Self::Complete | Self::Undone | Self::Silent | Self::LetGo => true,
            Self::Filled | Self::Answered | Self::Once | Self::Waits => false,
        }
    }

    /// How to mend what breaks it.
    #[must_use]
    pub fn mend(self) -> &'static str {
        match self {
            Self::Filled => {
                "set it on every way that leads here, give it a first value under `data`, or ask \
                 first by `has(…)`"
            }
            Self::Answered | Self::Once => {
                "tell the answers apart by a `where` on both, or say `by: command-id` under \
                 `events`"
            }
            Self::Waits => "give it a `within`, or the saga one in front of the pivot",
            Self::Ends | Self::Complete | Self::Undone | Self::Silent | Self::LetGo => {
                "the engine keeps this promise for every definition, so this is Segue's own \
                 mistake and stops nobody: report the story"
            }
        }
    }
}

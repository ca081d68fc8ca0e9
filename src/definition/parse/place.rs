use crate::definition::StepId;
use crate::expression::Name;

/// Where an expression stands: it decides which names have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before there is an instance: `start`, `events`, a cancel's key.
    Before,
    /// The `data` section.
    Data,
    /// A `cancel`'s condition: at any moment of an instance.
    Cancel,
    /// Whether a step is entered, or which branch: `when`.
    Guard,
    /// Beside a running instance alone: `with`, `key`, `fail`, a `set` without an event.
    Alone,
    /// Beside a running instance and an event: `where`, `reason`, a reply's `set`.
    Reply,
    /// As a reply, of a call: `event` is `status`, `headers`, `body`.
    Http,
    /// What a person's answer sets.
    Answer,
    /// What a child's end sets.
    Child,
    /// What the branches of an `each` leave in the data.
    Collect,
    /// On the way back: compensations.
    Back,
    /// On the way back, beside the reply to a compensation.
    Undone,
    /// As an undone, of a call.
    UndoneHttp,
    /// `ends.completed`.
    Completed,
    /// `ends.compensated`, `ends.stuck`.
    Ended,
}

/// A composite step around the one that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// Its `item`, `index` and `branch` are known.
    Each(StepId),
    /// Other steps run beside.
    Parallel,
    /// Its `fence` is known.
    Lock,
}

impl Around {
    /// The names that are known only inside of it.
    pub fn names(self) -> &'static [Name] {
        match self {
            Self::Each(_) => &[Name::Item, Name::Index, Name::Branch],
            Self::Parallel => &[],
            Self::Lock => &[Name::Fence],
        }
    }
}

impl Place {
    /// The names that have a meaning here, beside those of what stands around.
    pub fn names(self) -> &'static [Name] {
        match self {
            Self::Before => &[Name::Event, Name::Now],
            Self::Data => &[Name::Event, Name::Key, Name::Now],
            Self::Reply | Self::Http | Self::Cancel => {
                &[Name::Data, Name::Event, Name::Key, Name::Now]
            }
            Self::Alone | Self::Guard | Self::Collect | Self::Completed => {
                &[Name::Data, Name::Key, Name::Now]
            }
            Self::Answer => &[Name::Data, Name::Answer, Name::Key, Name::Now],
            Self::Child => &[Name::Data, Name::Child, Name::Key, Name::Now],
            Self::Back | Self::Ended => &[Name::Data, Name::Failure, Name::Key, Name::Now],
            Self::Undone | Self::UndoneHttp => {
                &[Name::Data, Name::Event, Name::Failure, Name::Key, Name::Now]
            }
        }
    }

    /// Where the reply to a request of this place is read.
    pub fn reply(self) -> Self {
        if self == Self::Back { Self::Undone } else { Self::Reply }
    }

    /// Where the answer to a call of this place is read.
    pub fn answer(self) -> Self {
        if self == Self::Back { Self::UndoneHttp } else { Self::Http }
    }

    /// Why a name has no meaning here.
    pub fn why(self, name: Name) -> &'static str {
        match (name, self) {
            (Name::Data, Self::Before) => "no instance is known yet, so there is no data",
            (Name::Data, _) => "`data` is what these lines fill",
            (Name::Key, _) => "the key is not known yet",
            (Name::Event, Self::Answer) => "a person's answer is `answer`, not `event`",
            (Name::Event, Self::Child) => "what a child leaves is `child.data`, not `event`",
            (Name::Event, _) => {
                "no event is at hand here; remember it by `data` or `set` and read `data.…`"
            }
            (Name::Failure, _) => {
                "`failure` is known only in `compensate`, `ends.compensated` and `ends.stuck`"
            }
            (Name::Now, _) => "the time is always known",
            (Name::Item | Name::Index | Name::Branch, _) => {
                "`item`, `index` and `branch` are known only in the steps of an `each`"
            }
            (Name::Fence, _) => "`fence` is known only in the steps of a `lock`",
            (Name::Answer, _) => "`answer` is known only in what an `ask` sets",
            (Name::Child, _) => "`child` is known only in what a `saga` step sets",
        }
    }

    /// The fields that a name has here, if they are known.
    pub fn fields(self, name: Name) -> Option<&'static [&'static str]> {
        let of_call = matches!(self, Self::Http | Self::UndoneHttp);
        match name {
            Name::Failure => Some(&["step", "kind", "reason"]),
            Name::Answer => Some(&["choice", "by", "note", "data"]),
            Name::Child => Some(&["data", "failure"]),
            Name::Event => of_call.then_some(&["status", "headers", "body"]),
            Name::Data
            | Name::Key
            | Name::Now
            | Name::Item
            | Name::Index
            | Name::Branch
            | Name::Fence => None,
        }
    }
}

use crate::message::{InputId, Timestamp};

/// A request and its attempts.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Request {
    /// All that were ever sent; the next one's number is one more.
    pub attempts: u32,
    /// Those of the present budget.
    pub spent: u32,
    /// When the present budget began.
    pub since: Timestamp,
    /// What is awaited.
    pub progress: Progress,
    /// The event, act, letter or call that answered; none while nothing did.
    pub answer: InputId,
    /// So many attempts, from the first one on, surely never left: of calls only.
    pub unsent: u32,
    /// Whether the present attempt got its time a second time, for the engine was away when it
    /// ran out.
    pub extended: bool,
}

/// What a request awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// A reply, until then.
    Waiting(Timestamp),
    /// The next attempt, then.
    Pausing(Timestamp),
    /// Nothing: a reply came, or none is needed.
    Answered,
    /// Nothing, but a late reply still counts.
    GivenUp,
    /// A person, who may also ask the probe once more.
    Parked,
    /// What may take as long as it likes: the answer of another instance, or the lock around an
    /// undoing.
    Open,
}

impl Request {
    /// A request that was never sent.
    pub(in crate::engine) fn unsent(now: Timestamp) -> Self {
        Self {
            attempts: 0,
            spent: 0,
            since: now,
            progress: Progress::Pausing(now),
            answer: InputId::default(),
            unsent: 0,
            extended: false,
        }
    }

    /// A request that needs no answer: there is nothing to do, or a fact did it.
    pub(in crate::engine) fn settled(now: Timestamp) -> Self {
        Self { progress: Progress::Answered, ..Self::unsent(now) }
    }

    /// Whether it waits for a reply, or for the time to send it again.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self.progress, Progress::Waiting(_) | Progress::Pausing(_))
    }

    /// Whether it is an undoing that waits for the lock around its step; of a child the same marks
    /// a wish to take itself back that was not sent yet.
    #[must_use]
    pub fn awaits_lock(&self) -> bool {
        self.progress == Progress::Open && self.attempts == 0
    }

    /// Whether none of its attempts has left: then it surely did not happen.
    #[must_use]
    pub fn never_left(&self) -> bool {
        self.attempts > 0 && self.unsent == self.attempts
    }

    /// Whether a reply would still be taken.
    #[must_use]
    pub fn lacks_answer(&self) -> bool {
        self.progress != Progress::Answered
    }
}

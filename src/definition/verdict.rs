use super::fact::Assignment;

/// What a business "no" means for the saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The way back.
    GoBack,
    /// The saga deals with it.
    GoOn,
    /// A person must act.
    Park,
}

/// What to do about an action that may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Go back; undo it as if it had happened.
    Compensate,
    /// Ask the participant whether it happened.
    Probe,
    /// Keep sending for as long as `limits.insist` says, 24 hours by default, then park.
    Retry,
    /// Park.
    Park,
}

/// What the rejection of a step that no single event rejects means for the saga: its time is up,
/// its child was compensated, all its branches were rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What it writes into the data; only with `then: go-on`.
    pub set: Vec<Assignment>,
    /// What it means for the saga.
    pub then: Then,
}

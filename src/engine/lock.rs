//! Locks: instances of the built-in saga `segue-lock`, first come, first served.

use crate::message::{InstanceId, Timestamp};

/// Who holds a lock and who waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// The last token that was handed out, or a greater one that was used elsewhere.
    pub fence: u64,
    /// Who holds it, and the token they were given.
    pub holder: Option<(Claim, u64)>,
    /// Who waits, in their order.
    pub waiting: Vec<Claim>,
    /// When it is forgotten; set while nobody holds it.
    pub forget: Option<Timestamp>,
}

/// Who wants a lock: a step of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The instance.
    pub instance: InstanceId,
    /// Its life.
    pub generation: u32,
    /// The coordinate of the step.
    pub step: String,
    /// How often that step has asked.
    pub round: u32,
}

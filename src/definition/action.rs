//! Steps that do something to the world, and how each is undone.

use super::call::{CallFailed, CallRequest};
use super::compensation::Compensation;
use super::fact::Fact;
use super::request::{Failed, Probe, Request};
use super::verdict::Unknown;

/// A request over Kafka and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandStep {
    /// The request itself.
    pub request: Request,
    /// The business "no".
    pub failed: Vec<Failed>,
    /// What to do when the attempts are spent and it may have happened.
    pub unknown: Unknown,
    /// The question whether it happened; always there with [`Unknown::Probe`].
    pub probe: Option<Probe>,
    /// How it is undone.
    pub compensate: Compensation,
}

/// A fact as a step, and what corrects it.
#[derive(Debug, Clone, PartialEq)]
pub struct EmitStep {
    /// The fact.
    pub fact: Fact,
    /// How it is taken back.
    pub compensate: Compensation,
}

/// A request over HTTP that the engine itself makes, and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStep {
    /// The request itself.
    pub request: CallRequest,
    /// The answers that say no.
    pub failed: Vec<CallFailed>,
    /// What to do when the attempts are spent and it may have happened; never a probe.
    pub unknown: Unknown,
    /// How it is undone.
    pub compensate: Compensation,
}

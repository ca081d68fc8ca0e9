//! Decides what an input does to an instance; pure: no IO, no clock, no randomness.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod input;
mod instance;
mod transition;

pub use input::{Act, Input, Verb};
pub use instance::{
    Direction, Failure, FailureKind, Frame, Generation, Instance, Phase, Progress, Request, Status,
    StepState, Stuck,
};
pub use transition::{Effect, Message, Note, NoteKind, Rejection, Transition};

use crate::definition::Catalog;
use crate::message::{InstanceId, Timestamp};

/// What `input` does to the instance `id` at `now`.
///
/// # Errors
/// When it changes nothing, and why.
pub fn step(
    catalog: &Catalog,
    id: &InstanceId,
    before: Option<&Instance>,
    input: &Input,
    now: Timestamp,
) -> Result<Transition, Rejection> {
    let _ = (catalog, before, input, now);
    Err(Rejection::Unmatched(format!("no instance {id}")))
}

/// When the instance next wants [`Input::Wake`]; never if it has no timer.
#[must_use]
pub fn next_due(instance: &Instance) -> Option<Timestamp> {
    instance.generations.iter().filter_map(|g| g.deadline).min()
}

//! Decides what an input does to an instance; pure: no IO, no clock, no randomness.
//!
//! ```text
//!                 start                       all steps done
//!   (nothing) ──────────────▶ running ─────────────────────────▶ completed ─┐
//!                              │   ▲                                          │ forgotten
//!       rejected, exhausted,   │   │ a person acts                            │ after `late`
//!       deadline, cancel, fail ▼   │                                          ▼
//!                         compensating ◀──▶ stuck          (nothing) ◀── compensated
//!                              │         all that may have happened undone    ▲
//!                              └───────────────────────────────────────────────┘
//! ```
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod course;
mod dry_run;
mod input;
mod kind;
mod lock;
mod note;
mod request;
mod state;
mod told;
mod transition;
mod work;

#[cfg(test)]
pub(crate) mod tests;

pub use dry_run::{DryRun, dry_run, refusal};
pub use input::{Act, CallOutcome, Called, Input, Verb, Wake};
pub use note::{Awaited, Claimant, DataChange, Note, NoteKind, Proof, Sending, What};
pub use state::{
    Branched, Child, Claim, Direction, Early, Failure, FailureKind, Frame, Hold, Inside, Instance,
    Letter, Life, Lock, Locked, Parent, Paused, Phase, Progress, Reminder, Remnant, Request,
    Requested, Say, Stage, Status, StepState, Stuck,
};
pub use transition::{Call, Effect, Message, Question, Rejection, Transition};

use crate::definition::Catalog;
use crate::message::{InstanceId, Span, Timestamp};

use course::timers;
use told::case::Case;
use told::meaning::Meaning;

/// What `input` does to the instance `id` at `now`.
///
/// The one door of the engine. `before` is what the last transition answered, nothing for an
/// instance that is not known. The same arguments give the same answer, on every machine.
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
    if id.saga.is_lock() {
        return lock::step(&catalog.limits, id, before, input, now);
    }
    let told = Meaning::of(catalog, id, before, input, now)?;
    let instance = before.cloned().unwrap_or_default();
    let mut case = Case::of(catalog, id, now, instance);
    case.obey(told)?;
    case.begin_queued();
    Ok(case.close())
}

/// When the instance next wants [`Input::Wake`]; never if it has no timer.
#[must_use]
pub fn next_due(instance: &Instance) -> Option<Timestamp> {
    if let Some(kept) = kept_since(instance) {
        // What is remembered, and what came early, waits for the start that is kept.
        let work = instance.lives.iter().filter_map(timers::next_work);
        return work.chain([kept]).min();
    }
    let lives = instance.lives.iter().filter_map(timers::next_due);
    let gone = instance.remnants.iter().map(|remnant| remnant.forget);
    let early = instance.early.iter().filter_map(|early| early.until);
    let lock = instance.lock.as_ref().and_then(|lock| lock.forget);
    lives.chain(gone).chain(early).chain(lock).min()
}

/// Timers from here on strike when a saga is active again, or retired, in their order.
pub const WHEN_ACTIVE: Timestamp = Timestamp(i64::MAX / 2);

/// The timer of starts that a pause keeps.
fn kept_since(instance: &Instance) -> Option<Timestamp> {
    let kept = instance.queued.first().filter(|_| instance.paused)?;
    Some(WHEN_ACTIVE.after(Span(kept.timestamp.0.max(0).cast_unsigned())))
}

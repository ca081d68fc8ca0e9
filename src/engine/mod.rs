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

mod check;
mod handler;
mod input;
mod instance;
pub mod limits;
mod transition;
mod turn;

#[cfg(test)]
mod tests;

pub use input::{Act, Input, Verb};
pub use instance::{
    Direction, Failure, FailureKind, Frame, Generation, Instance, Phase, Progress, Request, Status,
    StepState, Stuck,
};
pub use transition::{Effect, Message, Note, NoteKind, Rejection, Transition};

use std::sync::Arc;

use crate::definition::{Catalog, Definition};
use crate::message::{Event, InstanceId, Timestamp};

use handler::{act, cancel, reply, start, wake};
use turn::{Out, Turn};

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
    let mut case = Case {
        catalog,
        id,
        now,
        instance: before.cloned().unwrap_or_default(),
        out: Out::default(),
        touched: None,
    };
    match input {
        Input::Event(event) => case.event(event)?,
        Input::Wake => case.wake()?,
        Input::Act(act) => case.act(act)?,
    }
    case.begin_queued();
    Ok(case.close())
}

/// When the instance next wants [`Input::Wake`]; never if it has no timer.
#[must_use]
pub fn next_due(instance: &Instance) -> Option<Timestamp> {
    instance.generations.iter().filter_map(wake::next_due).min()
}

/// One instance and one input, while the answer is being found.
struct Case<'a> {
    catalog: &'a Catalog,
    id: &'a InstanceId,
    now: Timestamp,
    instance: Instance,
    out: Out,
    /// Which generation the input was for.
    touched: Option<usize>,
}

impl Case<'_> {
    fn definition(&self, place: usize) -> Result<Arc<Definition>, Rejection> {
        let hash = self.instance.generations[place].definition;
        self.catalog.by_hash(hash).cloned().ok_or_else(|| {
            Rejection::Refused(format!("{} runs on a definition that is not known here", self.id))
        })
    }

    /// Lets a handler change one generation.
    fn with<T>(
        &mut self,
        place: usize,
        handle: impl FnOnce(&mut Turn<'_>) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let definition = self.definition(place)?;
        let mut turn = Turn {
            definition: &definition,
            id: self.id,
            generation: &mut self.instance.generations[place],
            now: self.now,
            out: &mut self.out,
        };
        let answer = handle(&mut turn)?;
        self.touched = Some(place);
        Ok(answer)
    }

    /// An event is an answer, else a cancel, else a start: it is taken once.
    fn event(&mut self, event: &Event) -> Result<(), Rejection> {
        if let Some(found) = reply::find(self.catalog, self.id, &self.instance, event, self.now)? {
            return self.with(found.generation, |turn| reply::take(turn, found, event));
        }
        if let Some(newest) = self.instance.generations.len().checked_sub(1) {
            let is_cancel = self.with(newest, |turn| Ok(cancel::find(turn, event)?.is_some()))?;
            if is_cancel {
                return self.with(newest, |turn| cancel::take(turn, event));
            }
        }
        self.touched = None;
        if let Some(definition) = self.catalog.newest(&self.id.saga).cloned()
            && let Some(start) = start::find(&definition, self.id, event, self.now)?
        {
            return self.start(&definition, start, event);
        }
        Err(self.unmatched(event))
    }

    fn start(
        &mut self,
        definition: &Definition,
        start: &crate::definition::Start,
        event: &Event,
    ) -> Result<(), Rejection> {
        let (instance, out) = (&mut self.instance, &mut self.out);
        start::take(definition, start, self.id, instance, event, self.now, out)?;
        self.touched = Some(self.instance.generations.len() - 1);
        Ok(())
    }

    fn unmatched(&self, event: &Event) -> Rejection {
        let state = match self.instance.newest() {
            None => return Rejection::Unmatched(format!("there is no {}", self.id)),
            Some(newest) => newest.status().text(),
        };
        Rejection::Unmatched(format!(
            "{} is {state} and has no step that takes {}",
            self.id, event.address
        ))
    }

    fn wake(&mut self) -> Result<(), Rejection> {
        let mut woken = self.forget();
        for place in 0..self.instance.generations.len() {
            let touched = self.touched;
            if self.with(place, |turn| Ok(wake::wake(turn)))? {
                woken = true;
            } else {
                self.touched = touched;
            }
        }
        if woken { Ok(()) } else { Err(Rejection::Ignored("no timer is due".to_owned())) }
    }

    /// Drops the generations whose time is over; one that still undoes something is kept.
    /// Answers whether there was one.
    fn forget(&mut self) -> bool {
        let now = self.now;
        let mut changed = false;
        let notes = &mut self.out.notes;
        self.instance.generations.retain_mut(|generation| {
            if generation.forget.is_none_or(|at| at > now) {
                return true;
            }
            changed = true;
            let undos = generation.frame.steps.iter().flat_map(|s| &s.undos);
            if !generation.stuck.is_empty() || undos.into_iter().any(Request::lacks_answer) {
                // What is owed after the end is owed until a person says otherwise.
                generation.forget = None;
                return true;
            }
            let (kind, words) = (NoteKind::Forgotten, String::new());
            notes.push(Note { generation: generation.number, step: None, kind, words });
            false
        });
        changed
    }

    fn act(&mut self, act: &Act) -> Result<(), Rejection> {
        let stuck = self.instance.generations.iter().position(|g| !g.stuck.is_empty());
        let place = stuck.or_else(|| self.instance.generations.len().checked_sub(1));
        let place =
            place.ok_or_else(|| Rejection::Unmatched(format!("there is no {}", self.id)))?;
        self.with(place, |turn| act::take(turn, act))
    }

    /// Lets the starts that waited begin, one as soon as the one before it has ended.
    fn begin_queued(&mut self) {
        while !self.instance.queued.is_empty() && self.instance.living().is_none() {
            if self.instance.newest().is_some_and(|g| !g.stuck.is_empty()) {
                return;
            }
            let event = self.instance.queued.remove(0);
            let Some(definition) = self.catalog.newest(&self.id.saga).cloned() else {
                return;
            };
            let (instance, out) = (&mut self.instance, &mut self.out);
            match start::begin(&definition, self.id, instance, &event, self.now, out) {
                Ok(()) => self.touched = Some(self.instance.generations.len() - 1),
                Err(refused) => out.effects.push(Effect::Complaint(refused.to_string())),
            }
        }
    }

    fn close(mut self) -> Transition {
        if let Some(generation) =
            self.touched.and_then(|place| self.instance.generations.get_mut(place))
        {
            generation.transitions += 1;
        }
        let forgotten = self.instance.generations.is_empty() && self.instance.queued.is_empty();
        if !forgotten {
            check::assert_sound(self.catalog, &self.instance);
        }
        Transition {
            after: (!forgotten).then_some(self.instance),
            effects: self.out.effects,
            notes: self.out.notes,
        }
    }
}

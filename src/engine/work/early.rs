//! Events that came before what waits for them, as seen from the life that they are for.

use super::scope::holds;
use super::turn::{Out, Turn};
use crate::definition::{Definition, Step, WaitStep, Waiting};
use crate::engine::state::place::Line;
use crate::engine::{Early, Effect, Rejection};
use crate::expression::Expression;
use crate::message::{Address, Event, InstanceId};

/// Whether an event of this kind may ask for the way back.
pub(in crate::engine) fn is_cancel(definition: &Definition, on: &Address) -> bool {
    definition.cancel.iter().any(|cancel| cancel.on == *on)
}

/// The waits that an event of this kind is for.
pub(in crate::engine) fn waits<'d>(
    definition: &'d Definition,
    on: &'d Address,
) -> impl Iterator<Item = &'d Step> {
    definition.steps.iter().filter(move |step| match step.waiting() {
        Some(Waiting::Fact(wait)) => takes(wait, on),
        Some(Waiting::Time(_) | Waiting::Person(_) | Waiting::Child(_)) | None => false,
    })
}

/// Whether a wait is for events of this kind.
pub(in crate::engine) fn takes(wait: &WaitStep, on: &Address) -> bool {
    wait.on.iter().any(|done| done.on == *on) || wait.failed.iter().any(|f| f.on == *on)
}

/// Takes the fact that asked for the way back before the start, if there is one. Others of its
/// kind are no news then; one that asks for nothing here is told to people, unless a wait may come
/// for it.
pub(in crate::engine) fn take_cancel(turn: &mut Turn<'_>) -> Option<Event> {
    let (cancels, kept): (Vec<_>, Vec<_>) = std::mem::take(turn.early)
        .into_iter()
        .partition(|early| is_cancel(turn.definition, &early.event.address));
    *turn.early = kept;
    let mut taken = None;
    for early in cancels {
        match asks_back(turn, &early.event) {
            Ok(true) => taken = taken.or(Some(early.event)),
            Ok(false) if waits(turn.definition, &early.event.address).next().is_some() => {
                turn.early.push(early);
            }
            Ok(false) => {
                let reason = "it came early, and its `where` does not hold for this start";
                turn.complain(&early.event, reason);
            }
            Err(rejection) => {
                turn.send(Effect::Complaint(format!("{}: {rejection}", turn.id)));
            }
        }
    }
    taken
}

/// Whether a fact asks the saga that has just begun for the way back.
fn asks_back(turn: &Turn<'_>, event: &Event) -> Result<bool, Rejection> {
    let mut cancels = turn.definition.cancel.iter().filter(|cancel| cancel.on == event.address);
    let holds = |condition: Option<&Expression>| {
        holds(condition, turn.id, turn.life, (&Line::main(), None), event, turn.now)
    };
    cancels.try_fold(false, |found, cancel| Ok(found || holds(cancel.condition.as_ref())?))
}

impl Turn<'_> {
    /// The event that was kept at a place, the oldest first.
    pub fn kept(&self, at: usize) -> Option<&Early> {
        self.early.get(at)
    }

    /// Takes the event that was kept at a place.
    pub fn take_kept(&mut self, at: usize) -> Event {
        self.early.remove(at).event
    }

    /// Tells people of an event that came early and is taken by nothing.
    pub fn complain(&mut self, event: &Event, reason: &str) {
        complain(self.id, event, reason, self.out);
    }
}

/// The same of an instance that has no life.
pub(in crate::engine) fn complain(id: &InstanceId, event: &Event, reason: &str, out: &mut Out) {
    let words = format!("{id}: {} {}: {reason}", event.address, event.id);
    out.effects.push(Effect::Complaint(words));
}

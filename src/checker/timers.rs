//! Sets the one timer that strikes next: when it does is a choice of the search.

use std::borrow::Cow;

use super::model::{LATER, NOW, State};
use super::moves::Move;
use super::spots::{Asked, Spot, step};
use crate::definition::{Budget, Definition, Step};
use crate::engine::{Inside, Instance, Life, Progress};
use crate::message::{Part, Span, Timestamp};

/// Further back than any budget reaches.
const LONG_AGO: Span = Span::hours(24 * 3_650);

/// The instance with the timer that a move chooses set to now.
pub(super) fn prepared<'s>(
    definition: &Definition,
    state: &'s State,
    next: &Move,
) -> Option<Cow<'s, Instance>> {
    let instance = state.instance.as_ref()?;
    let set = |set: &dyn Fn(&mut Life)| {
        let mut instance = instance.clone();
        instance.lives.last_mut().into_iter().for_each(set);
        Some(Cow::Owned(instance))
    };
    match next {
        Move::Exhausted(asked) => set(&|life| exhaust(definition, life, asked)),
        Move::Unsent(asked) => set(&|life| {
            exhaust(definition, life, asked);
            if let Some(request) = asked.request_mut(life) {
                request.unsent = request.attempts.saturating_sub(1);
            }
        }),
        Move::Due(spot) => set(&|life| spot.state_mut(life).until = Some(NOW)),
        Move::Remind(spot) => set(&|life| remind(life, spot)),
        Move::Deadline => set(&|life| life.deadline = Some(NOW)),
        Move::Start(_)
        | Move::StartChild
        | Move::Reply { .. }
        | Move::Again { .. }
        | Move::Called { .. }
        | Move::Fact(_)
        | Move::Cancel(_)
        | Move::Act { .. }
        | Move::Letter { .. } => Some(Cow::Borrowed(instance)),
    }
}

/// All attempts of a request but the last are behind it, and that one's time is up.
fn exhaust(definition: &Definition, life: &mut Life, asked: &Asked) {
    let spent = attempts(step(definition, life, &asked.spot), asked.part);
    if let Some(request) = asked.request_mut(life) {
        request.progress = Progress::Waiting(NOW);
        request.spent = spent;
        request.since = Timestamp(NOW.0 - LONG_AGO.0.cast_signed());
    }
}

/// How many attempts a request has, where its budget says so.
fn attempts(step: &Step, part: Part) -> u32 {
    match step.retry(part).map(|retry| retry.budget) {
        Some(Budget::Attempts(most)) => most,
        Some(Budget::For(_)) | None => 1,
    }
}

fn remind(life: &mut Life, spot: &Spot) {
    if let Inside::Reminder(reminder) = &mut spot.state_mut(life).inside {
        reminder.at = NOW;
    }
    debug_assert!(LATER > NOW, "the other timers lie in the future");
}

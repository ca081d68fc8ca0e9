//! Cancels: facts that ask for the way back.

use super::{back, wake};
use crate::definition::Catalog;
use crate::engine::turn::{self, Turn};
use crate::engine::{Direction, Failure, FailureKind, Instance, NoteKind, Rejection};
use crate::message::{Event, InstanceId, Timestamp};

/// Whether an event asks the newest generation for the way back.
///
/// # Errors
/// When its `where` has no answer.
pub(in crate::engine) fn is_one(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    event: &Event,
    now: Timestamp,
) -> Result<bool, Rejection> {
    let Some(newest) = instance.newest() else {
        return Ok(false);
    };
    let Some(definition) = catalog.by_hash(newest.definition) else {
        return Ok(false);
    };
    for cancel in definition.cancel.iter().filter(|c| c.on == event.address) {
        if turn::holds(cancel.condition.as_ref(), &newest.data, id, event, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Obeys a cancel: now, or once the pivot that was sent has its outcome.
///
/// # Errors
/// When there is no way back, or it has been taken or asked for already.
pub(in crate::engine) fn take(turn: &mut Turn<'_>, event: &Event) -> Result<(), Rejection> {
    let word = &event.address.event_type;
    let generation = &turn.generation;
    if generation.direction == Direction::Back {
        return Err(Rejection::Ignored(format!("{word}: the way back was taken already")));
    }
    if generation.ended.is_some() {
        return Err(Rejection::Refused(format!("{word}: {} has completed", turn.id)));
    }
    if generation.pivoted {
        let pivot = turn.definition.steps.iter().find(|s| s.pivot).map(|s| s.name.to_string());
        return Err(Rejection::Refused(format!(
            "{word}: {} of {} has been done, there is no way back",
            pivot.unwrap_or_default(),
            turn.id
        )));
    }
    let awaits_pivot = wake::awaits_pivot(turn);
    if awaits_pivot && generation.pending.is_some() {
        return Err(Rejection::Ignored(format!(
            "{word}: the way back is asked for already and waits for the pivot"
        )));
    }
    let failure =
        Failure { step: String::new(), kind: FailureKind::Cancelled, reason: word.to_string() };
    turn.note(None, NoteKind::Cancelled, word.to_string());
    if awaits_pivot {
        turn.generation.pending = Some(failure);
    } else {
        back::go_back(turn, failure);
    }
    Ok(())
}

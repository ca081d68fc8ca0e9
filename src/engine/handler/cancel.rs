//! Cancels: facts that ask for the way back.

use super::{back, wake};
use crate::definition::Cancel;
use crate::engine::turn::Turn;
use crate::engine::{Failure, FailureKind, NoteKind, Rejection, Status};
use crate::message::Event;

/// The entry of `cancel` that an event is, if it is one.
///
/// # Errors
/// When its `where` has no answer.
pub(in crate::engine) fn find<'d>(
    turn: &Turn<'d>,
    event: &Event,
) -> Result<Option<&'d Cancel>, Rejection> {
    for cancel in &turn.definition.cancel {
        if cancel.on != event.address {
            continue;
        }
        let holds = turn.holds(cancel.condition.as_ref(), event);
        if holds.map_err(|e| Rejection::Refused(format!("{}: {e}", event.address)))? {
            return Ok(Some(cancel));
        }
    }
    Ok(None)
}

/// Obeys a cancel as far as it can be obeyed.
///
/// # Errors
/// When there is no way back, or it has been taken already.
pub(in crate::engine) fn take(turn: &mut Turn<'_>, event: &Event) -> Result<(), Rejection> {
    let word = &event.address.event_type;
    match turn.generation.status() {
        Status::Running => {}
        Status::Stuck if turn.generation.ended.is_none() && turn.generation.failure.is_none() => {}
        Status::Compensating | Status::Stuck | Status::Compensated => {
            return Err(Rejection::Ignored(format!("{word}: the way back was taken already")));
        }
        Status::Completed => {
            return Err(Rejection::Refused(format!("{word}: {} has completed", turn.id)));
        }
    }
    if turn.generation.pivoted {
        let pivot = turn.definition.steps.iter().find(|s| s.pivot).map(|s| s.name.to_string());
        return Err(Rejection::Refused(format!(
            "{word}: {} of {} has been done, there is no way back",
            pivot.unwrap_or_default(),
            turn.id
        )));
    }
    let failure =
        Failure { step: String::new(), kind: FailureKind::Cancelled, reason: word.to_string() };
    turn.note(None, NoteKind::Cancelled, word.to_string());
    if wake::awaits_pivot(turn) {
        turn.generation.pending.get_or_insert(failure);
    } else {
        back::go_back(turn, failure);
    }
    Ok(())
}

//! Cancels: facts that ask for the way back.

use crate::definition::Catalog;
use crate::engine::course::back;
use crate::engine::state::place::Line;
use crate::engine::work::early;
use crate::engine::work::scope::holds;
use crate::engine::work::turn::LifeTurn;
use crate::engine::{Act, Direction, Failure, FailureKind, Instance, Rejection, Verb, What};
use crate::message::{Event, InputId, InstanceId, Timestamp};

/// Whether an event asks the newest life for the way back.
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
        if holds(cancel.condition.as_ref(), id, newest, (&Line::main(), None), event, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Obeys a cancel: now, or once the pivot that was sent has its outcome.
///
/// # Errors
/// When there is no way back, or it has been taken or asked for already.
pub(in crate::engine) fn take(turn: &mut LifeTurn<'_>, event: &Event) -> Result<(), Rejection> {
    let word = event.address.event_type.to_string();
    ask_back(turn, &word, &word)
}

/// A fact that asked for the way back before the start counts now: nothing is sent.
pub(in crate::engine) fn came_before(turn: &mut LifeTurn<'_>) {
    let Some(event) = early::take_cancel(turn) else {
        return;
    };
    turn.life_mut().seen.push(InputId::of(&event));
    take(turn, &event).expect("what has just begun can go back");
}

/// A person asks for the way back: by `cancel`, or by `go-back` of a saga that runs.
///
/// # Errors
/// As [`take`]; a person is told even of what an event would not be told of.
pub(in crate::engine) fn by_a_person(turn: &mut LifeTurn<'_>, act: &Act) -> Result<(), Rejection> {
    if act.verb == Verb::Cancel {
        turn.note(None, super::act::acted(act));
    }
    let answer = ask_back(turn, act.verb.text(), &format!("{}: {}", act.by, act.why));
    answer.map_err(|rejection| match rejection {
        Rejection::Ignored(reason) => Rejection::Refused(reason),
        Rejection::Duplicate(_) | Rejection::Unmatched(_) | Rejection::Refused(_) => rejection,
    })
}

fn ask_back(turn: &mut LifeTurn<'_>, word: &str, reason: &str) -> Result<(), Rejection> {
    let life = &turn.life();
    if life.direction == Direction::Back {
        return Err(Rejection::Ignored(format!("{word}: the way back was taken already")));
    }
    if life.ended.is_some() {
        return Err(Rejection::Refused(format!("{word}: {} has completed", turn.id)));
    }
    if life.pivoted {
        let pivot = turn.definition.steps.iter().find(|s| s.pivot).map(|s| s.name.to_string());
        return Err(Rejection::Refused(format!(
            "{word}: {} of {} has been done, there is no way back",
            pivot.unwrap_or_default(),
            turn.id
        )));
    }
    let awaits_pivot = turn.awaits_pivot();
    if awaits_pivot && life.pending.is_some() {
        return Err(Rejection::Ignored(format!(
            "{word}: the way back is asked for already and waits for the pivot"
        )));
    }
    let (step, kind) = (None, FailureKind::Cancelled);
    let failure = Failure { step, kind, reason: turn.limits.cut(reason) };
    turn.note(None, What::Cancelled { reason: failure.reason.clone() });
    if awaits_pivot {
        turn.life_mut().pending = Some(Box::new(failure));
    } else {
        back::go_back(turn, failure);
    }
    Ok(())
}

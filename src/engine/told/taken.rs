//! Events that were here before: each is taken once.

use crate::definition::{Catalog, Definition};
use crate::engine::state::place::walk;
use crate::engine::state::remnant;
use crate::engine::{Instance, Life, Rejection};
use crate::message::{Event, InstanceId};

/// Refuses an event that was here before: it has started a life or waits to, was an answer or a
/// cancel, or is kept. Another event of its kind is none of these, whatever it names.
///
/// # Errors
/// When it was here before, with what it was.
pub(in crate::engine) fn refuse_again(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    event: &Event,
) -> Result<(), Rejection> {
    let again = |what: &str| Err(Rejection::Duplicate(format!("event {} {what}", event.id)));
    if instance.queued.iter().any(|queued| queued.is(event)) {
        return again(&format!("waits already to start {id}"));
    }
    if instance.early.iter().any(|early| early.event.is(event)) {
        return again("is kept already");
    }
    if instance.paused_life().is_some_and(|(_, paused)| paused.has_event(event)) {
        return again("is held already");
    }
    if !instance.remnants.is_empty() {
        let digests = remnant::digests(event);
        if instance.remnants.iter().any(|remnant| remnant.has_taken(&digests)) {
            return again("was taken before, by an earlier life");
        }
    }
    for life in &instance.lives {
        let Some(definition) = catalog.by_hash(life.definition) else {
            continue;
        };
        if has_started(definition, life, event) {
            return again(&format!("has started {id} before"));
        }
        if was_obeyed(definition, life, event) {
            return again("was obeyed before");
        }
        if was_answer(definition, life, event) {
            return again("was taken before");
        }
    }
    Ok(())
}

// An id that was stored before sources were read is unique among events of one kind only, so an
// equal one of another kind means nothing.

fn has_started(definition: &Definition, life: &Life, event: &Event) -> bool {
    life.started_by.is(event) && definition.starts.iter().any(|start| start.on == event.address)
}

fn was_obeyed(definition: &Definition, life: &Life, event: &Event) -> bool {
    life.seen.iter().any(|seen| seen.is(event))
        && definition.cancel.iter().any(|cancel| cancel.on == event.address)
}

fn was_answer(definition: &Definition, life: &Life, event: &Event) -> bool {
    let taken = walk(&life.frame, |_, _, state| {
        let mut all = state.requests();
        all.any(|(part, request)| {
            request.answer.is(event)
                && definition.step(state.step).answers(part).mention(&event.address)
        })
        .then_some(())
    });
    taken.is_some()
}

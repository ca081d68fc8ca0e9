//! Events that came before what waits for them.

use std::iter;

use super::case::Case;
use crate::definition::{After, BlockId, Catalog, Definition, Step, StepId};
use crate::engine::state::weight;
use crate::engine::work::early::{complain, is_cancel, waits};
use crate::engine::work::turn::Out;
use crate::engine::{Direction, Early, Frame, Instance, Life, Note, Phase, Rejection, What};
use crate::message::{Event, InstanceId, LifeId, Timestamp};

/// How long an event is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Kept {
    /// For a start to come.
    Until(Timestamp),
    /// As long as a wait may come for it.
    WhileItLives,
}

/// How long an event that nothing takes now is kept: none if nothing will ever wait for it.
pub(in crate::engine) fn kept_for(
    catalog: &Catalog,
    id: &InstanceId,
    before: Option<&Instance>,
    event: &Event,
    now: Timestamp,
) -> Option<Kept> {
    if let Some(living) = before.and_then(Instance::living) {
        let definition = catalog.by_hash(living.definition)?;
        let comes = living.direction == Direction::Forward
            && waits(definition, &event.address).any(|step| to_come(definition, living, step));
        return comes.then_some(Kept::WhileItLives);
    }
    let definition = catalog.newest(&id.saga)?;
    let remembered = before.is_some_and(|instance| !instance.lives.is_empty());
    let may_start = !definition.starts.is_empty()
        && (!remembered || definition.starts.iter().any(|start| start.after == After::New));
    // Whoever is remembered is asked for the way back at once.
    let cancels = !remembered && is_cancel(definition, &event.address);
    let comes = may_start && (cancels || waits(definition, &event.address).next().is_some());
    comes.then(|| Kept::Until(now.after(definition.early)))
}

/// Whether a step may still be entered.
fn to_come(definition: &Definition, living: &Life, step: &Step) -> bool {
    frames_of(definition, &living.frame, step.block)
        .iter()
        .any(|frame| is_ahead(definition, frame, step.id))
        || owner_to_come(definition, living, step.block)
}

fn owner_to_come(definition: &Definition, living: &Life, block: BlockId) -> bool {
    definition
        .block(block)
        .owner
        .is_some_and(|owner| to_come(definition, living, definition.step(owner)))
}

fn is_ahead(definition: &Definition, frame: &Frame, step: StepId) -> bool {
    let steps = &definition.block(frame.block).steps;
    let ahead = steps.get(frame.position as usize..).unwrap_or_default();
    frame.direction == Direction::Forward
        && !frame.over
        && ahead.contains(&step)
        && !frame.steps.iter().any(|state| state.step == step && state.phase == Phase::Running)
}

/// The lists under way that run this block: one for each branch of a fan-out.
fn frames_of<'f>(definition: &Definition, main: &'f Frame, block: BlockId) -> Vec<&'f Frame> {
    let Some(owner) = definition.block(block).owner else {
        return vec![main];
    };
    let outer = frames_of(definition, main, definition.step(owner).block);
    let owners = outer.into_iter().flat_map(|f| f.steps.iter().filter(|s| s.step == owner));
    owners.flat_map(|s| s.frames().iter().filter(|f| f.block == block)).collect()
}

/// Keeps an event.
///
/// # Errors
/// When too many are.
pub(in crate::engine) fn keep(
    case: &mut Case<'_>,
    event: &Event,
    kept: Kept,
) -> Result<(), Rejection> {
    let most = case.catalog.limits.early_max;
    if case.instance.early.len() >= most {
        return Err(Rejection::Refused(format!(
            "{}: {most} events of {} wait for their step already (`limits.early-max`)",
            event.address, case.id
        )));
    }
    case.room_for(&event.address, weight::of_events(iter::once(event)))?;
    let until = match kept {
        Kept::Until(at) => Some(at),
        Kept::WhileItLives => None,
    };
    case.instance.early.push(Early { event: event.clone(), until });
    let life = case.instance.lives.last_mut().map_or(LifeId::default(), |newest| {
        newest.transitions += 1;
        newest.id
    });
    let what = What::Kept { event: event.address.clone(), id: event.id.clone() };
    case.out.notes.push(Note { life, step: None, what });
    Ok(())
}

/// A saga has begun: what was kept for it stays as long as a wait may come.
pub(in crate::engine) fn begun(early: &mut [Early]) {
    for kept in early {
        kept.until = None;
    }
}

/// Drops what was kept long enough; answers whether there was such.
pub(in crate::engine) fn expire(
    id: &InstanceId,
    instance: &mut Instance,
    now: Timestamp,
    out: &mut Out,
) -> bool {
    let is_over = |early: &Early| early.until.is_some_and(|until| until <= now);
    let (lost, kept): (Vec<_>, Vec<_>) =
        std::mem::take(&mut instance.early).into_iter().partition(is_over);
    instance.early = kept;
    for early in &lost {
        complain(id, &early.event, "it came early, and no start has followed", out);
    }
    !lost.is_empty()
}

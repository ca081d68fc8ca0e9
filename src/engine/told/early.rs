//! Events that came before what waits for them.

use std::iter;

use serde_json::Value;

use super::case::Case;
use crate::definition::{After, BlockId, Catalog, Definition, Limits, State, Step, StepId, bytes};
use crate::engine::state::weight;
use crate::engine::work::early::{complain, waits};
use crate::engine::work::turn::Out;
use crate::engine::{Direction, Early, Frame, Instance, Life, Note, Phase, Rejection, What};
use crate::expression::{Expression, Name, Scope};
use crate::message::{Event, InstanceId, Timestamp};

/// How long an event is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Kept {
    /// For a start to come.
    Until(Timestamp),
    /// As long as a wait may come for it.
    WhileItLives,
}

/// How long an event that nothing takes now is kept: none if nothing will ever wait for it.
///
/// # Errors
/// When the `where` of what may wait for it has no answer.
pub(in crate::engine) fn kept_for(
    catalog: &Catalog,
    id: &InstanceId,
    before: Option<&Instance>,
    event: &Event,
    now: Timestamp,
) -> Result<Option<Kept>, Rejection> {
    let key = Value::String(id.key.as_str().to_owned());
    let early = Arrival { event, key, now };
    let living = before.and_then(Instance::living);
    if let Some(living) = living.filter(|living| living.direction == Direction::Forward)
        && let Some(definition) = catalog.by_hash(living.definition)
        && early.is_awaited(definition, |step| to_come(definition, living, step))?
    {
        return Ok(Some(Kept::WhileItLives));
    }
    let definition = match catalog.starting(&id.saga) {
        Some((definition, State::Active | State::Paused)) => definition,
        Some((_, State::Retired | State::Removed)) | None => return Ok(None),
    };
    // A start that waits in the queue will have waits of its own.
    let is_queued = before.is_some_and(|instance| !instance.queued.is_empty());
    if is_queued && early.is_awaited(definition, |_| true)? {
        return Ok(Some(Kept::WhileItLives));
    }
    if living.is_some() {
        return Ok(None);
    }
    let remembered = before.is_some_and(|instance| !instance.lives.is_empty());
    let may_start = if remembered {
        definition.starts.iter().any(|start| start.after == After::New)
    } else {
        definition.by_parent || !definition.starts.is_empty()
    };
    // Whoever is remembered is asked for the way back at once.
    let comes = may_start
        && ((!remembered && early.may_cancel(definition)?)
            || early.is_awaited(definition, |_| true)?);
    Ok(comes.then(|| Kept::Until(now.after(definition.early))))
}

/// An event that came early.
struct Arrival<'e> {
    event: &'e Event,
    key: Value,
    now: Timestamp,
}

impl Arrival<'_> {
    /// Whether one of these waits may take it.
    fn is_awaited(
        &self,
        definition: &Definition,
        is_open: impl Fn(&Step) -> bool,
    ) -> Result<bool, Rejection> {
        let waits = waits(definition, &self.event.address).filter(|step| is_open(step));
        let replies = waits.flat_map(|step| step.awaited().iter().collect::<Vec<_>>());
        let such = replies.filter(|reply| *reply.on == self.event.address);
        self.may_any_hold(such.map(|reply| reply.condition))
    }

    /// Whether it may ask a saga that starts for the way back.
    fn may_cancel(&self, definition: &Definition) -> Result<bool, Rejection> {
        let such = definition.cancel.iter().filter(|cancel| cancel.on == self.event.address);
        self.may_any_hold(such.map(|cancel| cancel.condition.as_ref()))
    }

    /// Whether one of these may hold: one that reads nothing but the event does or does not, what
    /// others read is not known yet.
    fn may_any_hold<'c>(
        &self,
        mut conditions: impl Iterator<Item = Option<&'c Expression>>,
    ) -> Result<bool, Rejection> {
        let scope =
            Scope::at(self.now).with(Name::Event, &self.event.body).with(Name::Key, &self.key);
        let mut unclear = None;
        let found = conditions.any(|condition| {
            let known = condition.filter(|condition| {
                let references = condition.references();
                references.iter().all(|read| matches!(read.name, Name::Event | Name::Key))
            });
            known.is_none_or(|condition| match condition.holds(&scope) {
                Ok(holds) => holds,
                Err(error) => {
                    unclear = Some(error);
                    false
                }
            })
        });
        match unclear.filter(|_| !found) {
            None => Ok(found),
            Some(e) => {
                let address = &self.event.address;
                Err(Rejection::Refused(format!("{address}: `where` has no answer: {e}")))
            }
        }
    }
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
    let Limits { early_max, early_bytes_max, .. } = case.catalog.limits;
    let refused = |words: String| Err(Rejection::Refused(format!("{}: {words}", event.address)));
    let kept_already = &case.instance.early;
    if kept_already.len() >= early_max {
        return refused(format!(
            "{early_max} events of {} wait for their step already (`limits.early-max`), so this \
             one is not kept",
            case.id
        ));
    }
    let so_far: usize = kept_already.iter().map(|early| weight::of_early(&early.event)).sum();
    if so_far + weight::of_early(event) > early_bytes_max {
        return refused(format!(
            "the events of {} that wait for their step would take more than {} \
             (`limits.early-bytes-max`), so this one is not kept",
            case.id,
            bytes(early_bytes_max)
        ));
    }
    case.room_for(&event.address, weight::of_events(iter::once(event)))?;
    let until = match kept {
        Kept::Until(at) => Some(at),
        Kept::WhileItLives => None,
    };
    case.instance.early.push(Early { event: event.clone(), until });
    let life = case.count_newest();
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

/// Drops what was kept for a saga that has ended, unless a start waits that may want it.
pub(in crate::engine) fn settle(case: &mut Case<'_>) {
    let Case { catalog, id, instance, out, .. } = case;
    if instance.living().is_some() || instance.early.iter().all(|early| early.until.is_some()) {
        return;
    }
    let next = catalog.newest(&id.saga).filter(|_| !instance.queued.is_empty());
    let is_wanted = |early: &Early| {
        early.until.is_some()
            || next.is_some_and(|next| waits(next, &early.event.address).next().is_some())
    };
    let (kept, lost): (Vec<_>, Vec<_>) =
        std::mem::take(&mut instance.early).into_iter().partition(is_wanted);
    instance.early = kept;
    for early in lost {
        complain(id, &early.event, "it came early, and nothing has waited for it", out);
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

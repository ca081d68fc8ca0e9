//! Events that came before what waits for them.

use std::iter;

use crate::definition::{After, BlockId, Catalog, Definition, Step, StepId, StepKind, WaitStep};
use crate::engine::request::reply;
use crate::engine::state::place::{Line, Place};
use crate::engine::state::weight;
use crate::engine::told::case::Case;
use crate::engine::work::scope::holds;
use crate::engine::work::turn::{Out, Turn};
use crate::engine::{
    Direction, Early, Effect, Frame, Generation, Instance, Note, NoteKind, Phase, Rejection,
};
use crate::expression::Expression;
use crate::message::{Address, Event, InstanceId, Life, Timestamp};

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
    let remembered = before.is_some_and(|instance| !instance.generations.is_empty());
    let may_start = !definition.starts.is_empty()
        && (!remembered || definition.starts.iter().any(|start| start.after == After::New));
    // Whoever is remembered is asked for the way back at once.
    let cancels = !remembered && is_cancel(definition, &event.address);
    let comes = may_start && (cancels || waits(definition, &event.address).next().is_some());
    comes.then(|| Kept::Until(now.after(definition.early)))
}

fn is_cancel(definition: &Definition, on: &Address) -> bool {
    definition.cancel.iter().any(|cancel| cancel.on == *on)
}

/// The waits that an event of this kind is for.
fn waits<'d>(definition: &'d Definition, on: &'d Address) -> impl Iterator<Item = &'d Step> {
    definition.steps.iter().filter(move |step| match &step.kind {
        StepKind::Wait(wait) => takes(wait, on),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => false,
    })
}

fn takes(wait: &WaitStep, on: &Address) -> bool {
    wait.on.iter().any(|done| done.on == *on) || wait.failed.iter().any(|f| f.on == *on)
}

/// Whether a step may still be entered.
fn to_come(definition: &Definition, living: &Generation, step: &Step) -> bool {
    frames_of(definition, &living.frame, step.block)
        .iter()
        .any(|frame| is_ahead(definition, frame, step.id))
        || owner_to_come(definition, living, step.block)
}

fn owner_to_come(definition: &Definition, living: &Generation, block: BlockId) -> bool {
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
    owners.flat_map(|s| s.frames.iter().filter(|f| f.block == block)).collect()
}

/// Keeps an event.
///
/// # Errors
/// When it is kept already, or too many are.
pub(in crate::engine) fn keep(
    case: &mut Case<'_>,
    event: &Event,
    kept: Kept,
) -> Result<(), Rejection> {
    if case.instance.early.iter().any(|early| early.event.is(event)) {
        return Err(Rejection::Duplicate(format!("event {} is kept already", event.id)));
    }
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
    let generation = case.instance.generations.last_mut().map_or(Life::default(), |newest| {
        newest.transitions += 1;
        newest.life
    });
    case.out.notes.push(Note {
        generation,
        step: None,
        kind: NoteKind::Kept,
        words: format!("{} {}", event.address, event.id),
    });
    Ok(())
}

/// Offers what was kept to a wait that was just entered, the oldest first.
pub(in crate::engine) fn offer(turn: &mut Turn<'_>, place: &Place, wait: &WaitStep) {
    let mut at = 0;
    while at < turn.early.len() {
        let event = &turn.early[at].event;
        if !takes(wait, &event.address) {
            at += 1;
            continue;
        }
        let found = reply::by_a_wait(turn, place, wait, event);
        let answer = match found {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                at += 1;
                continue;
            }
            Err(reason) => {
                let event = turn.early.remove(at).event;
                complain(turn.id, &event, &reason, turn.out);
                continue;
            }
        };
        let event = turn.early.remove(at).event;
        match reply::take_at(
            turn,
            place,
            crate::engine::request::slot::Slot::Action,
            answer,
            &event,
        ) {
            Ok(()) => return,
            Err(reason) => complain(turn.id, &event, &reason, turn.out),
        }
    }
}

/// What is kept for a saga that has ended will never be taken.
pub(in crate::engine) fn end(turn: &mut Turn<'_>) {
    let (kept, lost): (Vec<_>, Vec<_>) =
        std::mem::take(turn.early).into_iter().partition(|early| early.until.is_some());
    *turn.early = kept;
    for early in lost {
        complain(turn.id, &early.event, "it came early, and nothing has waited for it", turn.out);
    }
}

/// A saga has begun: what was kept for it stays as long as a wait may come.
pub(in crate::engine) fn begun(early: &mut [Early]) {
    for kept in early {
        kept.until = None;
    }
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
                complain(turn.id, &early.event, reason, turn.out);
            }
            Err(rejection) => {
                turn.out.effects.push(Effect::Complaint(format!("{}: {rejection}", turn.id)));
            }
        }
    }
    taken
}

/// Whether a fact asks the saga that has just begun for the way back.
fn asks_back(turn: &Turn<'_>, event: &Event) -> Result<bool, Rejection> {
    let mut cancels = turn.definition.cancel.iter().filter(|cancel| cancel.on == event.address);
    let holds = |condition: Option<&Expression>| {
        holds(condition, turn.id, turn.generation, &Line::main(), event, turn.now)
    };
    cancels.try_fold(false, |found, cancel| Ok(found || holds(cancel.condition.as_ref())?))
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

fn complain(id: &InstanceId, event: &Event, reason: &str, out: &mut Out) {
    let words = format!("{id}: {} {}: {reason}", event.address, event.id);
    out.effects.push(Effect::Complaint(words));
}

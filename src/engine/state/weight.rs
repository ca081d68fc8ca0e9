//! How much an instance remembers: its data as JSON, and about what stands beside it. It is rather
//! too much than too little, so that what is within the limit fits into one changelog record.

use serde_json::Value;

use super::{Frame, Instance, Life, Remnant, StepState};
use crate::definition::{BlockId, Catalog, Composite, Definition, Step, StepKind};
use crate::engine::{CallOutcome, Input, Verb};
use crate::message::Event;

/// A step that was entered, with its request, its undoing and the ids of their answers.
const STEP: usize = 200;
/// A branch of a fan-out, with the reasons of its failure and of its being stuck.
const BRANCH: usize = 600;
/// A life, apart from its data and its steps.
const LIFE: usize = 4_096;
/// An event that is kept, apart from its body.
const EVENT: usize = 1_024;
/// An event that came early, apart from what its sender wrote.
const EARLY: usize = 64;
/// What is left of a life that is over and done with, and each id in it.
const REMNANT: usize = 48;
const TAKEN: usize = 8;
/// A key of a lock.
const KEY: usize = 64;

/// How many bytes of JSON a value is at most.
pub(in crate::engine) fn of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.as_str().len() + 1,
        Value::String(text) => 1 + of_text(text),
        Value::Array(items) => 2 + items.iter().map(of_value).sum::<usize>(),
        Value::Object(fields) => 2 + of_fields(fields),
    }
}

/// The same for fields.
pub(in crate::engine) fn of_fields<'f>(
    fields: impl IntoIterator<Item = (&'f String, &'f Value)>,
) -> usize {
    fields.into_iter().map(|(name, field)| of_text(name) + 1 + of_value(field)).sum()
}

/// A text in quotes, with what JSON writes longer.
fn of_text(text: &str) -> usize {
    let longer = |byte: u8| match byte {
        b'"' | b'\\' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    2 + text.len() + text.bytes().map(longer).sum::<usize>()
}

/// The data of a life and its branches' own.
pub(in crate::engine) fn of_data(life: &Life) -> usize {
    fn inside(frame: &Frame) -> usize {
        let own = frame.item.as_deref().map_or(0, of_value);
        let late = frame.steps.iter().filter_map(|state| state.late.as_deref()).map(of_fields);
        let inner = frame.steps.iter().flat_map(StepState::frames).map(inside);
        own + of_fields(&frame.fields) + late.sum::<usize>() + inner.sum::<usize>()
    }
    of_value(&life.data) + inside(&life.frame)
}

/// All that an instance remembers.
pub(in crate::engine) fn of_instance(catalog: &Catalog, instance: &Instance) -> usize {
    let early = instance.early.iter().map(|early| &early.event);
    of_lives(catalog, &instance.lives)
        + of_remnants(&instance.remnants)
        + of_events(instance.queued.iter().chain(early))
}

/// What is left of lives.
pub(in crate::engine) fn of_remnants(remnants: &[Remnant]) -> usize {
    remnants.iter().map(|remnant| REMNANT + TAKEN * remnant.taken.len()).sum()
}

/// Some lives.
pub(in crate::engine) fn of_lives(catalog: &Catalog, lives: &[Life]) -> usize {
    let of = |life: &Life| catalog.by_hash(life.definition).map_or(0, |d| of_life(d, life));
    lives.iter().map(of).sum()
}

/// Events that are kept.
pub(in crate::engine) fn of_events<'e>(events: impl Iterator<Item = &'e Event>) -> usize {
    let of = |event: &Event| {
        let source = event.source.name().map_or(0, str::len);
        let own = event.id.len() + source + event.key.as_ref().map_or(0, String::len);
        EVENT + own + of_value(&event.body)
    };
    events.map(of).sum()
}

/// An event that came early: what its sender wrote, and little beside it.
pub(in crate::engine) fn of_early(event: &Event) -> usize {
    let Event { id, key, command, .. } = event;
    let beside = [key, command].into_iter().flatten().map(String::len).sum::<usize>();
    EARLY + id.len() + event.source.name().map_or(0, str::len) + beside + of_value(&event.body)
}

/// What is held during a pause: what its senders wrote, and little beside it.
pub(in crate::engine) fn of_held<'i>(held: impl Iterator<Item = &'i Input>) -> usize {
    let of = |input: &Input| match input {
        Input::Event(event) => of_early(event),
        Input::Act(act) => EARLY + act.id.len() + act.by.len() + act.why.len() + of_verb(&act.verb),
        Input::Called(called) => EARLY + called.command.len() + of_outcome(&called.outcome),
        Input::Letter(letter) => EVENT + letter.say.carried().map_or(0, of_value),
        Input::Wake(_) => 0,
    };
    held.map(of).sum()
}

fn of_verb(verb: &Verb) -> usize {
    match verb {
        Verb::Answer { choice, note, data } => choice.len() + note.len() + of_fields(data),
        Verb::ResolveDone(fields) | Verb::SetData(fields) => of_fields(fields),
        Verb::Retry
        | Verb::Skip
        | Verb::ResolveNotDone
        | Verb::GoBack
        | Verb::Cancel
        | Verb::Pause
        | Verb::Resume => 0,
    }
}

fn of_outcome(outcome: &CallOutcome) -> usize {
    match outcome {
        CallOutcome::Answered { headers, body, .. } => {
            let headers = headers.iter().map(|(name, value)| name.len() + value.len());
            of_value(body) + headers.sum::<usize>()
        }
        CallOutcome::Failed { reason, .. } => reason.len(),
    }
}

/// A life with every step that it has entered or may still enter, except for those of fan-outs that
/// have not begun.
pub(in crate::engine) fn of_life(definition: &Definition, life: &Life) -> usize {
    let steps = of_block(definition, BlockId::MAIN) + fanned_out(definition, &life.frame);
    let held = life.paused.iter().flat_map(|paused| &paused.held);
    LIFE + of_data(life) + steps + of_held(held)
}

/// A branch of a fan-out that is about to begin, without its element.
pub(in crate::engine) fn of_branch(definition: &Definition, block: BlockId) -> usize {
    BRANCH + of_block(definition, block)
}

/// The steps of a list and of all that stands in it, except for fan-outs.
fn of_block(definition: &Definition, block: BlockId) -> usize {
    let of_blocks = |blocks: &mut dyn Iterator<Item = BlockId>| -> usize {
        blocks.map(|block| of_block(definition, block)).sum()
    };
    let of_step = |step: &Step| match step.composite() {
        Some(Composite::Parallel(parallel)) => of_blocks(&mut parallel.branches.iter().copied()),
        Some(Composite::Choose(choose)) => of_blocks(&mut choose.arms.iter().map(|arm| arm.block)),
        Some(Composite::Lock(lock)) => KEY * lock.keys.len() + of_block(definition, lock.block),
        Some(Composite::Each(_)) | None => 0,
    };
    let steps = &definition.block(block).steps;
    steps.iter().map(|id| STEP + of_step(definition.step(*id))).sum()
}

/// The branches of the fan-outs that have begun in a list.
fn fanned_out(definition: &Definition, frame: &Frame) -> usize {
    let of_state = |state: &StepState| {
        let fans = matches!(definition.step(state.step).kind, StepKind::Each(_));
        let own = |frame: &Frame| if fans { of_branch(definition, frame.block) } else { 0 };
        state.frames().iter().map(|frame| own(frame) + fanned_out(definition, frame)).sum::<usize>()
    };
    frame.steps.iter().map(of_state).sum()
}

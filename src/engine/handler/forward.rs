//! The way forward: enters one step after the other until one has to wait.

use super::{back, finish, request};
use crate::definition::{CommandStep, EmitStep, Step, StepKind, Then};
use crate::engine::turn::{Addressed, Turn};
use crate::engine::{Direction, Effect, Failure, FailureKind, NoteKind, Phase, Request, StepState};
use crate::expression::{Name, Scope, Template};
use crate::message::{Event, Part};

use request::Slot;

/// Enters steps until one waits, the way back is taken, or all are done.
pub(in crate::engine) fn advance(turn: &mut Turn<'_>) {
    while is_free(turn) {
        let place = turn.generation.frame.position as usize;
        let Some(step) = turn.definition.main().get(place).copied() else {
            finish::complete(turn);
            return;
        };
        let step = turn.step(step);
        if enter(turn, step) {
            turn.generation.frame.position += 1;
        }
    }
}

/// Whether nothing keeps the generation from entering its next step.
fn is_free(turn: &Turn<'_>) -> bool {
    let generation = &turn.generation;
    generation.direction == Direction::Forward
        && generation.ended.is_none()
        && generation.stuck.is_empty()
        && generation.frame.steps.last().is_none_or(|s| s.phase != Phase::Running)
}

/// Enters a step; answers whether it is over already.
fn enter(turn: &mut Turn<'_>, step: &Step) -> bool {
    match condition(turn, step) {
        Ok(true) => {}
        Ok(false) => {
            push(turn, step, Phase::Skipped, None);
            turn.note(Some(&step.name), NoteKind::Skipped, "its `when` is false");
            return true;
        }
        Err(reason) => return stopped(turn, step, &reason),
    }
    match &step.kind {
        StepKind::Command(command) => enter_command(turn, step, command),
        StepKind::Emit(emit) => enter_emit(turn, step, emit),
        StepKind::Set => match turn.assigned(&step.set, None) {
            Ok(data) => {
                succeed(turn, step, data);
                true
            }
            Err(reason) => stopped(turn, step, &reason),
        },
        StepKind::Fail(reason) => enter_fail(turn, step, reason),
        StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => unreachable!("not run yet"),
    }
}

fn condition(turn: &Turn<'_>, step: &Step) -> Result<bool, String> {
    let Some(when) = &step.when else {
        return Ok(true);
    };
    let key = serde_json::Value::String(turn.id.key.as_str().to_owned());
    let scope = Scope::at(turn.now).with(Name::Data, &turn.generation.data).with(Name::Key, &key);
    when.holds(&scope).map_err(|e| format!("`when` has no answer: {e}"))
}

fn enter_command(turn: &mut Turn<'_>, step: &Step, command: &CommandStep) -> bool {
    let unsent = request::unsent(turn.now);
    match request::send(turn, step.id, Slot::Action, &command.request, &unsent) {
        Ok(sent) => {
            push(turn, step, Phase::Running, Some(sent));
            false
        }
        Err(reason) => stopped(turn, step, &reason),
    }
}

fn enter_emit(turn: &mut Turn<'_>, step: &Step, emit: &EmitStep) -> bool {
    let id = turn.command_id(&step.name, Part::Action, 1);
    let filled = turn.fill(id, None, &Addressed::from(&emit.fact));
    match filled.and_then(|message| Ok((message, turn.assigned(&step.set, None)?))) {
        Ok((message, data)) => {
            turn.out.effects.push(Effect::Fact(message));
            turn.note(Some(&step.name), NoteKind::Told, emit.fact.to.to_string());
            succeed(turn, step, data);
            true
        }
        Err(reason) => stopped(turn, step, &reason),
    }
}

fn enter_fail(turn: &mut Turn<'_>, step: &Step, reason: &Template) -> bool {
    match turn.text(reason) {
        Ok(reason) if turn.generation.pivoted => {
            stopped(turn, step, &format!("there is no way back behind the pivot: {reason}"))
        }
        Ok(reason) => {
            let step = step.name.to_string();
            back::go_back(turn, Failure { step, kind: FailureKind::Failed, reason });
            false
        }
        Err(reason) => stopped(turn, step, &reason),
    }
}

/// A step that cannot even begin: it keeps its place until a person acts.
fn stopped(turn: &mut Turn<'_>, step: &Step, reason: &str) -> bool {
    push(turn, step, Phase::Running, None);
    turn.park(step.id, false, reason);
    false
}

fn push(turn: &mut Turn<'_>, step: &Step, phase: Phase, action: Option<Request>) {
    turn.generation.frame.steps.retain(|s| s.step != step.id);
    let state = StepState { action, ..StepState::new(step.id, phase) };
    turn.generation.frame.steps.push(state);
}

/// A step's success: its data, its place in the order, and what a pivot means.
pub(in crate::engine) fn succeed(
    turn: &mut Turn<'_>,
    step: &Step,
    data: Option<serde_json::Value>,
) {
    if let Some(data) = data {
        turn.generation.data = data;
    }
    let completed = turn.completion();
    if let Some(state) = turn.generation.frame.steps.iter_mut().find(|s| s.step == step.id) {
        state.phase = Phase::Succeeded;
        state.completed = completed;
    } else {
        push(turn, step, Phase::Succeeded, None);
        if let Some(state) = turn.generation.frame.steps.last_mut() {
            state.completed = completed;
        }
    }
    turn.unpark(step.id, false);
    if step.pivot {
        pass_pivot(turn, step);
    }
}

/// From here there is only forward: a cancel or deadline that waited for it comes too late.
fn pass_pivot(turn: &mut Turn<'_>, step: &Step) {
    turn.generation.pivoted = true;
    turn.generation.deadline = None;
    if let Some(pending) = turn.generation.pending.take() {
        let words =
            format!("{}: {} has been done, there is no way back", pending.reason, step.name);
        turn.note(Some(&step.name), NoteKind::Refused, words);
    }
}

/// Goes on behind a step that waited and is over now.
pub(in crate::engine) fn resume(turn: &mut Turn<'_>) {
    if turn.generation.direction == Direction::Back || turn.generation.ended.is_some() {
        return;
    }
    if let Some(pending) = turn.generation.pending.take() {
        back::go_back(turn, pending);
        return;
    }
    turn.generation.frame.position += 1;
    advance(turn);
}

/// A participant's "no", while the step was waiting for its answer.
///
/// # Errors
/// When the event cannot be understood; nothing has changed.
pub(in crate::engine) fn reject(
    turn: &mut Turn<'_>,
    step: &Step,
    failed: &crate::definition::Failed,
    event: &Event,
) -> Result<(), String> {
    let reason = reason(turn, failed, event)?;
    let data = turn.assigned(&failed.set, Some(event))?;
    turn.unpark(step.id, false);
    if let Some(state) = turn.generation.frame.steps.iter_mut().find(|s| s.step == step.id) {
        state.phase = Phase::Rejected;
    }
    turn.note(Some(&step.name), NoteKind::Rejected, reason.clone());
    match failed.then {
        Then::GoOn => {
            if let Some(data) = data {
                turn.generation.data = data;
            }
            resume(turn);
        }
        Then::GoBack if !turn.generation.pivoted => {
            let failure =
                Failure { step: step.name.to_string(), kind: FailureKind::Rejected, reason };
            back::go_back(turn, failure);
        }
        Then::GoBack | Then::Park => turn.park(step.id, false, &format!("rejected: {reason}")),
    }
    Ok(())
}

fn reason(
    turn: &Turn<'_>,
    failed: &crate::definition::Failed,
    event: &Event,
) -> Result<String, String> {
    let Some(reason) = &failed.reason else {
        return Ok(event.address.event_type.to_string());
    };
    let key = serde_json::Value::String(turn.id.key.as_str().to_owned());
    let scope = Scope::at(turn.now)
        .with(Name::Data, &turn.generation.data)
        .with(Name::Key, &key)
        .with(Name::Event, &event.body);
    let text = reason.text(&scope).map_err(|e| format!("`reason` has no value: {e}"))?;
    Ok(crate::engine::turn::shortened(&text))
}

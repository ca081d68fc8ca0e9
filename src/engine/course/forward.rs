//! The way forward: enters steps, and what their outcomes mean.

use serde_json::{Map, Value};

use crate::definition::{Assignment, Step, StepKind, Then};
use crate::engine::course::back;
use crate::engine::kind::ask;
use crate::engine::kind::call;
use crate::engine::kind::choose;
use crate::engine::kind::command;
use crate::engine::kind::each;
use crate::engine::kind::emit;
use crate::engine::kind::fail;
use crate::engine::kind::lock;
use crate::engine::kind::parallel;
use crate::engine::kind::saga;
use crate::engine::kind::set;
use crate::engine::kind::sleep;
use crate::engine::kind::wait;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::scope::More;
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, NoteKind, Phase, StepState};

/// Enters the next step of a list. One that cannot begin keeps its place until a person acts.
pub(in crate::engine) fn enter(turn: &mut Turn<'_>, line: &Line) {
    let frame = turn.frame(line);
    let id = turn.definition.block(frame.block).steps[frame.position as usize];
    let step = turn.step(id);
    let entered = match condition(turn, line, step) {
        Ok(true) => begin(turn, line, step),
        Ok(false) => {
            turn.push(line, StepState::new(step.id, Phase::Skipped));
            let name = turn.name(line, step);
            turn.note(Some(&name), NoteKind::Skipped, "its `when` is false");
            Ok(())
        }
        Err(reason) => Err(reason),
    };
    if let Err(reason) = entered {
        let place = turn.push_running(line, step);
        turn.park(&place, false, &reason);
    }
}

fn condition(turn: &Turn<'_>, line: &Line, step: &Step) -> Result<bool, String> {
    match &step.when {
        None => Ok(true),
        Some(when) => {
            when.holds(&turn.bound(line).scope()).map_err(|e| format!("`when` has no answer: {e}"))
        }
    }
}

/// Begins a step; an error says why it cannot, and then nothing has changed.
fn begin(turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<(), String> {
    match &step.kind {
        StepKind::Command(command) => command::enter(turn, line, step, command),
        StepKind::Emit(emit) => emit::enter(turn, line, step, emit),
        StepKind::Set => set::enter(turn, line, step),
        StepKind::Fail(reason) => fail::enter(turn, line, step, reason),
        StepKind::Wait(wait) => {
            wait::enter(turn, line, step, wait);
            Ok(())
        }
        StepKind::Sleep(sleep) => sleep::enter(turn, line, step, sleep),
        StepKind::Ask(ask) => ask::enter(turn, line, step, ask),
        StepKind::Call(call) => call::enter(turn, line, step, call),
        StepKind::Saga(child) => saga::enter(turn, line, step, child),
        StepKind::Parallel(parallel) => {
            parallel::enter(turn, line, step, parallel);
            Ok(())
        }
        StepKind::Each(each) => each::enter(turn, line, step, each),
        StepKind::Choose(choose) => choose::enter(turn, line, step, choose),
        StepKind::Lock(lock) => lock::enter(turn, line, step, lock),
    }
}

/// A step's success: what it writes, its place in the order, and what a pivot means.
pub(in crate::engine) fn succeed(turn: &mut Turn<'_>, place: &Place, written: Map<String, Value>) {
    turn.write(&place.line, written);
    let completed = turn.completion();
    let state = turn.at_mut(place);
    state.phase = Phase::Succeeded;
    state.completed = completed;
    state.rest();
    turn.unpark(place, false);
    let step = turn.step_at(place);
    if step.pivot {
        pass_pivot(turn, step);
    }
}

/// Like [`succeed`], where nobody can be refused: a value that is missing parks the step.
pub(in crate::engine) fn conclude(
    turn: &mut Turn<'_>,
    place: &Place,
    assignments: &[Assignment],
    more: More<'_>,
) {
    match turn.assigned(&place.line, assignments, more) {
        Ok(written) => succeed(turn, place, written),
        Err(reason) => {
            turn.at_mut(place).rest();
            turn.park(place, false, &reason);
        }
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
    lock::passed_pivot(turn);
}

/// What a rejection means: what it writes, and where the saga goes.
#[derive(Debug, Clone)]
pub(in crate::engine) struct No {
    pub written: Map<String, Value>,
    pub then: Then,
    pub failure: Failure,
}

/// A step did not happen, says whoever must know.
pub(in crate::engine) fn reject(turn: &mut Turn<'_>, place: &Place, no: No) {
    let name = turn.name_at(place);
    turn.unpark(place, false);
    let state = turn.at_mut(place);
    state.phase = Phase::Rejected;
    state.failure = None;
    state.rest();
    turn.note(Some(&name), NoteKind::Rejected, no.failure.reason.clone());
    match no.then {
        Then::GoOn => turn.write(&place.line, no.written),
        Then::GoBack if turn.can_go_back(&place.line) => fall(turn, &place.line, no.failure),
        Then::GoBack | Then::Park => {
            turn.park(place, false, &format!("rejected: {}", no.failure.reason));
        }
    }
}

/// Like [`reject`], by what the definition says of rejections that no single event makes.
pub(in crate::engine) fn refuse(
    turn: &mut Turn<'_>,
    place: &Place,
    verdict: &crate::definition::Verdict,
    failure: Failure,
    more: More<'_>,
) {
    match turn.assigned(&place.line, &verdict.set, more) {
        Ok(written) => reject(turn, place, No { written, then: verdict.then, failure }),
        Err(reason) => {
            turn.at_mut(place).rest();
            turn.park(place, false, &reason);
        }
    }
}

/// Takes the way back: the innermost branch that may drop out, else the whole saga.
pub(in crate::engine) fn fall(turn: &mut Turn<'_>, line: &Line, failure: Failure) {
    match turn.dropping(line) {
        Some(branch) => back::drop_out(turn, &branch, failure),
        None => back::go_back(turn, failure),
    }
}

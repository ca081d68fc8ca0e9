//! The way back: gives up what runs, then undoes in reverse order of completion.

use super::kinds;
use crate::definition::{Compensation, Definition};
use crate::engine::kind::lock;
use crate::engine::request::{probe, undo};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{Direction, Failure, Frame, Phase, Progress, Request, Stage, StepState, What};
use crate::message::{InputId, Part};

/// Turns round: no new forward step, the running ones are given up, the rest is undone.
pub(in crate::engine) fn go_back(turn: &mut LifeTurn<'_>, failure: Failure) {
    let failure = Failure { reason: turn.limits.cut(&failure.reason), ..failure };
    turn.life_mut().direction = Direction::Back;
    turn.life_mut().deadline = None;
    turn.life_mut().pending = None;
    // What a person owes to an undoing is still owed.
    turn.life_mut().stuck.retain(|s| s.undoing);
    turn.life_mut().failure = Some(failure.clone());
    turn.note(None, What::WentBack(failure));
    turn_back(turn, &Line::main());
}

/// One branch turns round; the saga goes on.
pub(in crate::engine) fn drop_out(turn: &mut Turn<'_>, branch: &Line, failure: Failure) {
    let failure = Failure { reason: turn.limits.cut(&failure.reason), ..failure };
    if let Some(owner) = branch.owner() {
        let name = turn.name_at(&owner);
        let frame = turn.frame(branch);
        let which = match frame.item {
            Some(_) => frame.index.to_string(),
            None => turn.definition.block(frame.block).name.clone(),
        };
        let reason = failure.reason.clone();
        turn.note(Some(&name), What::Dropped { branch: which, reason });
    }
    turn.frame_mut(branch).failure = Some(Box::new(failure));
    turn_back(turn, branch);
}

/// A list turns round: its running steps are given up.
pub(in crate::engine) fn turn_back(turn: &mut Turn<'_>, line: &Line) {
    turn.unpark_inside(line);
    let frame = turn.frame_mut(line);
    frame.direction = Direction::Back;
    frame.over = false;
    for at in 0..frame.steps.len() {
        let place = Place { line: line.clone(), at };
        if turn.at(&place).phase == Phase::Running {
            stop(turn, &place);
        }
    }
}

/// Every branch of a step that goes forward turns round.
pub(in crate::engine) fn turn_branches(turn: &mut Turn<'_>, place: &Place) {
    for branch in 0..turn.at(place).frames().len() {
        let line = place.branch(branch);
        if turn.frame(&line).direction == Direction::Forward {
            turn_back(turn, &line);
        }
    }
}

/// Whether all branches of a step have turned round.
pub(in crate::engine) fn is_turned(state: &StepState) -> bool {
    state.frames().iter().all(|frame| frame.direction == Direction::Back)
}

/// A running step does not go on.
fn stop(turn: &mut Turn<'_>, place: &Place) {
    let state = turn.at_mut(place);
    state.rest();
    // Its own rejection does not count any more.
    state.forget_failure();
    if !state.frames().is_empty() {
        let completed = turn.completion();
        let state = turn.at_mut(place);
        state.phase = Phase::Unknown;
        state.completed = completed;
        turn_branches(turn, place);
        return;
    }
    if turn.at(place).locked().is_some() {
        lock::abandon(turn, place);
    }
    // A step that was never sent cannot have happened.
    if turn.at(place).action().is_none() {
        turn.at_mut(place).phase = Phase::Skipped;
        return;
    }
    if turn.at(place).action().is_some_and(Request::never_left) {
        turn.at_mut(place).answered(InputId::default());
        turn.at_mut(place).phase = Phase::Rejected;
        let name = turn.name_at(place);
        turn.note(Some(&name), What::GivenUp { may_have_happened: false });
        return;
    }
    give_up(turn, place);
}

/// Gives a step up: it may have happened.
pub(in crate::engine) fn give_up(turn: &mut Turn<'_>, place: &Place) {
    let completed = turn.completion();
    let state = turn.at_mut(place);
    state.phase = Phase::Unknown;
    state.completed = completed;
    state.rest();
    if let Some(action) = state.action_mut().filter(|action| action.lacks_answer()) {
        action.progress = Progress::GivenUp;
    }
    let name = turn.name_at(place);
    turn.note(Some(&name), What::GivenUp { may_have_happened: true });
}

/// The step of a list that is undone next: the last that has completed and is not undone.
pub(in crate::engine) fn last_completion(frame: &Frame) -> Option<usize> {
    let steps = frame.steps.iter().enumerate();
    steps
        .filter(|(_, state)| may_have_happened(state) && state.undos.is_empty())
        .max_by_key(|(_, state)| state.completed)
        .map(|(at, _)| at)
}

fn may_have_happened(state: &StepState) -> bool {
    match state.phase {
        Phase::Succeeded | Phase::Unknown => true,
        Phase::Running | Phase::Rejected | Phase::Skipped => false,
    }
}

/// Begins to undo the step that `last_completion` has chosen.
pub(in crate::engine) fn undo_next(turn: &mut Turn<'_>, place: &Place) {
    let state = turn.at(place);
    if !state.frames().is_empty() {
        undo_branches(turn, place);
        return;
    }
    if probe::is_open(turn, place) && probe::ask(turn, place).is_ok() {
        return;
    }
    undo(turn, place);
}

/// Undoes a composite step: what is in it, under its lock if it has one.
fn undo_branches(turn: &mut Turn<'_>, place: &Place) {
    let settled = Request::settled(turn.now);
    let state = turn.at_mut(place);
    state.undos.push(settled);
    let stage = state.hold().map(|hold| hold.stage);
    let owes = !is_turned(turn.at(place)) && owes_inside(turn.definition, turn.at(place));
    match stage {
        Some(Stage::Freed) if owes => lock::take_again(turn, place),
        // It is asked for already; its branches turn round once it is held.
        Some(Stage::Taking) => {}
        None | Some(Stage::Held | Stage::Freed) => turn_branches(turn, place),
    }
}

/// Whether something in a step must be undone.
fn owes_inside(definition: &Definition, state: &StepState) -> bool {
    state.frames().iter().flat_map(|frame| &frame.steps).any(|inner| {
        let nothing = *definition.step(inner.step).compensation() == Compensation::Nothing;
        (may_have_happened(inner) && !nothing) || owes_inside(definition, inner)
    })
}

/// Begins one more undoing of a step.
pub(in crate::engine) fn undo(turn: &mut Turn<'_>, place: &Place) {
    if !kinds::of(turn.step_at(place)).takes_back(turn, place) {
        undo::begin(turn, place);
    }
}

/// A lock is had, or done without, for what is undone in it: its branches turn round, and the
/// undoings that waited for it begin.
pub(in crate::engine) fn undo_inside(turn: &mut Turn<'_>, place: &Place) {
    turn.at_mut(place).until = None;
    if !turn.at(place).undos.is_empty() {
        turn_branches(turn, place);
    }
    for inner in lock::awaiting(turn, place) {
        turn.at_mut(&inner).undos.pop();
        undo(turn, &inner);
    }
}

/// A person wants what was done under a lock to be undone without it.
pub(in crate::engine) fn undo_without_lock(turn: &mut Turn<'_>, place: &Place) {
    turn.unpark(place, true);
    lock::abandon(turn, place);
    undo_inside(turn, place);
}

/// An undoing is over.
pub(in crate::engine) fn undone(turn: &mut Turn<'_>, place: &Place, part: Part, by: InputId) {
    let state = turn.at_mut(place);
    let undoing = state.request_mut(part).expect("an undoing is begun before it is over");
    undoing.progress = Progress::Answered;
    undoing.answer = by;
    if !state.undos.iter().any(Request::lacks_answer) {
        state.late = None;
    }
    if !state.undos.iter().any(|r| r.progress == Progress::Parked) {
        turn.unpark(place, true);
    }
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Undone { by: None });
}

/// After the end: locks that nothing is undone under any more are let go, and what outlived its
/// time only because something was owed is forgotten in due time.
pub(in crate::engine) fn after_end(turn: &mut LifeTurn<'_>) {
    if turn.life().ended.is_none() {
        return;
    }
    lock::let_go(turn);
    if turn.life().forget.is_none()
        && !turn.life().owes()
        && turn.life().parent.as_ref().is_none_or(|parent| parent.gone)
    {
        turn.life_mut().forget = Some(turn.now.after(turn.definition.late));
    }
}

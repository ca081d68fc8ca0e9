//! Moves every list of steps until each of them waits: forward by entering the next step, back by
//! undoing the last one, and on once the branches of a composite step are over.
//!
//! What moves next is read off the state alone, so a kind of step only says what has happened.

use super::{back, enter, finish, join};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{Direction, Frame, Life, Phase, StepState};

/// What can move.
enum Motion {
    /// The next step of a list is entered.
    Enter(Line),
    /// The step at which a list stands is over.
    Leave(Line),
    /// All steps of a branch are done, or undone.
    Over(Line),
    /// The branches of a composite step have come as far as it needs.
    Join(Place),
    /// The last completion of a list is undone.
    Undo(Place),
    /// The main line is done.
    Complete,
    /// The main line is undone.
    Compensated,
}

/// Moves until everything waits.
pub(in crate::engine) fn settle(turn: &mut LifeTurn<'_>) {
    while let Some(motion) = next(turn) {
        match motion {
            Motion::Enter(line) => enter::enter(turn, &line),
            Motion::Leave(line) => leave(turn, &line),
            Motion::Over(line) => turn.frame_mut(&line).over = true,
            Motion::Join(place) => join::join(turn, &place),
            Motion::Undo(place) => back::undo_next(turn, &place),
            Motion::Complete => finish::complete(turn),
            Motion::Compensated => finish::compensated(turn),
        }
    }
    back::after_end(turn);
}

/// Goes on behind a step; a cancel or deadline that waited for it counts now.
fn leave(turn: &mut LifeTurn<'_>, line: &Line) {
    let stuck = turn.life().stuck.iter().any(|s| !s.undoing);
    if !stuck
        && !turn.awaits_pivot()
        && let Some(pending) = turn.life_mut().pending.take()
    {
        back::go_back(turn, *pending);
        return;
    }
    turn.frame_mut(line).position += 1;
}

fn next(turn: &Turn<'_>) -> Option<Motion> {
    if turn.life().ended.is_some() || turn.life().paused.is_some() {
        return None;
    }
    inside(turn, &turn.life().frame, &Line::main())
}

/// What can move in a list or in the branches of its steps, the inner ones first.
fn inside(turn: &Turn<'_>, frame: &Frame, line: &Line) -> Option<Motion> {
    for (at, state) in frame.steps.iter().enumerate() {
        if state.frames().is_empty() {
            continue;
        }
        if let Some(motion) = in_branches(turn, state, line, at) {
            return Some(motion);
        }
    }
    // A branch that is over may hold a loser that is not undone yet.
    if frame.over {
        return None;
    }
    match frame.direction {
        Direction::Forward => ahead(turn, frame, line),
        Direction::Back => behind(frame, line),
    }
}

fn in_branches(turn: &Turn<'_>, state: &StepState, line: &Line, at: usize) -> Option<Motion> {
    let step = turn.step(state.step);
    let mut running = state.frames().iter().filter(|f| is_begun(f) && !f.over).count();
    let at_once = join::at_once(step);
    for (branch, inner) in state.frames().iter().enumerate() {
        if !inner.over && inner.direction == Direction::Forward && !is_begun(inner) {
            if running >= at_once {
                continue;
            }
            running += 1;
        }
        if let Some(motion) = inside(turn, inner, &line.inner(at, branch)) {
            return Some(motion);
        }
    }
    let place = Place { line: line.clone(), at };
    let stuck = state.phase == Phase::Running && is_stuck(turn.life(), &place);
    (!stuck && join::is_ready(step, state)).then_some(Motion::Join(place))
}

/// Whether a branch has begun; before, it takes no place among those that run at once.
fn is_begun(frame: &Frame) -> bool {
    !frame.steps.is_empty()
}

fn ahead(turn: &Turn<'_>, frame: &Frame, line: &Line) -> Option<Motion> {
    let steps = &turn.definition.block(frame.block).steps;
    let position = frame.position as usize;
    if stuck_in(turn.life(), frame, line) {
        return None;
    }
    let stands_at = frame.steps.last().filter(|s| steps.get(position) == Some(&s.step));
    if let Some(state) = stands_at {
        return (state.phase != Phase::Running).then(|| Motion::Leave(line.clone()));
    }
    if position < steps.len() {
        return Some(Motion::Enter(line.clone()));
    }
    if !line.is_main() {
        return Some(Motion::Over(line.clone()));
    }
    (!is_undoing_inside(frame)).then_some(Motion::Complete)
}

fn behind(frame: &Frame, line: &Line) -> Option<Motion> {
    if frame.steps.iter().any(StepState::is_being_undone) {
        return None;
    }
    match back::last_completion(frame) {
        Some(at) => Some(Motion::Undo(Place { line: line.clone(), at })),
        None if line.is_main() => Some(Motion::Compensated),
        None => Some(Motion::Over(line.clone())),
    }
}

/// Whether a branch is left behind and not undone yet: the saga does not end before.
fn is_undoing_inside(frame: &Frame) -> bool {
    frame.steps.iter().flat_map(StepState::frames).any(|inner| {
        (inner.direction == Direction::Back && !inner.over) || is_undoing_inside(inner)
    })
}

/// Whether a person must act on a step of this very list.
fn stuck_in(life: &Life, frame: &Frame, line: &Line) -> bool {
    if life.stuck.is_empty() {
        return false;
    }
    let coordinates = line.coordinates(&life.frame);
    let stuck = &life.stuck;
    stuck
        .iter()
        .any(|s| s.branch == coordinates && frame.steps.iter().any(|state| state.step == s.step))
}

/// Whether a person must act on this step before it can go on.
fn is_stuck(life: &Life, place: &Place) -> bool {
    if life.stuck.is_empty() {
        return false;
    }
    let step = place.state(&life.frame).step;
    let coordinates = place.line.coordinates(&life.frame);
    life.stuck.iter().any(|s| !s.undoing && s.step == step && s.branch == coordinates)
}

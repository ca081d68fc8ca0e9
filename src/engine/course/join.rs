//! Composite steps: their branches come together.

use super::follow::follow;
use super::{back, kinds};
use crate::definition::Step;
use crate::engine::kind::lock;
use crate::engine::state::place::Place;
use crate::engine::work::turn::LifeTurn;
use crate::engine::{Phase, Stage, StepState};

/// The most branches of a step that run at once.
pub(in crate::engine) fn at_once(step: &Step) -> usize {
    match kinds::of(step).branches() {
        Some(branches) => branches.at_once(),
        None => usize::MAX,
    }
}

/// Whether the branches of a step have come as far as it needs.
pub(in crate::engine) fn is_ready(step: &Step, state: &StepState) -> bool {
    let all_over = state.frames().iter().all(|f| f.over);
    if state.phase != Phase::Running {
        // What was held for the sake of an undoing is let go.
        let held = state.hold().filter(|hold| hold.stage == Stage::Held);
        return held.is_some_and(|hold| {
            let undone = !state.undos.is_empty() && back::is_turned(state);
            all_over && (hold.late || undone) && !state.owes_inside()
        });
    }
    if state.failure().is_some() {
        return all_over;
    }
    kinds::of(step).branches().is_some_and(|branches| branches.are_ready(state))
}

/// The branches of a step have come as far as it needs.
pub(in crate::engine) fn join(turn: &mut LifeTurn<'_>, place: &Place) {
    let state = turn.at(place);
    if state.phase != Phase::Running {
        lock::release(turn, place);
        return;
    }
    let step = turn.step_at(place);
    let kind = kinds::of(step);
    if let Some(failure) = state.failure().cloned() {
        if let Some((verdict, _)) = kind.limits() {
            let outcome = turn.refused(place, verdict, failure, None);
            follow(turn, place, outcome);
        }
        return;
    }
    if let Some(branches) = kind.branches() {
        let outcome = branches.join(turn, place, step);
        follow(turn, place, outcome);
        branches.joined(turn, place);
    }
}

//! What holds for every instance after every transition.

use super::place::walk;
use super::{Direction, Frame, Instance, Life, Phase, Progress, Request, Stage, StepState};
use crate::definition::{Catalog, Definition};

/// Asserts every invariant, in debug builds.
///
/// # Panics
/// When the engine broke one: a programming error, never the fault of an input.
pub(in crate::engine) fn assert_sound(catalog: &Catalog, instance: &Instance) {
    if cfg!(debug_assertions) {
        let living = instance.lives.iter().filter(|g| g.ended.is_none()).count();
        assert!(living <= 1, "two lives live");
        let numbers = instance.lives.windows(2).all(|pair| pair[0].id.number < pair[1].id.number);
        assert!(numbers, "lives are out of order");
        assert!(instance.lock.is_none(), "only locks hold themselves");
        for life in &instance.lives {
            assert_life(life);
            if let Some(definition) = catalog.by_hash(life.definition) {
                assert_frame(definition, &life.frame);
            }
        }
    }
}

fn assert_life(life: &Life) {
    let main = &life.frame;
    assert!(life.data.is_object(), "the data is not an object");
    assert!(main.direction == life.direction, "the main line goes its own way");
    if life.direction == Direction::Back {
        assert!(life.failure.is_some(), "the way back has no reason");
        assert!(!life.pivoted, "the way back begins before the pivot only");
    }
    let running = walk(main, |_, _, s| (s.phase == Phase::Running).then_some(())).is_some();
    if life.ended.is_some() {
        assert!(!running, "a step runs after the end");
        assert!(life.deadline.is_none(), "a deadline outlives the end");
        assert!(life.paused.is_none(), "a pause outlives the end");
        let held = walk(main, |_, _, s| {
            let held = s.hold().is_some_and(|hold| hold.stage != Stage::Freed);
            (held && !s.owes_inside()).then_some(())
        });
        assert!(held.is_none(), "a lock outlives the end");
    } else if life.stuck.is_empty() {
        let waits = walk(main, |_, _, s| waits(s).then_some(())).is_some();
        assert!(waits, "it lives, is not stuck, and waits for nothing: {life:?}");
    }
}

fn assert_frame(definition: &Definition, frame: &Frame) {
    let length = definition.block(frame.block).steps.len();
    assert!(frame.position as usize <= length, "behind the last step");
    let running = frame.steps.iter().filter(|s| s.phase == Phase::Running).count();
    assert!(running <= 1, "two steps run in one list");
    if frame.direction == Direction::Back || frame.over {
        assert!(running == 0, "a step runs in a list that does not go forward");
    }
    for state in &frame.steps {
        let done = matches!(state.phase, Phase::Succeeded | Phase::Unknown);
        assert!(!done || state.completed > 0, "a completed step has no place in the order");
        let leaving = state.failure().is_some();
        assert!(
            done || state.undos.is_empty() || state.phase == Phase::Rejected || leaving,
            "undone in vain"
        );
        for inner in state.frames() {
            let owner = definition.block(inner.block).owner;
            assert!(owner == Some(state.step), "a branch of another step");
            assert_frame(definition, inner);
        }
    }
}

/// Whether a step waits for something that will come.
fn waits(state: &StepState) -> bool {
    let asked = state.requests().any(|(_, request)| is_waiting(request));
    let timed = state.until.is_some() || state.reminder().is_some();
    let taking = state.hold().is_some_and(|hold| hold.stage == Stage::Taking);
    asked || timed || taking || (state.phase == Phase::Running && state.action().is_none())
}

fn is_waiting(request: &Request) -> bool {
    matches!(request.progress, Progress::Waiting(_) | Progress::Pausing(_) | Progress::Open)
}

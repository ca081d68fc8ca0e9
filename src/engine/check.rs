//! What holds for every instance after every transition.

use super::{Direction, Generation, Instance, Phase, Progress, Request};
use crate::definition::Catalog;

/// Asserts every invariant, in debug builds.
///
/// # Panics
/// When the engine broke one: a programming error, never the fault of an input.
pub(super) fn assert_sound(catalog: &Catalog, instance: &Instance) {
    if cfg!(debug_assertions) {
        let living = instance.generations.iter().filter(|g| g.ended.is_none()).count();
        assert!(living <= 1, "two generations live");
        let numbers = instance.generations.windows(2).all(|pair| pair[0].number < pair[1].number);
        assert!(numbers, "generations are out of order");
        for generation in &instance.generations {
            assert_generation(catalog, generation);
        }
    }
}

fn assert_generation(catalog: &Catalog, generation: &Generation) {
    let steps = &generation.frame.steps;
    let running = steps.iter().filter(|s| s.phase == Phase::Running).count();
    assert!(generation.data.is_object(), "the data is not an object");
    assert!(running <= 1, "two steps run on one line");
    if generation.direction == Direction::Back {
        assert!(running == 0, "a step runs on the way back");
        assert!(generation.failure.is_some(), "the way back has no reason");
        assert!(!generation.pivoted, "the way back begins before the pivot only");
    }
    if generation.ended.is_some() {
        assert!(running == 0, "a step runs after the end");
        assert!(generation.deadline.is_none(), "a deadline outlives the end");
    } else if generation.stuck.is_empty() {
        let waits = steps.iter().flat_map(|s| s.action.iter().chain(&s.undos)).any(is_waiting);
        assert!(waits, "it lives, is not stuck, and waits for nothing");
    }
    for state in steps {
        let done = matches!(state.phase, Phase::Succeeded | Phase::Unknown);
        assert!(!done || state.completed > 0, "a completed step has no place in the order");
        assert!(done || state.undos.is_empty() || state.phase == Phase::Rejected, "undone in vain");
    }
    if let Some(definition) = catalog.by_hash(generation.definition) {
        let length = definition.main().len();
        assert!(generation.frame.position as usize <= length, "behind the last step");
    }
}

fn is_waiting(request: &Request) -> bool {
    matches!(request.progress, Progress::Waiting(_) | Progress::Pausing(_))
}

//! Takes out of an instance what cannot matter any more, so that runs meet.

use super::model::{LATER, NOW};
use crate::engine::{
    Failure, FailureKind, Frame, Inside, Instance, Letter, Life, Progress, Request, Say, StepState,
};
use crate::message::InputId;

/// What every reason reads as: reasons are for people.
pub(super) const REASON: &str = "reason";

/// The last round in which a lock is taken, or a child begun, that is told from the others:
/// whatever is done again is done again.
const ROUND_MAX: u32 = 2;

/// What is told a partner, as the partner remembers it: the round is the instance's own.
pub(super) fn told(mut letter: Letter) -> Letter {
    if let Say::Acquire { .. } | Say::Start { .. } | Say::TakeBack { .. } = letter.say {
        letter.round = letter.round.min(ROUND_MAX);
    }
    letter
}

pub(super) fn canonical(mut instance: Instance) -> Instance {
    instance.lives.iter_mut().for_each(life);
    for early in &mut instance.early {
        early.until = early.until.map(|_| LATER);
    }
    instance
}

fn life(life: &mut Life) {
    life.started = NOW;
    life.deadline = life.deadline.map(|_| LATER);
    life.forget = life.forget.map(|_| LATER);
    life.ended = life.ended.map(|_| NOW);
    life.transitions = 1;
    life.seen.clear();
    life.failure.iter_mut().for_each(failure);
    life.pending.as_deref_mut().into_iter().for_each(reason);
    if let Some(parent) = &mut life.parent {
        parent.round = 1;
    }
    for stuck in &mut life.stuck {
        stuck.since = NOW;
        REASON.clone_into(&mut stuck.reason);
    }
    frame(&mut life.frame);
    life.completions = completions(&life.frame);
}

/// Where and why a list went back decides nothing afterwards: the story notes it on the move
/// that turns it.
fn failure(failure: &mut Failure) {
    reason(failure);
    failure.step = None;
    failure.kind = FailureKind::Failed;
}

/// The words of a failure decide nothing either.
fn reason(failure: &mut Failure) {
    REASON.clone_into(&mut failure.reason);
}

/// The greatest place in the order of completions.
pub(super) fn completions(list: &Frame) -> u32 {
    let own = list.steps.iter().map(|state| state.completed);
    let inner = list.steps.iter().flat_map(StepState::frames).map(completions);
    own.chain(inner).max().unwrap_or(0)
}

/// What is undone next is the last completion of a list; those of other lists mean nothing to it.
pub(super) fn in_order(steps: &mut [StepState]) {
    let mut order: Vec<u32> = steps.iter().map(|s| s.completed).filter(|c| *c > 0).collect();
    order.sort_unstable();
    for state in steps.iter_mut().filter(|state| state.completed > 0) {
        let before = order.partition_point(|completed| *completed < state.completed);
        state.completed = u32::try_from(before + 1).unwrap_or(u32::MAX);
    }
}

fn frame(list: &mut Frame) {
    list.failure.as_deref_mut().into_iter().for_each(failure);
    in_order(&mut list.steps);
    for state in &mut list.steps {
        step(state);
        state.frames_mut().iter_mut().for_each(frame);
    }
}

fn step(state: &mut StepState) {
    state.until = state.until.map(|_| LATER);
    let begun = state.action().map_or(0, |action| action.attempts);
    state.requests_mut().for_each(request);
    match &mut state.inside {
        Inside::Nothing | Inside::Fact(_) | Inside::Requested(_) => {}
        Inside::Reminder(reminder) => (reminder.at, reminder.told) = (LATER, 0),
        Inside::Child(child) => {
            // The child's answers name the round in which it was begun.
            child.action.attempts = begun.min(ROUND_MAX);
            child.failure.iter_mut().for_each(reason);
        }
        Inside::Branched(branched) => {
            branched.failure.as_deref_mut().into_iter().for_each(reason);
        }
        Inside::Locked(locked) => {
            let hold = &mut locked.hold;
            (hold.fence, hold.round) = (hold.fence.min(1), hold.round.min(ROUND_MAX));
        }
    }
}

fn request(request: &mut Request) {
    request.attempts = request.attempts.min(1);
    (request.spent, request.since) = (request.spent.min(1), NOW);
    request.unsent = 0;
    request.answer = InputId::default();
    request.progress = match request.progress {
        Progress::Waiting(_) => Progress::Waiting(LATER),
        Progress::Pausing(_) => Progress::Pausing(LATER),
        other @ (Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open) => {
            other
        }
    };
}

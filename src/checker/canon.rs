//! Takes out of an instance what cannot matter any more, so that runs meet.

use std::collections::BTreeMap;

use super::model::{LATER, NOW};
use crate::engine::{
    Failure, FailureKind, Frame, Generation, Instance, Progress, Request, StepState,
};

/// What every reason reads as: reasons are for people.
const REASON: &str = "reason";
/// What every answer is known by.
const ANSWER: &str = "answer";

pub(super) fn canonical(mut instance: Instance) -> Instance {
    instance.generations.iter_mut().for_each(generation);
    for early in &mut instance.early {
        early.until = early.until.map(|_| LATER);
    }
    instance
}

fn generation(generation: &mut Generation) {
    generation.started = NOW;
    generation.deadline = generation.deadline.map(|_| LATER);
    generation.forget = generation.forget.map(|_| LATER);
    generation.ended = generation.ended.map(|_| NOW);
    generation.transitions = 1;
    generation.seen.clear();
    generation.failure.iter_mut().for_each(failure);
    generation.pending.iter_mut().for_each(reason);
    if let Some(parent) = &mut generation.parent {
        parent.round = 1;
    }
    for stuck in &mut generation.stuck {
        stuck.since = NOW;
        REASON.clone_into(&mut stuck.reason);
    }
    frame(&mut generation.frame);
    let mut order = Vec::new();
    completions(&mut generation.frame, &mut |completed| order.push(*completed));
    order.sort_unstable();
    order.dedup();
    let ranks: BTreeMap<u32, u32> = order.into_iter().zip(1..).collect();
    completions(&mut generation.frame, &mut |completed| *completed = ranks[completed]);
    generation.completions = u32::try_from(ranks.len()).unwrap_or(u32::MAX);
}

/// Where and why it went back decides nothing on the way: it is noted when it does.
fn failure(failure: &mut Failure) {
    reason(failure);
    failure.step.clear();
    failure.kind = FailureKind::Failed;
}

/// Why it will go back is noted when it does.
fn reason(failure: &mut Failure) {
    REASON.clone_into(&mut failure.reason);
}

fn completions(frame: &mut Frame, see: &mut impl FnMut(&mut u32)) {
    for state in &mut frame.steps {
        if state.completed > 0 {
            see(&mut state.completed);
        }
        state.frames.iter_mut().for_each(|inner| completions(inner, see));
    }
}

fn frame(list: &mut Frame) {
    list.failure.iter_mut().for_each(failure);
    for state in &mut list.steps {
        step(state);
        state.frames.iter_mut().for_each(frame);
    }
}

fn step(state: &mut StepState) {
    state.until = state.until.map(|_| LATER);
    if let Some(remind) = &mut state.remind {
        (remind.at, remind.told) = (LATER, 0);
    }
    state.failure.iter_mut().for_each(reason);
    let requests = state.action.iter_mut().chain(&mut state.undos).chain(&mut state.probe);
    requests.for_each(request);
    if let Some(hold) = &mut state.hold {
        (hold.fence, hold.round) = (hold.fence.min(1), hold.round.min(2));
    }
}

fn request(request: &mut Request) {
    // Another instance's answers name the round, which is the number of attempts.
    if request.progress != Progress::Open {
        request.attempts = request.attempts.min(1);
    }
    (request.spent, request.since) = (request.spent.min(1), NOW);
    if !request.answer.is_empty() {
        ANSWER.clone_into(&mut request.answer);
    }
    request.progress = match request.progress {
        Progress::Waiting(_) => Progress::Waiting(LATER),
        Progress::Pausing(_) => Progress::Pausing(LATER),
        other @ (Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open) => {
            other
        }
    };
}

//! Timers: attempts that took too long, pauses that are over, the saga's deadline, forgetting.

use super::back;
use super::request::{self, Slot};
use crate::definition::{Compensation, Request as Asked, StepKind, Unknown};
use crate::engine::limits::INSIST;
use crate::engine::turn::Turn;
use crate::engine::{
    Direction, Failure, FailureKind, Generation, NoteKind, Phase, Progress, Request, StepState,
};
use crate::message::Timestamp;

/// When a generation next wants to be woken.
pub(in crate::engine) fn next_due(generation: &Generation) -> Option<Timestamp> {
    let requests = generation.frame.steps.iter().flat_map(|s| s.action.iter().chain(&s.undos));
    let timers = requests.filter_map(until);
    timers.chain(generation.deadline).chain(generation.forget).min()
}

fn until(request: &Request) -> Option<Timestamp> {
    match request.progress {
        Progress::Waiting(until) | Progress::Pausing(until) => Some(until),
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => None,
    }
}

/// Whether a timer of a generation, other than its forgetting, is due.
pub(in crate::engine) fn is_due(generation: &Generation, now: Timestamp) -> bool {
    let requests = generation.frame.steps.iter().flat_map(|s| s.action.iter().chain(&s.undos));
    requests.filter_map(until).chain(generation.deadline).any(|at| at <= now)
}

/// Obeys every timer of a generation that is due.
pub(in crate::engine) fn wake(turn: &mut Turn<'_>) {
    // The deadline is asked first: an attempt that ends with it is not sent again.
    if turn.generation.deadline.is_some_and(|at| at <= turn.now) {
        deadline(turn);
    }
    // Each timer that is obeyed is gone or lies in the future, so this ends.
    while let Some((place, slot)) = due(turn) {
        obey(turn, place, slot);
    }
}

fn due(turn: &Turn<'_>) -> Option<(usize, Slot)> {
    let mut due: Option<(Timestamp, usize, Slot)> = None;
    for (place, state) in turn.generation.frame.steps.iter().enumerate() {
        let action = state.action.iter().map(|request| (Slot::Action, request));
        let undos = state.undos.iter().enumerate().map(|(run, r)| (Slot::Undo(run), r));
        for (slot, request) in action.chain(undos) {
            let Some(at) = until(request).filter(|at| *at <= turn.now) else {
                continue;
            };
            if due.is_none_or(|(earliest, _, _)| at < earliest) {
                due = Some((at, place, slot));
            }
        }
    }
    due.map(|(_, place, slot)| (place, slot))
}

/// Whether a pivot was sent and has no outcome yet: cancel and deadline wait for it.
pub(in crate::engine) fn awaits_pivot(turn: &Turn<'_>) -> bool {
    turn.generation.frame.steps.iter().any(|state| {
        state.phase == Phase::Running && state.action.is_some() && turn.step(state.step).pivot
    })
}

fn deadline(turn: &mut Turn<'_>) {
    turn.generation.deadline = None;
    let within = turn.definition.within.unwrap_or_default();
    let failure = Failure {
        step: String::new(),
        kind: FailureKind::Deadline,
        reason: format!("not done within {within}"),
    };
    if turn.generation.direction == Direction::Back || turn.generation.pivoted {
        return;
    }
    // A stuck step keeps its place for a person; the deadline counts once it moves again.
    if awaits_pivot(turn) || turn.generation.stuck.iter().any(|s| !s.undoing) {
        turn.generation.pending.get_or_insert(failure);
    } else {
        back::go_back(turn, failure);
    }
}

fn request_mut(state: &mut StepState, slot: Slot) -> Option<&mut Request> {
    match slot {
        Slot::Action => state.action.as_mut(),
        Slot::Undo(run) => state.undos.get_mut(run),
    }
}

fn obey(turn: &mut Turn<'_>, place: usize, slot: Slot) {
    let state = &mut turn.generation.frame.steps[place];
    let id = state.step;
    let Some(request) = request_mut(state, slot) else {
        return;
    };
    let request = request.clone();
    let step = turn.step(id);
    let asked = match (slot, &step.kind) {
        (Slot::Action, StepKind::Command(command)) => Some(&command.request),
        (Slot::Undo(_), _) => match back::compensation(step) {
            Compensation::Command { request, .. } => Some(request),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Call { .. }
            | Compensation::Child => None,
        },
        (
            Slot::Action,
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_),
        ) => None,
    };
    let asked = asked.expect("only requests have timers");
    match request.progress {
        Progress::Waiting(_) => timed_out(turn, place, slot, asked, &request),
        Progress::Pausing(_) => send_again(turn, place, slot, asked, &request),
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => {}
    }
}

fn send_again(turn: &mut Turn<'_>, place: usize, slot: Slot, asked: &Asked, before: &Request) {
    let id = turn.generation.frame.steps[place].step;
    match request::send(turn, id, slot, asked, before) {
        Ok(sent) => {
            if let Some(r) = request_mut(&mut turn.generation.frame.steps[place], slot) {
                *r = sent;
            }
        }
        Err(reason) => park(turn, place, slot, &reason),
    }
}

fn timed_out(turn: &mut Turn<'_>, place: usize, slot: Slot, asked: &Asked, before: &Request) {
    let id = turn.generation.frame.steps[place].step;
    let step = turn.step(id);
    let words = format!("no answer to attempt {} within {}", before.attempts, asked.within);
    turn.note(Some(&step.name), NoteKind::TimedOut, words);
    let seed = request::seed(turn, &step.name, slot);
    let insists = match (&step.kind, slot) {
        (StepKind::Command(command), Slot::Action) => command.unknown == Unknown::Retry,
        _ => false,
    };
    let next = request::again(&asked.retry, before, turn.now, &seed).or_else(|| {
        let next = turn.now.after(asked.retry.most.max(request::PAUSE_MIN));
        (insists && next <= before.since.after(INSIST)).then_some(next)
    });
    match next {
        Some(at) => {
            if let Some(r) = request_mut(&mut turn.generation.frame.steps[place], slot) {
                r.progress = Progress::Pausing(at);
            }
        }
        None => exhausted(turn, place, slot, before),
    }
}

fn exhausted(turn: &mut Turn<'_>, place: usize, slot: Slot, before: &Request) {
    let step = turn.step(turn.generation.frame.steps[place].step);
    let reason = format!("{} has not answered {} attempts", step.name, before.spent);
    let gives_up = match (&step.kind, slot) {
        (StepKind::Command(command), Slot::Action) => {
            command.unknown == Unknown::Compensate && !turn.generation.pivoted
        }
        _ => false,
    };
    if gives_up {
        let step = step.name.to_string();
        back::go_back(turn, Failure { step, kind: FailureKind::Exhausted, reason });
    } else {
        park(turn, place, slot, &reason);
    }
}

fn park(turn: &mut Turn<'_>, place: usize, slot: Slot, reason: &str) {
    let state = &mut turn.generation.frame.steps[place];
    let id = state.step;
    if let Some(request) = request_mut(state, slot) {
        request.progress = Progress::Parked;
    }
    turn.park(id, slot != Slot::Action, reason);
}

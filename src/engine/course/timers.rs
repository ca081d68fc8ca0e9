//! Timers: attempts that took too long, pauses that are over, deadlines, reminders, forgetting.

use super::follow::follow;
use super::{back, kinds, motion};
use crate::definition::{Definition, Sleep, StepKind};
use crate::engine::kind::waiting;
use crate::engine::request::attempt;
use crate::engine::state::place::{Place, walk};
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{
    Direction, Failure, FailureKind, Frame, Inside, Life, Progress, Request, StepState, Wake,
};
use crate::message::{Part, Span, Timestamp};

/// What a step is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    /// Its own time is up.
    Deadline,
    /// A reminder.
    Remind,
    /// An attempt, or the pause before the next one, is over.
    Request(Part),
}

/// When a life next wants to be woken.
pub(in crate::engine) fn next_due(life: &Life) -> Option<Timestamp> {
    next_work(life).into_iter().chain(life.forget).min()
}

/// When the next timer of a life strikes, other than its forgetting; none does while it is paused.
pub(in crate::engine) fn next_work(life: &Life) -> Option<Timestamp> {
    if life.paused.is_some() {
        return None;
    }
    earliest(&life.frame).into_iter().chain(life.deadline).min()
}

/// Moves every time limit of a life by so much, so that as much is left of it as there was before a
/// pause of that length. A moment that the saga waits for stays where it is.
pub(in crate::engine) fn shift(definition: &Definition, life: &mut Life, by: Span) {
    life.deadline = life.deadline.map(|at| at.after(by));
    shift_list(definition, &mut life.frame, by);
}

fn shift_list(definition: &Definition, frame: &mut Frame, by: Span) {
    for state in &mut frame.steps {
        let kind = &definition.step(state.step).kind;
        if !matches!(kind, StepKind::Sleep(Sleep::Until(_))) {
            state.until = state.until.map(|at| at.after(by));
        }
        if let Inside::Reminder(reminder) = &mut state.inside {
            reminder.at = reminder.at.after(by);
        }
        for request in state.requests_mut() {
            request.since = request.since.after(by);
            request.progress = match request.progress {
                Progress::Waiting(at) => Progress::Waiting(at.after(by)),
                Progress::Pausing(at) => Progress::Pausing(at.after(by)),
                other @ (Progress::Answered
                | Progress::GivenUp
                | Progress::Parked
                | Progress::Open) => other,
            };
        }
        for inner in state.frames_mut() {
            shift_list(definition, inner, by);
        }
    }
}

fn earliest(frame: &Frame) -> Option<Timestamp> {
    let own = frame.steps.iter().flat_map(|state| timers(state).map(|(_, at)| at)).min();
    let inner =
        frame.steps.iter().flat_map(|state| state.frames().iter().filter_map(earliest)).min();
    own.into_iter().chain(inner).min()
}

fn timers(state: &StepState) -> impl Iterator<Item = (Timer, Timestamp)> {
    let deadline = state.until.map(|at| (Timer::Deadline, at));
    let remind = state.reminder().map(|reminder| (Timer::Remind, reminder.at));
    let requests = state
        .requests()
        .filter_map(|(part, request)| until(request).map(|at| (Timer::Request(part), at)));
    deadline.into_iter().chain(remind).chain(requests)
}

fn until(request: &Request) -> Option<Timestamp> {
    match request.progress {
        Progress::Waiting(until) | Progress::Pausing(until) => Some(until),
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => None,
    }
}

/// Whether a timer of a life, other than its forgetting, strikes up to then.
pub(in crate::engine) fn is_due(life: &Life, until: Timestamp) -> bool {
    next_work(life).is_some_and(|at| at <= until)
}

/// Obeys every timer of a life that strikes; `wake.until` is not later than now.
pub(in crate::engine) fn wake(turn: &mut LifeTurn<'_>, wake: Wake) {
    // The deadline is asked first: an attempt that ends with it is not sent again.
    if turn.life().deadline.is_some_and(|at| at <= wake.until) {
        deadline(turn);
        motion::settle(turn);
    }
    // Each timer that is obeyed is gone or lies behind `until`, so this ends.
    while let Some((place, timer)) = due(turn, wake.until) {
        obey(turn, &place, timer, wake.away_until);
        motion::settle(turn);
    }
}

/// The earliest timer that strikes; of those due at once, that of the outer step.
fn due(turn: &Turn<'_>, until: Timestamp) -> Option<(Place, Timer)> {
    let mut due: Option<(Timestamp, Place, Timer)> = None;
    walk(&turn.life().frame, |line, at, state| {
        for (timer, when) in timers(state).filter(|(_, when)| *when <= until) {
            if due.as_ref().is_none_or(|(earliest, _, _)| when < *earliest) {
                due = Some((when, Place { line: line.clone(), at }, timer));
            }
        }
        None::<()>
    });
    due.map(|(_, place, timer)| (place, timer))
}

fn deadline(turn: &mut LifeTurn<'_>) {
    turn.life_mut().deadline = None;
    let within = turn.definition.within.unwrap_or_default();
    let failure = Failure {
        step: None,
        kind: FailureKind::Deadline,
        reason: format!("not done within {within}"),
    };
    if turn.life().direction == Direction::Back || turn.life().pivoted {
        return;
    }
    // A stuck step keeps its place for a person; the deadline counts once it moves again.
    let awaits = turn.awaits_pivot();
    if awaits || turn.life().stuck.iter().any(|s| !s.undoing) {
        turn.await_pivot(failure);
    } else {
        back::go_back(turn, failure);
    }
}

fn obey(turn: &mut LifeTurn<'_>, place: &Place, timer: Timer, away_until: Timestamp) {
    let outcome = match timer {
        Timer::Remind => {
            waiting::remind(turn, place);
            return;
        }
        Timer::Deadline => kinds::of(turn.step_at(place)).time_is_up(turn, place),
        Timer::Request(part) => attempt::time_is_up(turn, place, part, away_until),
    };
    follow(turn, place, outcome);
}

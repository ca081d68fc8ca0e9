//! Timers: attempts that took too long, pauses that are over, deadlines, reminders, forgetting.

use serde_json::Map;

use crate::definition::{StepKind, Then, Unknown};
use crate::engine::course::back;
use crate::engine::course::forward;
use crate::engine::course::forward::No;
use crate::engine::course::join;
use crate::engine::course::motion;
use crate::engine::kind::wait;
use crate::engine::request::asked::{self, Asked};
use crate::engine::request::pause;
use crate::engine::request::probe;
use crate::engine::request::send;
use crate::engine::request::slot::{self, Slot};
use crate::engine::state::place::{Place, walk};
use crate::engine::work::turn::Turn;
use crate::engine::{
    Direction, Failure, FailureKind, Frame, Generation, NoteKind, Progress, Request, StepState,
    Wake,
};
use crate::message::{InputId, Timestamp};

/// What a step is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    /// Its own time is up.
    Deadline,
    /// A reminder.
    Remind,
    /// An attempt, or the pause before the next one, is over.
    Request(Slot),
}

/// When a generation next wants to be woken.
pub(in crate::engine) fn next_due(generation: &Generation) -> Option<Timestamp> {
    let steps = earliest(&generation.frame);
    steps.into_iter().chain(generation.deadline).chain(generation.forget).min()
}

fn earliest(frame: &Frame) -> Option<Timestamp> {
    let own = frame.steps.iter().flat_map(|state| timers(state).map(|(_, at)| at)).min();
    let inner = frame.steps.iter().flat_map(|state| state.frames.iter().filter_map(earliest)).min();
    own.into_iter().chain(inner).min()
}

fn timers(state: &StepState) -> impl Iterator<Item = (Timer, Timestamp)> {
    let deadline = state.until.map(|at| (Timer::Deadline, at));
    let remind = state.remind.map(|remind| (Timer::Remind, remind.at));
    let requests = slot::requests(state)
        .filter_map(|(slot, request)| until(request).map(|at| (Timer::Request(slot), at)));
    deadline.into_iter().chain(remind).chain(requests)
}

fn until(request: &Request) -> Option<Timestamp> {
    match request.progress {
        Progress::Waiting(until) | Progress::Pausing(until) => Some(until),
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => None,
    }
}

/// Whether a timer of a generation, other than its forgetting, strikes up to then.
pub(in crate::engine) fn is_due(generation: &Generation, until: Timestamp) -> bool {
    earliest(&generation.frame).into_iter().chain(generation.deadline).any(|at| at <= until)
}

/// Obeys every timer of a generation that strikes; `wake.until` is not later than now.
pub(in crate::engine) fn wake(turn: &mut Turn<'_>, wake: Wake) {
    // The deadline is asked first: an attempt that ends with it is not sent again.
    if turn.generation.deadline.is_some_and(|at| at <= wake.until) {
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
    walk(&turn.generation.frame, |line, at, state| {
        for (timer, when) in timers(state).filter(|(_, when)| *when <= until) {
            if due.as_ref().is_none_or(|(earliest, _, _)| when < *earliest) {
                due = Some((when, Place { line: line.clone(), at }, timer));
            }
        }
        None::<()>
    });
    due.map(|(_, place, timer)| (place, timer))
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
    let awaits = turn.awaits_pivot();
    if awaits || turn.generation.stuck.iter().any(|s| !s.undoing) {
        turn.generation.pending.get_or_insert(Box::new(failure));
    } else {
        back::go_back(turn, failure);
    }
}

fn obey(turn: &mut Turn<'_>, place: &Place, timer: Timer, away_until: Timestamp) {
    match timer {
        Timer::Remind => wait::remind(turn, place),
        Timer::Deadline => time_is_up(turn, place),
        Timer::Request(slot) => request_due(turn, place, slot, away_until),
    }
}

fn time_is_up(turn: &mut Turn<'_>, place: &Place) {
    let step = turn.step_at(place);
    match &step.kind {
        StepKind::Wait(waits) => wait::late(turn, place, &waits.late, waits.within),
        StepKind::Ask(ask) => wait::late(turn, place, &ask.late, ask.within),
        StepKind::Sleep(_) => {
            let name = turn.name_at(place);
            turn.note(Some(&name), NoteKind::Succeeded, "its time has come");
            forward::conclude(turn, place, &step.set, None);
        }
        StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => join::late(turn, place),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Call(_) => turn.at_mut(place).until = None,
    }
}

fn request_due(turn: &mut Turn<'_>, place: &Place, slot: Slot, away_until: Timestamp) {
    let Some(request) = slot.request(turn.at(place)).cloned() else {
        return;
    };
    let asked = Asked::of(turn.step_at(place), slot).expect("only requests have timers");
    match request.progress {
        Progress::Waiting(due) if due < away_until && !request.extended => {
            extend(turn, place, slot, asked, &request);
        }
        Progress::Waiting(_) => {
            let (attempts, within) = (request.attempts, asked.within());
            let words = format!("no answer to attempt {attempts} within {within}");
            attempt_over(turn, place, slot, asked, &request, &words);
        }
        Progress::Pausing(_) => send_again(turn, place, slot, asked, &request),
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => {}
    }
}

fn extend(turn: &mut Turn<'_>, place: &Place, slot: Slot, asked: Asked<'_>, before: &Request) {
    match send::extend(turn, place, slot, asked, before) {
        Ok(extended) => {
            if let Some(request) = slot.request_mut(turn.at_mut(place)) {
                *request = extended;
            }
        }
        Err(reason) => park(turn, place, slot, &reason),
    }
}

fn send_again(turn: &mut Turn<'_>, place: &Place, slot: Slot, asked: Asked<'_>, before: &Request) {
    let step = turn.step_at(place);
    match send::send(turn, &place.line, step, slot, asked, before) {
        Ok(sent) => {
            if let Some(r) = slot.request_mut(turn.at_mut(place)) {
                *r = sent;
            }
        }
        Err(reason) => park(turn, place, slot, &reason),
    }
}

/// An attempt has brought no answer: there is another, or the budget is spent.
pub(in crate::engine) fn attempt_over(
    turn: &mut Turn<'_>,
    place: &Place,
    slot: Slot,
    asked: Asked<'_>,
    before: &Request,
    words: &str,
) {
    let name = turn.name_at(place);
    turn.note(Some(&name), NoteKind::TimedOut, words);
    let seed = pause::seed(turn, place, slot);
    let retry = asked.retry();
    let insists =
        slot == Slot::Action && asked::unknown(turn.step_at(place)) == Some(Unknown::Retry);
    let next = pause::again(retry, before, turn.now, &seed).or_else(|| {
        let next = turn.now.after(retry.most.max(pause::PAUSE_MIN));
        (insists && next <= before.since.after(turn.limits.insist)).then_some(next)
    });
    match next {
        Some(at) => {
            if let Some(r) = slot.request_mut(turn.at_mut(place)) {
                r.progress = Progress::Pausing(at);
            }
        }
        None => exhausted(turn, place, slot, before),
    }
}

fn exhausted(turn: &mut Turn<'_>, place: &Place, slot: Slot, before: &Request) {
    let name = turn.name_at(place);
    let reason = format!("{name} has not answered {} attempts", before.spent);
    let unknown = asked::unknown(turn.step_at(place));
    match (slot, unknown) {
        (Slot::Action, Some(Unknown::Compensate | Unknown::Probe))
            if before.never_left() && turn.can_go_back(&place.line) =>
        {
            let reason = format!("{name} was never sent in {} attempts", before.spent);
            let (step, kind) = (name.to_string(), FailureKind::Exhausted);
            let failure = Failure { step, kind, reason };
            turn.at_mut(place).answered(InputId::default());
            forward::reject(turn, place, No { written: Map::new(), then: Then::GoBack, failure });
        }
        (Slot::Action, Some(Unknown::Compensate)) if turn.can_go_back(&place.line) => {
            let (step, kind) = (name.to_string(), FailureKind::Exhausted);
            forward::fall(turn, &place.line, Failure { step, kind, reason });
        }
        (Slot::Action, Some(Unknown::Probe)) => {
            if let Err(reason) = probe::ask(turn, place) {
                park(turn, place, slot, &reason);
            }
        }
        (Slot::Probe, _) => probe::exhausted(turn, place, &reason),
        (
            Slot::Action | Slot::Undo(_),
            None | Some(Unknown::Compensate | Unknown::Probe | Unknown::Retry | Unknown::Park),
        ) => park(turn, place, slot, &reason),
    }
}

fn park(turn: &mut Turn<'_>, place: &Place, slot: Slot, reason: &str) {
    if slot == Slot::Probe {
        probe::exhausted(turn, place, reason);
        return;
    }
    if let Some(request) = slot.request_mut(turn.at_mut(place)) {
        request.progress = Progress::Parked;
    }
    turn.park(place, slot != Slot::Action, reason);
}

//! Composite steps: their branches begin, come together, and run out of time.

use crate::definition::{Join, Step, StepKind, Then, Verdict};
use crate::engine::course::back;
use crate::engine::course::forward;
use crate::engine::kind::choose;
use crate::engine::kind::each;
use crate::engine::kind::lock;
use crate::engine::kind::parallel;
use crate::engine::kind::saga;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, Frame, NoteKind, Phase, Stage, StepState};
use crate::message::Span;

/// A composite step with its branches, which begin by themselves.
pub(in crate::engine) fn open(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    frames: Vec<Frame>,
    within: Option<Span>,
) {
    let until = within.map(|within| turn.now.after(within));
    let state = StepState { frames, until, ..StepState::new(step.id, Phase::Running) };
    turn.push(line, state);
}

/// The most branches of a step that run at once.
pub(in crate::engine) fn at_once(step: &Step) -> usize {
    match &step.kind {
        StepKind::Each(each) => each.at_once as usize,
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => usize::MAX,
    }
}

/// Whether the branches of a step have come as far as it needs.
pub(in crate::engine) fn is_ready(step: &Step, state: &StepState) -> bool {
    let all_over = state.frames.iter().all(|f| f.over);
    if state.phase != Phase::Running {
        // What was held for the sake of an undoing is let go.
        let held = state.hold.filter(|hold| hold.stage == Stage::Held);
        return held.is_some_and(|hold| {
            let undone = !state.undos.is_empty() && back::is_turned(state);
            all_over && (hold.late || undone) && !state.owes_inside()
        });
    }
    if state.failure.is_some() {
        return all_over;
    }
    match &step.kind {
        StepKind::Parallel(parallel) => match parallel.join {
            Join::All => state.frames.iter().all(Frame::is_done),
            Join::First => all_over || state.frames.iter().any(Frame::is_done),
        },
        StepKind::Each(_) => all_over,
        StepKind::Choose(_) => state.frames.iter().all(Frame::is_done),
        // The losers of a race under it are undone under it.
        StepKind::Lock(_) => state.frames.iter().all(|f| f.is_done() && !f.owes()),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_) => false,
    }
}

/// The branches of a step have come as far as it needs.
pub(in crate::engine) fn join(turn: &mut Turn<'_>, place: &Place) {
    let state = turn.at(place);
    if state.phase != Phase::Running {
        lock::release(turn, place);
        return;
    }
    if let Some(failure) = state.failure.clone() {
        lock::release(turn, place);
        let (verdict, _) = limits(turn.step_at(place));
        refuse(turn, place, verdict, *failure);
        return;
    }
    let step = turn.step_at(place);
    match &step.kind {
        StepKind::Parallel(parallel) => parallel::join(turn, place, step, parallel),
        StepKind::Each(each) => each::join(turn, place, step, each),
        StepKind::Choose(_) => choose::join(turn, place, step),
        StepKind::Lock(lock) => lock::join(turn, place, step, lock),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_) => {}
    }
}

/// What a step's own rejection means, and how long it may take.
pub(in crate::engine) fn limits(step: &Step) -> (Option<&Verdict>, Option<Span>) {
    match &step.kind {
        StepKind::Parallel(parallel) => (Some(&parallel.failed), parallel.within),
        StepKind::Each(each) => (Some(&each.failed), each.within),
        StepKind::Choose(choose) => (Some(&choose.failed), choose.within),
        StepKind::Lock(lock) => (Some(&lock.failed), lock.within),
        StepKind::Saga(child) => (Some(&child.failed), child.within),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_) => (None, None),
    }
}

fn refuse(turn: &mut Turn<'_>, place: &Place, verdict: Option<&Verdict>, failure: Failure) {
    if let Some(verdict) = verdict {
        forward::refuse(turn, place, verdict, failure, None);
    }
}

/// The time of a whole block, of a child, or of getting a lock is up.
pub(in crate::engine) fn late(turn: &mut Turn<'_>, place: &Place) {
    if turn.at(place).hold.is_some() && turn.at(place).phase != Phase::Running {
        lock::late_claim(turn, place);
        return;
    }
    let step = turn.step_at(place);
    let (verdict, within) = limits(step);
    let Some(verdict) = verdict else {
        return;
    };
    let name = turn.name_at(place);
    let reason = format!("not done within {}", within.unwrap_or_default());
    turn.note(Some(&name), NoteKind::TimedOut, reason.clone());
    turn.at_mut(place).until = None;
    let failure = Failure { step: name.to_string(), kind: FailureKind::Deadline, reason };
    if holds_pivot(turn, place) {
        let words = "the pivot in it was sent: its outcome counts";
        turn.note(Some(&name), NoteKind::Refused, words);
        if verdict.then == Then::GoBack && !turn.generation.pivoted {
            turn.generation.pending.get_or_insert(Box::new(failure));
        }
        return;
    }
    if let StepKind::Lock(_) = step.kind {
        lock::abandon(turn, place);
        refuse(turn, place, Some(verdict), failure);
        return;
    }
    match verdict.then {
        Then::GoOn => leave_behind(turn, place, failure),
        Then::GoBack if turn.can_go_back(&place.line) => {
            forward::fall(turn, &place.line, failure);
        }
        Then::GoBack | Then::Park => turn.park(place, false, &failure.reason),
    }
}

/// What is in a step is undone before the saga goes on behind it.
fn leave_behind(turn: &mut Turn<'_>, place: &Place, failure: Failure) {
    turn.at_mut(place).failure = Some(Box::new(failure));
    turn.unpark(place, false);
    if let StepKind::Saga(_) = turn.step_at(place).kind {
        saga::take_back(turn, place);
        return;
    }
    back::turn_branches(turn, place);
}

/// Whether a pivot inside a step was sent, and is done or awaited.
fn holds_pivot(turn: &Turn<'_>, place: &Place) -> bool {
    let step = turn.step_at(place);
    if step.pivot && turn.at(place).action.is_some() {
        return true;
    }
    let main = &turn.generation.frame;
    let found = crate::engine::state::place::walk(main, |line, _, state| {
        let inside =
            line.owner().is_some() && line.outwards().any(|l| l.owner().as_ref() == Some(place));
        let sent = state.action.is_some()
            && matches!(state.phase, Phase::Running | Phase::Succeeded)
            && turn.step(state.step).pivot;
        (inside && sent).then_some(())
    });
    found.is_some()
}

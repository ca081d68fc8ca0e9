//! Steps under a lock: its keys are taken one by one in one order that all sagas share, so that
//! nobody waits in a circle, and let go together.

use super::branches;
use super::handler::{Branches, Handler};
use crate::definition::{LockStep, Release, Step, StepKind, Verdict};
use crate::engine::state::place::{Line, Place, places};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{
    Awaited, Effect, Failure, FailureKind, Frame, Hold, Inside, Letter, Locked, Phase, Rejection,
    Request, Say, Stage, StepState, What,
};
use crate::message::{InstanceId, Key, Part, SagaName, Span};

impl Handler for LockStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for template in &self.keys {
            let key = turn.key(line, template)?;
            keys.push(Key::new(&key).map_err(|e| format!("`lock`: {e}"))?);
        }
        keys.sort_unstable();
        keys.dedup();
        let name = turn.name(line, step);
        turn.note(Some(&name), What::Waiting(Awaited::Lock));
        let until = self.within.map(|within| turn.now.after(within));
        let hold = Hold { stage: Stage::Taking, got: 0, fence: 0, round: 1, late: false };
        let inside = Inside::Locked(Box::new(Locked { keys, hold, frames: Vec::new() }));
        let state = StepState { until, inside, ..StepState::new(step.id, Phase::Running) };
        let place = turn.push(line, state);
        ask_next(turn, &place);
        Ok(Outcome::Waits)
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        if turn.at(place).phase != Phase::Running {
            late_claim(turn, place);
            return Outcome::Waits;
        }
        let Some(failure) = branches::out_of_time(turn, place, &self.failed, self.within) else {
            return Outcome::Waits;
        };
        abandon(turn, place);
        turn.refused(place, &self.failed, failure, None)
    }

    fn limits(&self) -> Option<(&Verdict, Option<Span>)> {
        Some((&self.failed, self.within))
    }

    fn branches(&self) -> Option<&dyn Branches> {
        Some(self)
    }
}

impl Branches for LockStep {
    /// The losers of a race under it are undone under it.
    fn are_ready(&self, state: &StepState) -> bool {
        state.frames().iter().all(|f| f.is_done() && !f.owes())
    }

    /// The steps under the lock are done.
    fn join(&self, turn: &mut Turn<'_>, place: &Place, step: &Step) -> Outcome {
        turn.concluded(place, &step.set, None)
    }

    fn joined(&self, turn: &mut Turn<'_>, place: &Place) {
        let now = match self.release {
            Release::Block => true,
            Release::Pivot => turn.life().pivoted,
            Release::End => false,
        };
        if now && turn.at(place).phase == Phase::Succeeded {
            release_at_rest(turn, place);
        }
    }
}

/// Takes a released lock again, for what was done under it must be undone.
pub(in crate::engine) fn take_again(turn: &mut Turn<'_>, place: &Place) {
    let hold = &mut locked_mut(turn.at_mut(place)).hold;
    hold.stage = Stage::Taking;
    hold.got = 0;
    hold.round += 1;
    ask_next(turn, place);
}

/// What was done under a lock is undone late: if the lock is free again, its keys are asked for.
/// Answers whether the undoing must wait for them.
pub(in crate::engine) fn reacquire(turn: &mut Turn<'_>, line: &Line) -> bool {
    let Some(place) = around(turn, line) else {
        return false;
    };
    match locked(turn, &place).hold.stage {
        Stage::Held => false,
        Stage::Taking => true,
        Stage::Freed => {
            locked_mut(turn.at_mut(&place)).hold.late = true;
            give_time(turn, &place);
            take_again(turn, &place);
            true
        }
    }
}

/// How long the keys may take to be had for an undoing.
fn give_time(turn: &mut Turn<'_>, place: &Place) {
    let within = said(turn, place).within.unwrap_or(turn.limits.lock_late);
    turn.at_mut(place).until = Some(turn.now.after(within));
}

/// What the definition says of a step that takes or holds keys.
fn said<'d>(turn: &Turn<'d>, place: &Place) -> &'d LockStep {
    let StepKind::Lock(lock) = &turn.step_at(place).kind else {
        unreachable!("no step but a lock takes keys");
    };
    lock
}

/// The keys of a step that takes or holds some.
fn locked<'t>(turn: &'t Turn<'_>, place: &Place) -> &'t Locked {
    turn.at(place).locked().expect("no step but a lock takes keys")
}

/// The same, to be changed.
fn locked_mut(state: &mut StepState) -> &mut Locked {
    let Inside::Locked(locked) = &mut state.inside else {
        unreachable!("no step but a lock takes keys");
    };
    locked
}

/// The lock around a list.
fn around(turn: &Turn<'_>, line: &Line) -> Option<Place> {
    let mut owners = line.outwards().filter_map(|line| line.owner());
    owners.find(|owner| turn.at(owner).locked().is_some())
}

/// A lock is not had in time for what is undone late: people are told, and it is still asked for.
fn late_claim(turn: &mut Turn<'_>, place: &Place) {
    turn.at_mut(place).until = None;
    let keys: Vec<&str> = locked(turn, place).keys.iter().map(Key::as_str).collect();
    let keys = keys.join(" and ");
    let reason = format!("{keys} is not had, and what was done under it is to be undone");
    turn.park(place, true, &reason);
}

/// A person wants what is to be undone under a lock to be tried again.
pub(in crate::engine) fn undo_again(turn: &mut Turn<'_>, place: &Place) {
    turn.unpark(place, true);
    give_time(turn, place);
    if locked(turn, place).hold.stage == Stage::Freed {
        take_again(turn, place);
    }
}

/// The undoings under a lock that wait for it.
pub(in crate::engine) fn awaiting(turn: &Turn<'_>, place: &Place) -> Vec<Place> {
    let waits = |state: &StepState| state.undos.last().is_some_and(Request::awaits_lock);
    let mut inside = places(&turn.life().frame, waits);
    inside.retain(|inner| {
        let ours = around(turn, &inner.line).as_ref() == Some(place);
        ours && !matches!(turn.step_at(inner).kind, StepKind::Saga(_))
    });
    inside
}

/// After the end, a lock that was kept or taken for a late undoing is let go once that is over.
pub(in crate::engine) fn let_go(turn: &mut Turn<'_>) {
    let idle = |state: &StepState| {
        state.hold().is_some_and(|hold| hold.stage == Stage::Held) && !state.owes_inside()
    };
    for place in places(&turn.life().frame, idle) {
        release(turn, &place);
    }
}

/// A person wants it tried again after it was rejected.
pub(in crate::engine) fn again(turn: &mut Turn<'_>, place: &Place) {
    let until = said(turn, place).within.map(|within| turn.now.after(within));
    let state = turn.at_mut(place);
    state.phase = Phase::Running;
    state.until = until;
    take_again(turn, place);
}

/// Asks for the first key that is not held.
fn ask_next(turn: &mut Turn<'_>, place: &Place) {
    let Locked { keys, hold, .. } = locked(turn, place);
    let (key, hold) = (keys.get(hold.got as usize).cloned(), *hold);
    let key = key.expect("a lock has a key, and asks while it lacks one");
    say(turn, place, key, hold.round, Say::Acquire { above: hold.fence });
}

/// A lock says that one of the keys is held.
///
/// # Errors
/// When the step has it already.
pub(in crate::engine) fn granted(
    turn: &mut Turn<'_>,
    place: &Place,
    letter: &Letter,
    fence: u64,
) -> Result<Outcome, Rejection> {
    let key = &letter.from.key;
    let known = turn.at(place).locked().filter(|locked| locked.hold.round == letter.round);
    let held = known.is_some_and(|locked| match locked.hold.stage {
        Stage::Held => true,
        Stage::Taking => locked.keys[..locked.hold.got as usize].contains(key),
        Stage::Freed => false,
    });
    if held {
        return Err(Rejection::Duplicate(format!("{key} is held already")));
    }
    if !is_asked(turn, place, letter) {
        // Nobody here wants it any more.
        say(turn, place, key.clone(), letter.round, Say::Release { fence });
        return Ok(Outcome::Waits);
    }
    let Locked { keys, hold, .. } = locked_mut(turn.at_mut(place));
    hold.got += 1;
    hold.fence = hold.fence.max(fence);
    let all = hold.got as usize == keys.len();
    if all {
        hold.stage = Stage::Held;
        return Ok(held_all(turn, place));
    }
    ask_next(turn, place);
    Ok(Outcome::Waits)
}

/// Whether a step asks for the key that a lock speaks of, in the round that it speaks of.
fn is_asked(turn: &Turn<'_>, place: &Place, letter: &Letter) -> bool {
    turn.at(place).locked().is_some_and(|Locked { keys, hold, .. }| {
        (hold.round, hold.stage) == (letter.round, Stage::Taking)
            && keys.get(hold.got as usize) == Some(&letter.from.key)
    })
}

/// All keys are held: its steps begin, or are undone.
fn held_all(turn: &mut Turn<'_>, place: &Place) -> Outcome {
    let name = turn.name_at(place);
    let fence = locked(turn, place).hold.fence;
    turn.note(Some(&name), What::Locked { token: fence });
    if turn.at(place).phase != Phase::Running {
        turn.unpark(place, true);
        return Outcome::UndoInside;
    }
    let block = said(turn, place).block;
    turn.at_mut(place).until = None;
    locked_mut(turn.at_mut(place)).frames = vec![Frame::branch(block, 0)];
    Outcome::Waits
}

/// A lock says that too many wait for it.
///
/// # Errors
/// When the step does not wait for it.
pub(in crate::engine) fn full(
    turn: &mut Turn<'_>,
    place: &Place,
    letter: &Letter,
) -> Result<Outcome, Rejection> {
    let key = &letter.from.key;
    if !is_asked(turn, place, letter) {
        return Err(Rejection::Duplicate(format!("{key} is not asked for any more")));
    }
    let running = turn.at(place).phase == Phase::Running;
    let reason = format!("too many wait for {key} already");
    let_go_taken(turn, place);
    if running {
        let step = Some(turn.name_at(place));
        let failure = Failure { step, kind: FailureKind::Rejected, reason };
        return Ok(turn.refused(place, &said(turn, place).failed, failure, None));
    }
    turn.park(place, true, &reason);
    Ok(Outcome::Waits)
}

/// From the pivot on nothing under a lock can be undone any more.
pub(in crate::engine) fn passed_pivot(turn: &mut Turn<'_>) {
    let done = |state: &StepState| {
        state.phase == Phase::Succeeded && state.hold().is_some_and(|h| h.stage == Stage::Held)
    };
    for place in places(&turn.life().frame, done) {
        let lock = said(turn, &place);
        if lock.release == Release::Pivot && turn.at(&place).frames().iter().all(Frame::is_done) {
            release_at_rest(turn, &place);
        }
    }
}

/// The end: nothing is held any more, but for what is still undone under it.
pub(in crate::engine) fn release_all(turn: &mut Turn<'_>) {
    for place in places(&turn.life().frame, |state| state.locked().is_some()) {
        release_at_rest(turn, &place);
    }
}

/// Lets the keys go, or as soon as nothing is undone under them any more.
fn release_at_rest(turn: &mut Turn<'_>, place: &Place) {
    if turn.at(place).owes_inside() {
        locked_mut(turn.at_mut(place)).hold.late = true;
    } else {
        release(turn, place);
    }
}

/// Lets the keys go, if they are held.
pub(in crate::engine) fn release(turn: &mut Turn<'_>, place: &Place) {
    let Locked { keys, hold, .. } = locked(turn, place);
    if hold.stage != Stage::Held {
        return;
    }
    let (keys, hold) = (keys.clone(), *hold);
    for key in keys {
        say(turn, place, key, hold.round, Say::Release { fence: hold.fence });
    }
    locked_mut(turn.at_mut(place)).hold.late = false;
    freed(turn.at_mut(place));
    let name = turn.name_at(place);
    turn.note(Some(&name), What::Released);
}

/// Gives up a lock that is being taken: what is held is let go, what is asked for withdrawn.
pub(in crate::engine) fn abandon(turn: &mut Turn<'_>, place: &Place) {
    let Locked { keys, hold, .. } = locked(turn, place);
    if hold.stage != Stage::Taking {
        return;
    }
    let (key, round) = (keys.get(hold.got as usize).cloned(), hold.round);
    let key = key.expect("a lock that is taken lacks a key");
    let_go_taken(turn, place);
    say(turn, place, key, round, Say::Withdraw);
}

/// Lets the keys go that are held so far.
fn let_go_taken(turn: &mut Turn<'_>, place: &Place) {
    let Locked { keys, hold, .. } = locked(turn, place);
    let (held, hold) = (keys[..hold.got as usize].to_vec(), *hold);
    for key in held {
        say(turn, place, key, hold.round, Say::Release { fence: hold.fence });
    }
    freed(turn.at_mut(place));
}

/// No key of a step is held any more.
fn freed(state: &mut StepState) {
    state.until = None;
    let hold = &mut locked_mut(state).hold;
    hold.stage = Stage::Freed;
    hold.got = 0;
}

fn say(turn: &mut Turn<'_>, place: &Place, key: Key, round: u32, say: Say) {
    let name = turn.name_at(place);
    let to = InstanceId { saga: SagaName::lock(), key };
    let asked = turn.command_id(&name, Part::Action, round);
    let letter = Letter {
        id: format!("{asked}/{}/{}", say.text(), to.key),
        from: turn.id.clone(),
        life: turn.life().id,
        step: name,
        round,
        say,
    };
    turn.send(Effect::Letter { to, letter });
}

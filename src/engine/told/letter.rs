//! Letters: what a parent, a child or a lock says.

use serde_json::Value;

use super::case::Case;
use super::start::{self, Unborn};
use crate::engine::course::follow::follow;
use crate::engine::course::{back, finish};
use crate::engine::kind::{lock, saga};
use crate::engine::state::place::Place;
use crate::engine::state::remnant::digest;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::{LifeTurn, Turn};
use crate::engine::{
    Direction, Effect, Failure, FailureKind, Letter, Life, Parent, Rejection, Say, What,
};
use crate::message::{InputId, InstanceId};

/// Reads a letter.
///
/// # Errors
/// When it is no news, or nothing here that it could be for.
pub(in crate::engine) fn read(case: &mut Case<'_>, letter: &Letter) -> Result<(), Rejection> {
    match &letter.say {
        Say::Start { body, trace_parent } => begin(case, letter, body, trace_parent),
        Say::TakeBack { reason, reopen } => take_back(case, letter, reason, *reopen),
        Say::ParentGone => parent_gone(case, letter),
        Say::Ended { .. } | Say::Taken | Say::TakenBack | Say::Kept => {
            at_step(case, letter, |turn, place| saga::take(turn, place, letter))
        }
        Say::Granted { fence } => {
            let found =
                at_step(case, letter, |turn, place| lock::granted(turn, place, letter, *fence));
            match found {
                // Whoever asked for it is gone: it must not be held for nobody.
                Err(Rejection::Unmatched(_)) => {
                    let say = Say::Release { fence: *fence };
                    case.out.effects.push(reply(case.id, letter, say));
                    Ok(())
                }
                found => found,
            }
        }
        Say::Full => at_step(case, letter, |turn, place| lock::full(turn, place, letter)),
        Say::Acquire { .. } | Say::Release { .. } | Say::Withdraw => Err(Rejection::Unmatched(
            format!("{} is no lock, and {} asks for one", case.id, letter.from),
        )),
    }
}

/// Lets the step that a letter is about take it.
fn at_step(
    case: &mut Case<'_>,
    letter: &Letter,
    take: impl FnOnce(&mut Turn<'_>, &Place) -> Result<Outcome, Rejection>,
) -> Result<(), Rejection> {
    let nobody = || {
        let Letter { from, step, life, .. } = letter;
        Rejection::Unmatched(format!("{from} speaks to {step} of life {life}, not known here"))
    };
    // A lock that is granted to nobody must be let go.
    if case.instance.is_gone(letter.life) && !matches!(letter.say, Say::Granted { .. }) {
        return Err(Rejection::Duplicate(format!("{} is no news", letter.id)));
    }
    let number = |g: &Life| g.id == letter.life;
    let found = case.instance.lives.iter().position(number).ok_or_else(nobody)?;
    let run = &case.instance.lives[found];
    let known = case
        .catalog
        .by_hash(run.definition)
        .is_none_or(|definition| Place::named(definition, &run.frame, &letter.step).is_some());
    if !known {
        return Err(nobody());
    }
    case.change(found, |turn| {
        let place = Place::named(turn.definition, &turn.life().frame, &letter.step);
        let place = place.ok_or_else(nobody)?;
        let outcome = take(turn, &place)?;
        follow(turn, &place, outcome);
        Ok(())
    })
}

/// An answer to a letter, about the same step of the asking side.
fn reply(from: &InstanceId, letter: &Letter, say: Say) -> Effect {
    let Letter { life, step, round, .. } = letter;
    let answer = Letter {
        id: format!("{from}/{}/{}", say.text(), letter.id),
        from: from.clone(),
        life: *life,
        step: step.clone(),
        round: *round,
        say,
    };
    Effect::Letter { to: letter.from.clone(), letter: answer }
}

/// Whether a life is the child that a letter of its parent is about.
pub(super) fn is_child_of(life: &Life, letter: &Letter) -> bool {
    life.parent.as_ref().is_some_and(|parent| {
        parent.instance == letter.from && parent.life == letter.life && parent.step == letter.step
    })
}

fn parent_of(letter: &Letter) -> Parent {
    Parent {
        instance: letter.from.clone(),
        life: letter.life,
        step: letter.step.clone(),
        round: letter.round,
        taken_back: false,
        gone: false,
    }
}

/// A parent starts a child.
fn begin(
    case: &mut Case<'_>,
    letter: &Letter,
    body: &Value,
    trace_parent: &str,
) -> Result<(), Rejection> {
    let parent = parent_of(letter);
    let by = InputId::named(&letter.id);
    if case.instance.lives.iter().any(|g| g.started_by.text == letter.id)
        || case.instance.remnants.iter().any(|remnant| remnant.has_taken(&[digest(&by)]))
    {
        return Err(Rejection::Duplicate(format!("{} has started {} before", letter.id, case.id)));
    }
    if let Some(newest) = case.instance.lives.last_mut() {
        let ours = is_child_of(newest, letter);
        if ours && newest.parent.as_ref().is_some_and(|parent| parent.round >= letter.round) {
            return Err(Rejection::Duplicate(format!("{} is no news", letter.id)));
        }
        let completed = newest.ended.is_some() && newest.direction == Direction::Forward;
        if ours && (newest.ended.is_none() || completed) {
            // The parent asks again for what runs or is done: it hears of it in its new round.
            newest.parent = Some(Box::new(parent.clone()));
            if completed {
                for say in finish::endings(newest, &parent) {
                    case.out.effects.push(finish::answer(case.id, &parent, say));
                }
            }
            return Ok(());
        }
        // Another life with this key that still counts for somebody else.
        let gone = newest.parent.as_ref().is_some_and(|p| p.gone || p.instance == letter.from);
        if !(newest.ended.is_some() && gone) {
            case.out.effects.push(reply(case.id, letter, Say::Taken));
            return Ok(());
        }
        if ours {
            leave_behind(case, letter);
        }
    }
    let Some(definition) = case.catalog.newest(&case.id.saga).map(std::sync::Arc::clone) else {
        let reason = format!("there is no saga {}", case.id.saga);
        case.out.effects.push(reply(case.id, letter, finish::could_not_start(reason)));
        return Ok(());
    };
    let started = if definition.by_parent {
        let birth = start::Birth {
            event: body,
            by,
            source: None,
            trace_parent,
            parent: Some(parent),
            on: None,
        };
        start::begin(case, &definition, birth).map_err(Unborn::into)
    } else {
        let saga = &definition.saga;
        Err(Rejection::Refused(format!("{saga} is no child; its `start` has no `by: parent`")))
    };
    if let Err(refused) = started {
        let reason = refused.to_string();
        case.out.effects.push(reply(case.id, letter, finish::could_not_start(reason)));
    }
    Ok(())
}

/// A life that was compensated, whose parent asks for another: nobody speaks of it any more.
fn leave_behind(case: &mut Case<'_>, letter: &Letter) {
    for life in &mut case.instance.lives {
        let late = case.catalog.by_hash(life.definition).map(|d| d.late);
        if is_child_of(life, letter) && !life.owes() {
            life.forget = Some(case.now.after(late.unwrap_or_default()));
        }
        if is_child_of(life, letter)
            && let Some(parent) = &mut life.parent
        {
            parent.gone = true;
        }
    }
}

/// A parent asks a child to take itself back.
fn take_back(
    case: &mut Case<'_>,
    letter: &Letter,
    reason: &str,
    reopen: bool,
) -> Result<(), Rejection> {
    let mine = |g: &Life| is_child_of(g, letter);
    let Some(found) = case.instance.lives.iter().rposition(mine) else {
        // Nothing that this parent has started is here, so nothing is left to be taken back.
        case.out.effects.push(reply(case.id, letter, Say::TakenBack));
        return Ok(());
    };
    let asked = case.instance.lives[found].parent.as_ref().is_some_and(|p| p.taken_back);
    case.change(found, |turn| {
        if let Some(parent) = &mut turn.life_mut().parent {
            parent.taken_back = true;
            parent.round = letter.round;
        }
        let failure = Failure {
            step: None,
            kind: FailureKind::Cancelled,
            reason: format!("its parent goes back: {reason}"),
        };
        match (turn.life().ended.is_some(), turn.life().direction) {
            (true, Direction::Forward) if reopen && !turn.life().pivoted => {
                reopen_child(turn, failure);
                Ok(())
            }
            (true, direction @ (Direction::Forward | Direction::Back)) => {
                if !reopen && let Some(parent) = &mut turn.life_mut().parent {
                    // It stays done: the parent undoes it in its own way.
                    parent.taken_back = direction == Direction::Back;
                }
                tell_parent(turn);
                Ok(())
            }
            (false, _) if asked => Err(Rejection::Duplicate(format!("{} is no news", letter.id))),
            // Its end says that it was taken back.
            (false, Direction::Back) => Ok(()),
            (false, Direction::Forward) => {
                turn_round(turn, failure);
                Ok(())
            }
        }
    })
}

/// A child that has completed is undone.
fn reopen_child(turn: &mut LifeTurn<'_>, failure: Failure) {
    turn.life_mut().ended = None;
    turn.life_mut().forget = None;
    turn.note(None, What::Cancelled { reason: failure.reason.clone() });
    back::go_back(turn, failure);
}

/// A child that runs goes back, unless its pivot was sent: then the outcome of that counts.
fn turn_round(turn: &mut LifeTurn<'_>, failure: Failure) {
    if turn.life().pivoted {
        // It runs on; its end tells the parent that it cannot be taken back.
        return;
    }
    turn.note(None, What::Cancelled { reason: failure.reason.clone() });
    if turn.awaits_pivot() {
        turn.life_mut().pending = Some(Box::new(failure));
    } else {
        back::go_back(turn, failure);
    }
}

fn tell_parent(turn: &mut Turn<'_>) {
    if let Some(parent) = turn.life().parent.clone() {
        for say in finish::endings(turn.life(), &parent) {
            turn.send(finish::answer(turn.id, &parent, say));
        }
    }
}

/// A parent will not take its child back any more.
fn parent_gone(case: &mut Case<'_>, letter: &Letter) -> Result<(), Rejection> {
    let mine =
        |g: &Life| is_child_of(g, letter) && g.parent.as_ref().is_some_and(|parent| !parent.gone);
    let found = case.instance.lives.iter().rposition(mine).ok_or_else(|| {
        Rejection::Duplicate(format!("{} has no child here that waits for it", letter.from))
    })?;
    case.change(found, |turn| {
        if let Some(parent) = &mut turn.life_mut().parent {
            parent.gone = true;
        }
        if turn.life().ended.is_some() {
            if !turn.life().owes() {
                turn.life_mut().forget = Some(turn.now.after(turn.definition.late));
            }
            if turn.life().direction == Direction::Forward {
                saga::let_go(turn);
            }
        }
        Ok(())
    })
}

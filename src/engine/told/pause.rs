//! Pauses: a person lets a life stand still.
//!
//! ```text
//!  pause ──▶ its timers strike no more, nothing of it moves, and what it is told is held
//!  resume ─▶ every time limit has what was left of it, what was held is told in its order,
//!            and only then the life moves
//! ```

use std::iter;

use super::cancel;
use super::case::Case;
use super::meaning::Meaning;
use crate::definition::{Limits, bytes};
use crate::engine::course::timers;
use crate::engine::state::weight;
use crate::engine::work::turn::LifeTurn;
use crate::engine::{
    Act, Effect, Input, Letter, Life, Note, Paused, Rejection, Say, Verb, What, refusal,
};
use crate::message::InputId;

/// A person lets a life stand still.
///
/// # Errors
/// When it stands still already.
pub(in crate::engine) fn pause(turn: &mut LifeTurn<'_>, act: &Act) -> Result<(), Rejection> {
    if let Some(paused) = &turn.life().paused {
        return Err(Rejection::Refused(format!(
            "{} is paused already, since {} by {}: {}",
            turn.id, paused.since, paused.by, paused.why
        )));
    }
    let Act { id, by, why, .. } = act.clone();
    turn.note(None, What::Paused { id, by: by.clone(), why: why.clone() });
    let paused = Paused { since: turn.now, by, why, held: Vec::new() };
    turn.life_mut().paused = Some(Box::new(paused));
    Ok(())
}

/// What is to be held of an input, for it would move the life that stands still; none if that life
/// does not, or the input is about something else.
///
/// # Errors
/// When it is an act that must wait for the resume.
pub(in crate::engine) fn input(
    case: &Case<'_>,
    told: &Meaning<'_>,
) -> Result<Option<Input>, Rejection> {
    let Some((life, paused)) = case.instance.paused_life().filter(|_| !case.is_resuming) else {
        return Ok(None);
    };
    let newest = case.instance.lives.len() - 1;
    Ok(match told {
        Meaning::Answer(found, event) => {
            (found.life == newest).then(|| Input::Event((*event).clone()))
        }
        Meaning::Called(place, called) => {
            (*place == newest).then(|| Input::Called((*called).clone()))
        }
        Meaning::Cancel(event) | Meaning::Unclear(event) => Some(Input::Event((*event).clone())),
        Meaning::Decide(act) => Some(Input::Act((*act).clone())),
        Meaning::Act(act) => match act.verb {
            Verb::Cancel => Some(Input::Act((*act).clone())),
            Verb::Pause | Verb::Resume | Verb::SetData(_) | Verb::Answer { .. } => None,
            Verb::Retry
            | Verb::Skip
            | Verb::ResolveDone(_)
            | Verb::ResolveNotDone
            | Verb::GoBack => {
                if case.stuck_at(act).is_some_and(|place| place != newest) {
                    return Ok(None);
                }
                return Err(Rejection::Refused(format!(
                    "{} is paused since {} by {}; resume it first, or cancel it",
                    case.id, paused.since, paused.by
                )));
            }
        },
        Meaning::Letter(letter) => is_about(letter, life).then(|| Input::Letter((*letter).clone())),
        Meaning::Start(..) | Meaning::Early(..) | Meaning::Wake(_) => None,
    })
}

/// Whether a letter is about this life.
fn is_about(letter: &Letter, life: &Life) -> bool {
    match letter.say {
        Say::Start { .. } | Say::TakeBack { .. } | Say::ParentGone => {
            super::letter::is_child_of(life, letter)
        }
        Say::Ended { .. }
        | Say::Taken
        | Say::TakenBack
        | Say::Kept
        | Say::Granted { .. }
        | Say::Full => letter.life == life.id,
        Say::Acquire { .. } | Say::Release { .. } | Say::Withdraw => false,
    }
}

/// Holds an input until the resume.
///
/// # Errors
/// When it is held already, would not be obeyed, or too much is held. A letter always has room:
/// none comes twice, and there are no more of them than the life has asked for.
pub(in crate::engine) fn hold(case: &mut Case<'_>, input: Input) -> Result<(), Rejection> {
    let Some((life, paused)) = case.instance.paused_life() else {
        return Err(Rejection::Refused(format!("{} is not paused", case.id)));
    };
    if paused.held.iter().any(|held| is_again(held, &input)) {
        return Err(Rejection::Duplicate(format!("{} is held already", said(&input))));
    }
    let held = &paused.held;
    match &input {
        Input::Letter(_) | Input::Wake(_) => {}
        Input::Event(_) | Input::Called(_) => has_room(case, held, &input)?,
        Input::Act(act) => {
            has_room(case, held, &input)?;
            would_be_obeyed(case, act)?;
        }
    }
    let id = life.id;
    let what = What::Held { what: case.catalog.limits.cut(&said(&input)) };
    let newest = case.instance.lives.len() - 1;
    case.count(newest);
    let life = &mut case.instance.lives[newest];
    if let Some(paused) = &mut life.paused {
        paused.held.push(input);
    }
    case.out.notes.push(Note { life: id, step: None, what });
    Ok(())
}

/// A letter or what came of a call that is held comes again; events and acts were asked before.
fn is_again(held: &Input, input: &Input) -> bool {
    match (held, input) {
        (Input::Letter(held), Input::Letter(letter)) => held.id == letter.id,
        (Input::Called(held), Input::Called(called)) => held.command == called.command,
        (
            Input::Letter(_) | Input::Called(_) | Input::Event(_) | Input::Act(_) | Input::Wake(_),
            _,
        ) => false,
    }
}

/// Refuses more than may be held, as events are refused that come early.
fn has_room(case: &Case<'_>, held: &[Input], input: &Input) -> Result<(), Rejection> {
    let Limits { early_max, early_bytes_max, .. } = case.catalog.limits;
    let refused = |words: String| Err(Rejection::Refused(format!("{}: {words}", said(input))));
    let counted = held.iter().filter(|held| !matches!(held, Input::Letter(_)));
    if counted.clone().count() >= early_max {
        return refused(format!(
            "{early_max} of what {} was told wait for its resume already (`limits.early-max`), so \
             this is not kept",
            case.id
        ));
    }
    let bytes_max = bytes(early_bytes_max);
    if weight::of_held(counted.chain(iter::once(input))) > early_bytes_max {
        return refused(format!(
            "what {} was told and waits for its resume would take more than {bytes_max} \
             (`limits.early-bytes-max`), so this is not kept",
            case.id
        ));
    }
    case.room_for(&said(input), weight::of_held(iter::once(input)))
}

/// Refuses an act at once that would not be obeyed: who acts is there to hear of it.
fn would_be_obeyed(case: &Case<'_>, act: &Act) -> Result<(), Rejection> {
    let held = case.instance.paused_life().map_or(&[][..], |(_, paused)| &paused.held[..]);
    if act.verb == Verb::Cancel && held.iter().any(|held| is_cancel(case, held)) {
        return Err(Rejection::Refused(
            "cancel: the way back is asked for already and waits for the resume".to_owned(),
        ));
    }
    let input = Input::Act(act.clone());
    let (catalog, id, now) = (case.catalog, case.id, case.now);
    let mut trial = Case::of(catalog, id, now, case.instance.clone());
    trial.is_resuming = true;
    let told = Meaning::of(catalog, id, Some(&case.instance), &input, now)?;
    trial.obey(told)
}

/// An input in words.
fn said(input: &Input) -> String {
    match input {
        Input::Event(event) => format!("{} {}", event.address, event.id),
        Input::Act(act) => format!("{} by {}", act.verb.text(), act.by),
        Input::Letter(letter) => format!("{} from {}", letter.say.text(), letter.from),
        Input::Called(called) => format!("the answer to {}", called.command),
        Input::Wake(_) => "a timer".to_owned(),
    }
}

/// A person lets the life go on: its time limits have what was left of them, and what was held is
/// told again, all of it in this one transition.
///
/// The life moves when all of it was told: no step is entered that a cancel among it was to
/// prevent, and none is undone of which an answer among it says that it did not happen.
///
/// # Errors
/// When it is not paused.
pub(in crate::engine) fn resume(case: &mut Case<'_>, act: &Act) -> Result<(), Rejection> {
    let newest = case.instance.lives.len() - 1;
    let mut held = Vec::new();
    case.change(newest, |turn| {
        let Some(paused) = turn.life_mut().paused.as_mut() else {
            return Err(Rejection::Refused(format!("{} is not paused", turn.id)));
        };
        let since = paused.since;
        held = std::mem::take(&mut paused.held);
        let Act { id, by, why, .. } = act.clone();
        let length = turn.now.since(since);
        turn.note(None, What::Resumed { id, by, why, length });
        let definition = turn.definition;
        timers::shift(definition, turn.life_mut(), length);
        Ok(())
    })?;
    case.remember(newest, InputId::named(&act.id));
    case.is_resuming = true;
    for input in &held {
        tell_again(case, input);
    }
    case.change(newest, |turn| {
        turn.life_mut().paused = None;
        Ok(())
    })
}

/// Whether an input asks for the way back.
fn is_cancel(case: &Case<'_>, input: &Input) -> bool {
    match input {
        Input::Event(event) => {
            let (catalog, id) = (case.catalog, case.id);
            cancel::is_one(catalog, id, &case.instance, event, case.now).unwrap_or(false)
        }
        Input::Act(act) => act.verb == Verb::Cancel,
        Input::Letter(letter) => matches!(letter.say, Say::TakeBack { .. }),
        Input::Wake(_) | Input::Called(_) => false,
    }
}

/// Tells the instance what was held; people are told of what cannot be obeyed any more.
fn tell_again(case: &mut Case<'_>, input: &Input) {
    let before = case.instance.clone();
    let (effects, notes) = (case.out.effects.len(), case.out.notes.len());
    let told = Meaning::of(case.catalog, case.id, Some(&before), input, case.now);
    let Err(rejection) = told.and_then(|told| case.obey(told)) else {
        return;
    };
    case.out.effects.truncate(effects);
    case.out.notes.truncate(notes);
    if let Input::Act(act) = input {
        case.out.notes.extend(refusal(Some(&before), act, &rejection));
    }
    case.instance = before;
    match rejection {
        Rejection::Duplicate(_) | Rejection::Ignored(_) => {}
        Rejection::Unmatched(reason) | Rejection::Refused(reason) => {
            let words = format!("{}: {}, held while it was paused: {reason}", case.id, said(input));
            case.out.effects.push(Effect::Complaint(words));
        }
    }
}

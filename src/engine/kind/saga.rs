//! Children: other sagas that a step starts, waits for, and takes back.

use serde_json::{Map, Value};

use super::branches;
use super::handler::Handler;
use crate::definition::{Compensation, SagaStep, Step, StepKind, Then, Verdict};
use crate::engine::state::place::{Line, Place, places};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{
    Effect, Failure, FailureKind, Letter, Phase, Progress, Proof, Rejection, Request, Say, Sending,
    StepState, What,
};
use crate::expression::Name;
use crate::message::{InputId, InstanceId, Key, Part, Span};

impl Handler for SagaStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let (key, body) = filled(turn, line, step, self)?;
        let state = StepState {
            action: Some(open(turn, 1)),
            until: self.within.map(|within| turn.now.after(within)),
            keys: vec![key],
            ..StepState::new(step.id, Phase::Running)
        };
        let place = turn.push(line, state);
        start(turn, &place, body);
        Ok(Outcome::Waits)
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        let verdict = &self.failed;
        let Some(failure) = branches::out_of_time(turn, place, verdict, self.within) else {
            return Outcome::Waits;
        };
        if verdict.then != Then::GoOn {
            return branches::back_or_parked(turn, place, verdict, failure);
        }
        // It is taken back before the saga goes on behind it.
        turn.at_mut(place).failure = Some(Box::new(failure));
        turn.unpark(place, false);
        take_back(turn, place);
        Outcome::Waits
    }

    fn takes_back(&self, turn: &mut Turn<'_>, place: &Place) -> bool {
        // A person may have said that it is done although no child could begin.
        let Some(action) = &turn.at(place).action else {
            return false;
        };
        let own =
            action.lacks_answer() || *turn.step_at(place).compensation() == Compensation::Child;
        if own {
            take_back(turn, place);
        }
        own
    }

    fn limits(&self) -> Option<(&Verdict, Option<Span>)> {
        Some((&self.failed, self.within))
    }
}

/// A person wants it tried again after it was rejected.
pub(in crate::engine) fn again(turn: &mut Turn<'_>, place: &Place) {
    let step = turn.step_at(place);
    let StepKind::Saga(child) = &step.kind else {
        return;
    };
    match filled(turn, &place.line, step, child) {
        Ok((_, body)) => {
            let rounds = turn.at(place).action.as_ref().map_or(0, |action| action.attempts);
            let request = open(turn, rounds + 1);
            let until = child.within.map(|within| turn.now.after(within));
            let state = turn.at_mut(place);
            state.phase = Phase::Running;
            state.action = Some(request);
            state.until = until;
            start(turn, place, body);
        }
        Err(reason) => turn.park(place, false, &reason),
    }
}

/// The child's key and the body of its start.
fn filled(
    turn: &Turn<'_>,
    line: &Line,
    step: &Step,
    child: &SagaStep,
) -> Result<(String, Value), String> {
    let bound = turn.bound(line);
    let scope = bound.scope();
    let key = match &child.key {
        None => format!("{}/{}", turn.id.key, turn.name(line, step)),
        Some(key) => key.text(&scope).map_err(|e| format!("`key` has no value: {e}"))?,
    };
    let body = match &child.with {
        None => Value::Object(Map::new()),
        Some(with) => with.render(&scope).map_err(|e| format!("`with` cannot be filled: {e}"))?,
    };
    turn.may_send(&body, 0, &child.saga)?;
    Key::new(&key).map_err(|e| format!("`key`: {e}"))?;
    Ok((key, body))
}

fn start(turn: &mut Turn<'_>, place: &Place, body: Value) {
    let trace_parent = turn.generation.trace_parent.clone();
    say(turn, place, Say::Start { body, trace_parent });
    let name = turn.name_at(place);
    let to = whom(turn, place).map_or(String::new(), |id| id.to_string());
    turn.note(Some(&name), What::Sent(Sending { to, attempt: 1 }));
}

/// Something that another instance answers when it is ready.
fn open(turn: &Turn<'_>, attempts: u32) -> Request {
    Request { attempts, progress: Progress::Open, ..Request::unsent(turn.now) }
}

/// The child of a step.
fn whom(turn: &Turn<'_>, place: &Place) -> Option<InstanceId> {
    let StepKind::Saga(child) = &turn.step_at(place).kind else {
        return None;
    };
    let key = Key::new(turn.at(place).keys.first()?).ok()?;
    Some(InstanceId { saga: child.saga.clone(), key })
}

fn say(turn: &mut Turn<'_>, place: &Place, say: Say) {
    let Some(to) = whom(turn, place) else {
        return;
    };
    let name = turn.name_at(place);
    let round = turn.at(place).action.as_ref().map_or(1, |action| action.attempts);
    let asked = turn.command_id(&name, Part::Action, round);
    let letter = Letter {
        id: format!("{asked}/{}", say.text()),
        from: turn.id.clone(),
        life: turn.generation.life,
        step: name,
        round,
        say,
    };
    turn.out.effects.push(Effect::Letter { to, letter });
}

/// Asks a child to take itself back; it is undone once it says so.
fn take_back(turn: &mut Turn<'_>, place: &Place) {
    let step = turn.step_at(place);
    let reopen = *step.compensation() == Compensation::Child;
    let failure = turn.at(place).failure.as_deref().or(turn.generation.failure.as_ref());
    let reason = failure.map_or_else(|| "its parent goes back".to_owned(), |f| f.reason.clone());
    say(turn, place, Say::TakeBack { reason, reopen });
    let request = open(turn, 0);
    turn.at_mut(place).undos.push(request);
    let name = turn.name_at(place);
    let to = whom(turn, place).map_or(String::new(), |id| id.to_string());
    turn.note(Some(&name), What::Undoing(Sending { to, attempt: 1 }));
}

/// Whether a child has been asked to take itself back and has not answered.
fn is_asked(state: &StepState) -> bool {
    state.undos.last().is_some_and(|undo| undo.progress == Progress::Open)
}

/// Takes what a child says.
///
/// # Errors
/// When it is no news.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    place: &Place,
    letter: &Letter,
) -> Result<Outcome, Rejection> {
    let state = turn.at(place);
    let round = state.action.as_ref().map(|action| action.attempts);
    if whom(turn, place).as_ref() != Some(&letter.from) || round != Some(letter.round) {
        return Err(Rejection::Duplicate(format!("{} belongs to an earlier time", letter.id)));
    }
    let answered = state.action.as_ref().is_none_or(|action| !action.lacks_answer());
    let news = match (&letter.say, is_asked(state)) {
        (Say::Ended { .. } | Say::Taken, false) | (Say::Ended { completed: true, .. }, true) => {
            !answered
        }
        (Say::Ended { .. } | Say::Taken | Say::TakenBack | Say::Kept, true) => true,
        (Say::TakenBack | Say::Kept, false)
        | (
            Say::Start { .. }
            | Say::TakeBack { .. }
            | Say::ParentGone
            | Say::Acquire { .. }
            | Say::Release { .. }
            | Say::Withdraw
            | Say::Granted { .. }
            | Say::Full,
            true | false,
        ) => false,
    };
    if !news {
        return Err(Rejection::Duplicate(format!("{} is no news", letter.id)));
    }
    if is_asked(state) {
        return Ok(took_back(turn, place, letter));
    }
    if state.phase != Phase::Running {
        given_up(turn, place, letter);
        return Ok(Outcome::Waits);
    }
    Ok(ended(turn, place, letter))
}

/// The child of a step that waits for it has ended.
fn ended(turn: &mut Turn<'_>, place: &Place, letter: &Letter) -> Outcome {
    let step = turn.step_at(place);
    let StepKind::Saga(child) = &step.kind else {
        return Outcome::Waits;
    };
    let name = turn.name_at(place);
    let (mut data, mut why) = (Value::Null, None);
    if let Say::Ended { data: last, failure, .. } = &letter.say {
        data = last.clone();
        why.clone_from(failure);
    }
    let mut fields = Map::new();
    fields.insert("data".to_owned(), data);
    fields.insert("failure".to_owned(), why.as_ref().map_or(Value::Null, Failure::value));
    let value = Value::Object(fields);
    let more = Some((Name::Child, &value));
    turn.at_mut(place).answered(InputId::named(&letter.id));
    if let Say::Ended { completed: true, .. } = letter.say {
        turn.note(Some(&name), What::Succeeded(Proof::Child(letter.from.clone())));
        return turn.concluded(place, &step.set, more);
    }
    let reason = match why {
        Some(failure) => failure.reason,
        None => "key is taken".to_owned(),
    };
    let failure = Failure { step: Some(name), kind: FailureKind::Rejected, reason };
    turn.refused(place, &child.failed, failure, more)
}

/// The child of a step that was given up, but is not undone yet, has ended.
fn given_up(turn: &mut Turn<'_>, place: &Place, letter: &Letter) {
    let name = turn.name_at(place);
    let completed = matches!(letter.say, Say::Ended { completed: true, .. });
    let state = turn.at_mut(place);
    state.answered(InputId::named(&letter.id));
    if completed {
        turn.note(Some(&name), What::Late { has_happened: true, by_probe: false });
    } else {
        state.phase = Phase::Rejected;
        turn.note(Some(&name), What::Late { has_happened: false, by_probe: false });
    }
}

/// A child that was asked to take itself back answers.
fn took_back(turn: &mut Turn<'_>, place: &Place, letter: &Letter) -> Outcome {
    let by = InputId::named(&letter.id);
    turn.at_mut(place).answered(by.clone());
    match &letter.say {
        Say::Ended { completed: true, .. } => {
            // It was done before it heard. Either it takes itself back now, or it is undone in
            // the way that the definition says.
            if *turn.step_at(place).compensation() == Compensation::Child {
                return Outcome::Waits;
            }
            turn.at_mut(place).undos.pop();
            if turn.at(place).failure.is_some() { Outcome::Undo } else { Outcome::Waits }
        }
        Say::Kept => {
            let asked = turn.at_mut(place).undos.last_mut().expect("it was asked to");
            asked.progress = Progress::Parked;
            turn.park(place, true, "the child is past its pivot and cannot be taken back");
            Outcome::Waits
        }
        Say::Ended { completed: false, .. } | Say::Taken | Say::TakenBack => {
            let part = Part::undoing(turn.at(place).undos.len());
            Outcome::Undone { part, by }
        }
        Say::Start { .. }
        | Say::TakeBack { .. }
        | Say::ParentGone
        | Say::Acquire { .. }
        | Say::Release { .. }
        | Say::Withdraw
        | Say::Granted { .. }
        | Say::Full => unreachable!("only what a child says is news to its parent"),
    }
}

/// No child will be taken back any more.
pub(in crate::engine) fn let_go(turn: &mut Turn<'_>) {
    let definition = turn.definition;
    let is_child = |state: &StepState| {
        matches!(definition.step(state.step).kind, StepKind::Saga(_)) && state.action.is_some()
    };
    for place in places(&turn.generation.frame, is_child) {
        say(turn, &place, Say::ParentGone);
    }
}

//! Children: other sagas that a step starts, waits for, and takes back.

use serde_json::{Map, Value};

use super::branches;
use super::handler::Handler;
use crate::definition::{Compensation, SagaStep, Step, StepKind, Then, Verdict};
use crate::engine::state::place::{Line, Place, places};
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{
    Child, Effect, Failure, FailureKind, Inside, Letter, Phase, Progress, Proof, Rejection,
    Request, Say, Sending, StepState, What,
};
use crate::expression::Name;
use crate::message::{InputId, InstanceId, Key, Part, Span};

impl Handler for SagaStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let (key, body) = filled(turn, line, step, self)?;
        let state = StepState {
            until: self.within.map(|within| turn.now.after(within)),
            inside: Inside::Child(Box::new(Child { key, action: open(turn, 1), failure: None })),
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
        child_mut(turn, place).failure = Some(failure);
        turn.unpark(place, false);
        take_back(turn, place);
        Outcome::Waits
    }

    fn takes_back(&self, turn: &mut Turn<'_>, place: &Place) -> bool {
        // A person may have said that it is done although no child could begin.
        let Inside::Child(child) = &turn.at(place).inside else {
            return false;
        };
        let own = child.action.lacks_answer()
            || *turn.step_at(place).compensation() == Compensation::Child;
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
    let said = said(turn, place);
    match filled(turn, &place.line, step, said) {
        Ok((_, body)) => {
            let request = open(turn, child(turn, place).action.attempts + 1);
            let until = said.within.map(|within| turn.now.after(within));
            child_mut(turn, place).action = request;
            let state = turn.at_mut(place);
            state.phase = Phase::Running;
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
) -> Result<(Key, Value), String> {
    let bound = turn.bound(line);
    let scope = bound.scope();
    let key = match &child.key {
        None => format!("{}/{}", turn.id.key, turn.name(line, step)),
        Some(key) => key.key(&scope).map_err(|e| format!("`key` has no value: {e}"))?,
    };
    let body = match &child.with {
        None => Value::Object(Map::new()),
        Some(with) => with.render(&scope).map_err(|e| format!("`with` cannot be filled: {e}"))?,
    };
    turn.may_send(&body, 0, &child.saga)?;
    let key = Key::new(&key).map_err(|e| format!("`key`: {e}"))?;
    Ok((key, body))
}

fn start(turn: &mut Turn<'_>, place: &Place, body: Value) {
    let trace_parent = turn.life().trace_parent.clone();
    say(turn, place, Say::Start { body, trace_parent });
    let name = turn.name_at(place);
    let to = whom(turn, place).to_string();
    turn.note(Some(&name), What::Sent(Sending { to, attempt: 1 }));
}

/// Something that another instance answers when it is ready.
fn open(turn: &Turn<'_>, attempts: u32) -> Request {
    Request { attempts, progress: Progress::Open, ..Request::unsent(turn.now) }
}

/// What the definition says of a step that has a child.
fn said<'d>(turn: &Turn<'d>, place: &Place) -> &'d SagaStep {
    let StepKind::Saga(child) = &turn.step_at(place).kind else {
        unreachable!("no step but a `saga` has a child");
    };
    child
}

/// The child of a step that has begun one.
fn child<'t>(turn: &'t Turn<'_>, place: &Place) -> &'t Child {
    let Inside::Child(child) = &turn.at(place).inside else {
        unreachable!("a child is told nothing before it is begun");
    };
    child
}

/// The same, to be changed.
fn child_mut<'t>(turn: &'t mut Turn<'_>, place: &Place) -> &'t mut Child {
    let Inside::Child(child) = &mut turn.at_mut(place).inside else {
        unreachable!("a child is told nothing before it is begun");
    };
    child
}

/// The instance that is the child of a step.
fn whom(turn: &Turn<'_>, place: &Place) -> InstanceId {
    let (saga, key) = (said(turn, place).saga.clone(), child(turn, place).key.clone());
    InstanceId { saga, key }
}

fn say(turn: &mut Turn<'_>, place: &Place, say: Say) {
    let (to, round) = (whom(turn, place), child(turn, place).action.attempts);
    let name = turn.name_at(place);
    let asked = turn.command_id(&name, Part::Action, round);
    let letter = Letter {
        id: format!("{asked}/{}", say.text()),
        from: turn.id.clone(),
        life: turn.life().id,
        step: name,
        round,
        say,
    };
    turn.send(Effect::Letter { to, letter });
}

/// Asks a child to take itself back; it is undone once it says so.
fn take_back(turn: &mut Turn<'_>, place: &Place) {
    let step = turn.step_at(place);
    let reopen = *step.compensation() == Compensation::Child;
    let failure = child(turn, place).failure.as_ref().or(turn.life().failure.as_ref());
    let reason = failure.map_or_else(|| "its parent goes back".to_owned(), |f| f.reason.clone());
    say(turn, place, Say::TakeBack { reason, reopen });
    let request = open(turn, 0);
    turn.at_mut(place).undos.push(request);
    let name = turn.name_at(place);
    let to = whom(turn, place).to_string();
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
    let asked = match &state.inside {
        Inside::Child(child) if child.action.attempts == letter.round => Some(child),
        Inside::Child(_)
        | Inside::Nothing
        | Inside::Reminder(_)
        | Inside::Fact(_)
        | Inside::Requested(_)
        | Inside::Branched(_)
        | Inside::Locked(_) => None,
    };
    let Some(child) = asked.filter(|_| whom(turn, place) == letter.from) else {
        return Err(Rejection::Duplicate(format!("{} belongs to an earlier time", letter.id)));
    };
    let answered = !child.action.lacks_answer();
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
    turn.refused(place, &said(turn, place).failed, failure, more)
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
            if child(turn, place).failure.is_some() { Outcome::Undo } else { Outcome::Waits }
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
    let is_child = |state: &StepState| matches!(state.inside, Inside::Child(_));
    for place in places(&turn.life().frame, is_child) {
        say(turn, &place, Say::ParentGone);
    }
}

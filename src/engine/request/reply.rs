//! Answers to requests, and the facts that steps wait for.

use serde_json::Value;

use crate::definition::{Compensation, Done, Failed, Step, StepKind, WaitStep};
use crate::engine::Request;
use crate::engine::course::back;
use crate::engine::course::forward::{self, No};
use crate::engine::course::late;
use crate::engine::request::probe;
use crate::engine::request::slot::Slot;
use crate::engine::state::place::Place;
use crate::engine::work::turn::Turn;
use crate::engine::{Failure, FailureKind, NoteKind, Phase, Rejection};
use crate::expression::{Expression, Name};
use crate::message::{Event, InputId};

/// The request that an event answers.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Found {
    pub generation: usize,
    pub place: Place,
    pub slot: Slot,
    pub answer: Answer,
}

/// What the answer says: which entry of `done`, `failed` or `absent` it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Answer {
    Done(usize),
    Failed(usize),
    Absent,
}

/// What may answer a request.
#[derive(Default, Clone, Copy)]
pub(in crate::engine) struct Answers<'d> {
    done: &'d [Done],
    failed: &'d [Failed],
    absent: &'d [Done],
}

impl Answers<'_> {
    /// Whether an event is of the kind of one of them.
    pub fn mention(self, event: &Event) -> bool {
        self.done.iter().chain(self.absent).any(|done| done.on == event.address)
            || self.failed.iter().any(|failed| failed.on == event.address)
    }

    /// Which of them an event is.
    pub fn find<E>(
        self,
        event: &Event,
        holds: impl Fn(Option<&Expression>) -> Result<bool, E>,
    ) -> Result<Option<Answer>, E> {
        for (place, done) in self.done.iter().enumerate() {
            if done.on == event.address && holds(done.condition.as_ref())? {
                return Ok(Some(Answer::Done(place)));
            }
        }
        for (place, failed) in self.failed.iter().enumerate() {
            if failed.on == event.address && holds(failed.condition.as_ref())? {
                return Ok(Some(Answer::Failed(place)));
            }
        }
        for absent in self.absent {
            if absent.on == event.address && holds(absent.condition.as_ref())? {
                return Ok(Some(Answer::Absent));
            }
        }
        Ok(None)
    }
}

/// The answers to a request of a step.
pub(in crate::engine) fn answers(step: &Step, slot: Slot) -> Answers<'_> {
    match (slot, &step.kind) {
        (Slot::Action, StepKind::Command(command)) => {
            Answers { done: &command.request.done, failed: &command.failed, ..Answers::default() }
        }
        (Slot::Action, StepKind::Wait(wait)) => {
            Answers { done: &wait.on, failed: &wait.failed, ..Answers::default() }
        }
        (Slot::Probe, StepKind::Command(command)) => match &command.probe {
            Some(probe) => {
                Answers { done: &probe.request.done, absent: &probe.absent, ..Answers::default() }
            }
            None => Answers::default(),
        },
        (
            Slot::Action | Slot::Probe,
            StepKind::Wait(_)
            | StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_),
        ) => Answers::default(),
        (Slot::Undo(_), _) => match step.compensation() {
            Compensation::Command { request, .. } => {
                Answers { done: &request.done, ..Answers::default() }
            }
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Call { .. }
            | Compensation::Child => Answers::default(),
        },
    }
}

/// Whether a `where` over an event holds at a place.
pub(in crate::engine) fn is_so(
    turn: &Turn<'_>,
    place: &Place,
    condition: Option<&Expression>,
    event: &Value,
) -> Result<bool, String> {
    let Some(condition) = condition else {
        return Ok(true);
    };
    let bound = turn.bound(&place.line).with(Some((Name::Event, event)));
    condition.holds(&bound.scope()).map_err(|e| format!("`where` has no answer: {e}"))
}

/// Which of a wait's answers an event is that came before it.
pub(in crate::engine) fn by_a_wait(
    turn: &Turn<'_>,
    place: &Place,
    wait: &WaitStep,
    event: &Event,
) -> Result<Option<Answer>, String> {
    let answers = Answers { done: &wait.on, failed: &wait.failed, ..Answers::default() };
    answers.find(event, |condition| is_so(turn, place, condition, &event.body))
}

/// Obeys an answer.
///
/// # Errors
/// When the event lacks what the definition reads from it; nothing has changed.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    found: &Found,
    event: &Event,
) -> Result<(), Rejection> {
    take_at(turn, &found.place, found.slot, found.answer, event)
        .map_err(|reason| Rejection::Refused(format!("{}: {reason}", event.address)))
}

/// Obeys an answer to a request or wait at a place.
///
/// # Errors
/// As [`take`].
pub(in crate::engine) fn take_at(
    turn: &mut Turn<'_>,
    place: &Place,
    slot: Slot,
    answer: Answer,
    event: &Event,
) -> Result<(), String> {
    let step = turn.step_at(place);
    let answers = answers(step, slot);
    match (slot, answer) {
        (Slot::Undo(run), Answer::Done(which)) => {
            undone(turn, place, run, &answers.done[which], event)
        }
        (Slot::Action, Answer::Done(which)) => done(turn, place, &answers.done[which], event),
        (Slot::Action, Answer::Failed(which)) => failed(turn, place, &answers.failed[which], event),
        (Slot::Probe, Answer::Done(which)) => {
            let set = answers.done[which].set.as_deref().unwrap_or(&step.set);
            let written = match turn.at(place).phase {
                Phase::Running => {
                    turn.assigned(&place.line, set, Some((Name::Event, &event.body)))?
                }
                Phase::Succeeded | Phase::Rejected | Phase::Unknown | Phase::Skipped => {
                    serde_json::Map::new()
                }
            };
            probe::found(turn, place, written, InputId::of(event));
            Ok(())
        }
        (Slot::Probe, Answer::Absent) => {
            probe::absent(turn, place, InputId::of(event));
            Ok(())
        }
        (Slot::Undo(_), Answer::Failed(_) | Answer::Absent)
        | (Slot::Action, Answer::Absent)
        | (Slot::Probe, Answer::Failed(_)) => {
            unreachable!("such a request has no such answers, so none is found")
        }
    }
}

fn done(turn: &mut Turn<'_>, place: &Place, done: &Done, event: &Event) -> Result<(), String> {
    if turn.at(place).phase != Phase::Running {
        late::success(turn, place, InputId::of(event));
        return Ok(());
    }
    let step = turn.step_at(place);
    let set = done.set.as_deref().unwrap_or(&step.set);
    let written = turn.assigned(&place.line, set, Some((Name::Event, &event.body)))?;
    taken(turn, place, event);
    let name = turn.name_at(place);
    turn.note(Some(&name), NoteKind::Succeeded, event.address.event_type.to_string());
    forward::succeed(turn, place, written);
    Ok(())
}

/// The event is remembered, so that a repetition is known.
fn taken(turn: &mut Turn<'_>, place: &Place, event: &Event) {
    let settled = Request::settled(turn.now);
    let state = turn.at_mut(place);
    // A wait has sent nothing; what it keeps is only the event that ended it.
    state.action.get_or_insert(settled);
    state.answered(InputId::of(event));
}

fn failed(
    turn: &mut Turn<'_>,
    place: &Place,
    failed: &Failed,
    event: &Event,
) -> Result<(), String> {
    if turn.at(place).phase != Phase::Running {
        late::rejection(turn, place, InputId::of(event));
        return Ok(());
    }
    let more = Some((Name::Event, &event.body));
    let reason = match &failed.reason {
        None => event.address.event_type.to_string(),
        Some(reason) => {
            let bound = turn.bound(&place.line).with(more);
            let text = reason.text(&bound.scope());
            turn.limits.cut(&text.map_err(|e| format!("`reason` has no value: {e}"))?)
        }
    };
    let written = turn.assigned(&place.line, &failed.set, more)?;
    taken(turn, place, event);
    let step = turn.name_at(place).to_string();
    let failure = Failure { step, kind: FailureKind::Rejected, reason };
    forward::reject(turn, place, No { written, then: failed.then, failure });
    Ok(())
}

fn undone(
    turn: &mut Turn<'_>,
    place: &Place,
    run: usize,
    done: &Done,
    event: &Event,
) -> Result<(), String> {
    if let Compensation::Command { set, .. } = turn.step_at(place).compensation() {
        let set = done.set.as_deref().unwrap_or(set);
        let written = turn.assigned(&place.line, set, Some((Name::Event, &event.body)))?;
        turn.write(&place.line, written);
    }
    back::undone(turn, place, run, InputId::of(event));
    Ok(())
}

//! Answers: finds the one request that an event answers, and obeys.

use super::request::Slot;
use super::{back, forward, late};
use crate::definition::{
    Catalog, CommandStep, Compensation, Correlation, Definition, Done, Failed, StepKind,
};
use crate::engine::turn::Turn;
use crate::engine::{
    Generation, Instance, NoteKind, Phase, Progress, Rejection, Request, StepState,
};
use crate::expression::{Name, Scope};
use crate::message::{CommandId, Event, InstanceId, Part, Timestamp};

/// The request that an event answers.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Found {
    pub generation: usize,
    place: usize,
    slot: Slot,
    answer: Answer,
}

/// What the answer says: which entry of `done` or `failed` it is.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Done(usize),
    Failed(usize),
}

/// Looks for the request that an event answers; none if the event is no answer.
///
/// # Errors
/// When it is an answer that cannot be taken.
pub(in crate::engine) fn find(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    event: &Event,
    now: Timestamp,
) -> Result<Option<Found>, Rejection> {
    let search = Search { id, event, now };
    let named = event.command.as_deref().and_then(|text| text.parse::<CommandId>().ok());
    if let Some(command) = named.filter(|command| command.instance == *id) {
        return search.named(catalog, instance, &command);
    }
    let mut given_up = None;
    for (place, generation) in instance.generations.iter().enumerate() {
        let Some(definition) = catalog.by_hash(generation.definition) else {
            continue;
        };
        let by_id = |rule: &crate::definition::EventRule| rule.by == Correlation::CommandId;
        if definition.rule(&event.address).is_some_and(by_id) {
            continue;
        }
        if let Some(found) = search.unnamed(definition, place, generation, &mut given_up)? {
            return Ok(Some(found));
        }
    }
    if given_up.is_none() && is_remembered(instance, &event.id) {
        return Err(Rejection::Duplicate(format!("event {} was taken before", event.id)));
    }
    Ok(given_up)
}

/// Whether an event of this id was an answer or a start before.
fn is_remembered(instance: &Instance, event: &str) -> bool {
    instance.generations.iter().any(|g| {
        g.frame
            .steps
            .iter()
            .flat_map(|s| s.action.iter().chain(&s.undos))
            .any(|request| request.answer == event)
    })
}

struct Search<'a> {
    id: &'a InstanceId,
    event: &'a Event,
    now: Timestamp,
}

impl Search<'_> {
    /// By the command id that the event names.
    fn named(
        &self,
        catalog: &Catalog,
        instance: &Instance,
        command: &CommandId,
    ) -> Result<Option<Found>, Rejection> {
        let unknown = || Rejection::Unmatched(format!("command {command} was never sent"));
        let place = instance.generations.iter().position(|g| g.number == command.generation);
        let generation = place.ok_or_else(unknown)?;
        let run = &instance.generations[generation];
        let definition = catalog.by_hash(run.definition).ok_or_else(unknown)?;
        let step = |s: &StepState| definition.step(s.step).name.as_str() == command.step;
        let place = run.frame.steps.iter().position(step).ok_or_else(unknown)?;
        let state = &run.frame.steps[place];
        let (slot, request) = match command.part {
            Part::Action => (Slot::Action, state.action.as_ref()),
            Part::Undo(run) => {
                let run = (run as usize).wrapping_sub(1);
                (Slot::Undo(run), state.undos.get(run))
            }
        };
        let request = request.filter(|r| r.attempts >= command.attempt).ok_or_else(unknown)?;
        let Some(answer) = self.answer(definition, run, state, slot)? else {
            // It may still start or cancel something.
            return Ok(None);
        };
        if request.lacks_answer() {
            return Ok(Some(Found { generation, place, slot, answer }));
        }
        Err(self.repeated(command, state, answer))
    }

    /// A second answer to one request: a repetition, or a contradiction that people should see.
    fn repeated(&self, command: &CommandId, state: &StepState, answer: Answer) -> Rejection {
        let contradicts = match (state.phase, answer) {
            (Phase::Rejected, Answer::Done(_)) | (Phase::Succeeded, Answer::Failed(_)) => true,
            (
                Phase::Running
                | Phase::Succeeded
                | Phase::Rejected
                | Phase::Unknown
                | Phase::Skipped,
                _,
            ) => false,
        };
        if contradicts && command.part == Part::Action {
            return Rejection::Refused(format!(
                "{} contradicts an earlier answer to {command}; \
                 all answers to one idempotency key must agree",
                self.event.address
            ));
        }
        Rejection::Duplicate(format!("command {command} was answered before"))
    }

    /// By type, `where` and key: a running request first, else the oldest given-up one.
    fn unnamed(
        &self,
        definition: &Definition,
        generation: usize,
        run: &Generation,
        given_up: &mut Option<Found>,
    ) -> Result<Option<Found>, Rejection> {
        for (place, state) in run.frame.steps.iter().enumerate() {
            for (slot, request) in slots(state) {
                if !request.lacks_answer() || request.attempts == 0 {
                    continue;
                }
                let Some(answer) = self.answer(definition, run, state, slot)? else {
                    continue;
                };
                let found = Found { generation, place, slot, answer };
                match request.progress {
                    Progress::GivenUp => {
                        given_up.get_or_insert(found);
                    }
                    Progress::Waiting(_)
                    | Progress::Pausing(_)
                    | Progress::Parked
                    | Progress::Answered => return Ok(Some(found)),
                }
            }
        }
        Ok(None)
    }

    /// Which of a request's answers the event is, if it is one.
    fn answer(
        &self,
        definition: &Definition,
        run: &Generation,
        state: &StepState,
        slot: Slot,
    ) -> Result<Option<Answer>, Rejection> {
        let StepKind::Command(command) = &definition.step(state.step).kind else {
            return self.answer_of_emit(definition, run, state, slot);
        };
        let (done, failed) = match slot {
            Slot::Action => (&command.request.done[..], &command.failed[..]),
            Slot::Undo(_) => (undo_answers(&command.compensate), &[][..]),
        };
        self.among(run, done, failed)
    }

    fn answer_of_emit(
        &self,
        definition: &Definition,
        run: &Generation,
        state: &StepState,
        slot: Slot,
    ) -> Result<Option<Answer>, Rejection> {
        let compensation = back::compensation(definition.step(state.step));
        match slot {
            Slot::Action => Ok(None),
            Slot::Undo(_) => self.among(run, undo_answers(compensation), &[]),
        }
    }

    fn among(
        &self,
        run: &Generation,
        done: &[Done],
        failed: &[Failed],
    ) -> Result<Option<Answer>, Rejection> {
        for (place, done) in done.iter().enumerate() {
            if done.on == self.event.address && self.holds(run, done.condition.as_ref())? {
                return Ok(Some(Answer::Done(place)));
            }
        }
        for (place, failed) in failed.iter().enumerate() {
            if failed.on == self.event.address && self.holds(run, failed.condition.as_ref())? {
                return Ok(Some(Answer::Failed(place)));
            }
        }
        Ok(None)
    }

    fn holds(
        &self,
        run: &Generation,
        condition: Option<&crate::expression::Expression>,
    ) -> Result<bool, Rejection> {
        let Some(condition) = condition else {
            return Ok(true);
        };
        let key = serde_json::Value::String(self.id.key.as_str().to_owned());
        let scope = Scope::at(self.now)
            .with(Name::Data, &run.data)
            .with(Name::Key, &key)
            .with(Name::Event, &self.event.body);
        condition.holds(&scope).map_err(|e| {
            Rejection::Refused(format!("{}: `where` has no answer: {e}", self.event.address))
        })
    }
}

fn slots(state: &StepState) -> impl Iterator<Item = (Slot, &Request)> {
    let action = state.action.iter().map(|request| (Slot::Action, request));
    action.chain(state.undos.iter().enumerate().map(|(run, r)| (Slot::Undo(run), r)))
}

fn undo_answers(compensation: &Compensation) -> &[Done] {
    match compensation {
        Compensation::Command { request, .. } => &request.done,
        Compensation::Unsaid | Compensation::Nothing | Compensation::Emit(_) => &[],
    }
}

/// Obeys an answer.
///
/// # Errors
/// When the event lacks what the definition reads from it; nothing has changed.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    found: Found,
    event: &Event,
) -> Result<(), Rejection> {
    let id = turn.generation.frame.steps[found.place].step;
    let step = turn.step(id);
    let refused = |reason: String| Rejection::Refused(format!("{}: {reason}", event.address));
    match (found.slot, found.answer, &step.kind) {
        (Slot::Undo(run), Answer::Done(place) | Answer::Failed(place), _) => {
            undone(turn, found.place, run, place, event).map_err(refused)
        }
        (Slot::Action, Answer::Done(place), StepKind::Command(command)) => {
            done(turn, found.place, command, place, event).map_err(refused)
        }
        (Slot::Action, Answer::Failed(place), StepKind::Command(command)) => {
            failed(turn, found.place, command, place, event).map_err(refused)
        }
        (Slot::Action, _, StepKind::Emit(_) | StepKind::Set | StepKind::Fail(_)) => {
            unreachable!("a step without a request has no answers, so `find` finds none")
        }
    }
}

fn done(
    turn: &mut Turn<'_>,
    place: usize,
    command: &CommandStep,
    which: usize,
    event: &Event,
) -> Result<(), String> {
    let state = &turn.generation.frame.steps[place];
    let step = turn.step(state.step);
    if state.phase != Phase::Running {
        late::success(turn, place, event);
        return Ok(());
    }
    let set = command.request.done[which].set.as_ref().unwrap_or(&step.set);
    let data = turn.assigned(set, Some(event))?;
    answered(turn, place, event);
    turn.note(Some(&step.name), NoteKind::Succeeded, event.address.event_type.to_string());
    forward::succeed(turn, step, data);
    forward::resume(turn);
    Ok(())
}

fn failed(
    turn: &mut Turn<'_>,
    place: usize,
    command: &CommandStep,
    which: usize,
    event: &Event,
) -> Result<(), String> {
    let state = &turn.generation.frame.steps[place];
    if state.phase != Phase::Running {
        late::rejection(turn, place, event);
        return Ok(());
    }
    let before = state.action.clone();
    answered(turn, place, event);
    let step = turn.step(turn.generation.frame.steps[place].step);
    let outcome = forward::reject(turn, step, &command.failed[which], event);
    if outcome.is_err() {
        turn.generation.frame.steps[place].action = before;
    }
    outcome
}

fn answered(turn: &mut Turn<'_>, place: usize, event: &Event) {
    if let Some(action) = &mut turn.generation.frame.steps[place].action {
        action.progress = Progress::Answered;
        action.answer.clone_from(&event.id);
    }
}

fn undone(
    turn: &mut Turn<'_>,
    place: usize,
    run: usize,
    which: usize,
    event: &Event,
) -> Result<(), String> {
    let step = turn.step(turn.generation.frame.steps[place].step);
    if let Compensation::Command { request, set } = back::compensation(step) {
        let set = request.done[which].set.as_ref().unwrap_or(set);
        if let Some(data) = turn.assigned(set, Some(event))? {
            turn.generation.data = data;
        }
    }
    back::undone(turn, place, run, &event.id);
    Ok(())
}

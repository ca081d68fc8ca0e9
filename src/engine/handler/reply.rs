//! Answers: finds the one request that an event answers, and obeys.

use super::request::Slot;
use super::{back, forward, late, request};
use crate::definition::{
    Catalog, CommandStep, Compensation, Correlation, Definition, Done, Failed, Step, StepKind,
};
use crate::engine::turn::{self, Turn};
use crate::engine::{
    Generation, Instance, NoteKind, Phase, Progress, Rejection, Request, StepState,
};
use crate::expression::Expression;
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

/// Looks for the one request that an event answers.
///
/// # Errors
/// Unmatched when the event is no answer; it may be something else then. Otherwise when it is an
/// answer that cannot be taken.
pub(in crate::engine) fn find(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    event: &Event,
    now: Timestamp,
) -> Result<Found, Rejection> {
    let search = Search { catalog, id, instance, event, now };
    let named = event.command.as_deref().and_then(|text| text.parse::<CommandId>().ok());
    match named {
        Some(command) if command.instance == *id => search.named(&command),
        Some(command) => Err(Rejection::Unmatched(format!(
            "it answers command {command}, which is not one of {id}"
        ))),
        None => search.unnamed(),
    }
}

struct Search<'a> {
    catalog: &'a Catalog,
    id: &'a InstanceId,
    instance: &'a Instance,
    event: &'a Event,
    now: Timestamp,
}

impl<'a> Search<'a> {
    /// By the command id that the event names.
    fn named(&self, command: &CommandId) -> Result<Found, Rejection> {
        let unknown = || Rejection::Unmatched(format!("command {command} was never sent"));
        let generations = &self.instance.generations;
        let number = |g: &Generation| g.number == command.generation;
        let generation = generations.iter().position(number).ok_or_else(unknown)?;
        let run = &generations[generation];
        let definition = self.definition(run)?;
        let step = |s: &StepState| definition.step(s.step).name.as_str() == command.step;
        let place = run.frame.steps.iter().position(step).ok_or_else(unknown)?;
        let state = &run.frame.steps[place];
        let (slot, request) = match command.part {
            Part::Action => (Slot::Action, state.action.as_ref()),
            Part::Probe => return Err(unknown()),
            Part::Undo(run) => {
                let run = (run as usize).wrapping_sub(1);
                (Slot::Undo(run), state.undos.get(run))
            }
        };
        let sent = |r: &&Request| (1..=r.attempts).contains(&command.attempt);
        let request = request.filter(sent).ok_or_else(unknown)?;
        let answer = self.answer(definition, run, state, slot)?.ok_or_else(|| {
            let address = &self.event.address;
            Rejection::Unmatched(format!("{address} is no answer to command {command}"))
        })?;
        if request.lacks_answer() {
            return Ok(Found { generation, place, slot, answer });
        }
        Err(self.repeated(state, slot, answer))
    }

    /// By type, `where` and key: the oldest generation that lacks the answer, in it a running
    /// request first, else the oldest one that was given up.
    fn unnamed(&self) -> Result<Found, Rejection> {
        let mut unclear = None;
        let mut repeated = None;
        for run in &self.instance.generations {
            if self.was_taken(self.definition(run)?, run) {
                let words = format!("event {} was taken before", self.event.id);
                return Err(Rejection::Duplicate(words));
            }
        }
        for (generation, run) in self.instance.generations.iter().enumerate() {
            let definition = self.definition(run)?;
            let mut given_up = None;
            for (place, state, slot, request) in requests(run) {
                let answer = match self.answer(definition, run, state, slot) {
                    Ok(Some(answer)) => answer,
                    Ok(None) => continue,
                    Err(rejection) => {
                        unclear = Some(rejection);
                        continue;
                    }
                };
                let found = Found { generation, place, slot, answer };
                match request.progress {
                    Progress::Waiting(_)
                    | Progress::Pausing(_)
                    | Progress::Parked
                    | Progress::Open => {
                        self.may_be_unnamed(definition)?;
                        return Ok(found);
                    }
                    Progress::GivenUp => given_up = given_up.or(Some(found)),
                    Progress::Answered => repeated = Some(self.repeated(state, slot, answer)),
                }
            }
            if let Some(found) = given_up {
                self.may_be_unnamed(definition)?;
                return Ok(found);
            }
        }
        Err(unclear.or(repeated).unwrap_or_else(|| self.unmatched()))
    }

    fn definition(&self, run: &Generation) -> Result<&'a Definition, Rejection> {
        self.catalog.by_hash(run.definition).map(|d| &**d).ok_or_else(|| {
            Rejection::Refused(format!("{} runs on a definition that is not known here", self.id))
        })
    }

    /// Refuses a reply without a command id where its participant always echoes it.
    fn may_be_unnamed(&self, definition: &Definition) -> Result<(), Rejection> {
        match definition.rule(&self.event.address).map(|rule| rule.by) {
            Some(Correlation::CommandId) => Err(Rejection::Unmatched(format!(
                "{} names no command, and `by: command-id` asks for one",
                self.event.address
            ))),
            Some(Correlation::Any) | None => Ok(()),
        }
    }

    fn unmatched(&self) -> Rejection {
        let state = self.instance.newest().map_or("waiting", |newest| newest.status().text());
        Rejection::Unmatched(format!(
            "{} is {state} and has no step that takes {}",
            self.id, self.event.address
        ))
    }

    /// A second answer to one request: a repetition, or a contradiction that people should see.
    fn repeated(&self, state: &StepState, slot: Slot, answer: Answer) -> Rejection {
        let contradicts = match (slot, state.phase, answer) {
            (Slot::Action, Phase::Rejected | Phase::Skipped, Answer::Done(_))
            | (Slot::Action, Phase::Succeeded | Phase::Unknown, Answer::Failed(_)) => true,
            (
                Slot::Action | Slot::Undo(_),
                Phase::Running
                | Phase::Succeeded
                | Phase::Rejected
                | Phase::Unknown
                | Phase::Skipped,
                Answer::Done(_) | Answer::Failed(_),
            ) => false,
        };
        let address = &self.event.address;
        if contradicts {
            return Rejection::Refused(format!(
                "{address} contradicts an earlier answer; \
                 all answers to one idempotency key must agree"
            ));
        }
        Rejection::Duplicate(format!("what {address} answers was answered before"))
    }

    /// Which of a request's answers the event is, if it is one.
    fn answer(
        &self,
        definition: &Definition,
        run: &Generation,
        state: &StepState,
        slot: Slot,
    ) -> Result<Option<Answer>, Rejection> {
        let (done, failed) = answers(definition.step(state.step), slot);
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

    /// Whether this very event was an answer before. Ids are unique among events of one kind only,
    /// so an equal id of another kind means nothing.
    fn was_taken(&self, definition: &Definition, run: &Generation) -> bool {
        requests(run).any(|(_, state, slot, request)| {
            let (done, failed) = answers(definition.step(state.step), slot);
            let mut kinds = done.iter().map(|d| &d.on).chain(failed.iter().map(|f| &f.on));
            request.answer == self.event.id && kinds.any(|on| *on == self.event.address)
        })
    }

    fn holds(&self, run: &Generation, condition: Option<&Expression>) -> Result<bool, Rejection> {
        turn::holds(condition, &run.data, self.id, self.event, self.now)
    }
}

/// Every request that was ever sent, with its place.
fn requests(run: &Generation) -> impl Iterator<Item = (usize, &StepState, Slot, &Request)> {
    run.frame.steps.iter().enumerate().flat_map(|(place, state)| {
        let action = state.action.iter().map(|request| (Slot::Action, request));
        let undos = state.undos.iter().enumerate().map(|(run, r)| (Slot::Undo(run), r));
        let sent = action.chain(undos).filter(|(_, request)| request.attempts > 0);
        sent.map(move |(slot, request)| (place, state, slot, request))
    })
}

/// The answers to a request of a step.
fn answers(step: &Step, slot: Slot) -> (&[Done], &[Failed]) {
    match (slot, &step.kind) {
        (Slot::Action, StepKind::Command(command)) => (&command.request.done, &command.failed),
        (
            Slot::Action,
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_),
        ) => (&[], &[]),
        (Slot::Undo(_), _) => match back::compensation(step) {
            Compensation::Command { request, .. } => (&request.done, &[]),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Call { .. }
            | Compensation::Child => (&[], &[]),
        },
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
        (
            Slot::Action,
            _,
            StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_)
            | StepKind::Lock(_),
        ) => {
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
    request::answered(&mut turn.generation.frame.steps[place], &event.id);
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
    let step = turn.step(state.step);
    request::answered(&mut turn.generation.frame.steps[place], &event.id);
    forward::reject(turn, step, &command.failed[which], event)
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

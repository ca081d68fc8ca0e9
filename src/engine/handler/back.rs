//! The way back: gives up what runs, then undoes in reverse order of completion.

use super::request::{self, Slot};
use super::{finish, forward};
use crate::definition::{Compensation, Step, StepId, StepKind};
use crate::engine::turn::{Addressed, Turn, shortened};
use crate::engine::{Direction, Effect, Failure, NoteKind, Phase, Progress, Request, StepState};
use crate::message::Part;

/// Why a person must undo a step: right for a pivot that happened after all.
const NOT_SAID: &str = "it may have happened, and the definition does not say how to undo it";

/// Turns round: no new forward step, the running ones are given up, the rest is undone.
pub(in crate::engine) fn go_back(turn: &mut Turn<'_>, failure: Failure) {
    let failure = Failure { reason: shortened(&failure.reason), ..failure };
    let words = format!("{}: {}", failure.kind.text(), failure.reason);
    turn.generation.direction = Direction::Back;
    turn.generation.frame.direction = Direction::Back;
    turn.generation.deadline = None;
    turn.generation.pending = None;
    // What a person owes to an undoing is still owed.
    turn.generation.stuck.retain(|s| s.undoing);
    turn.generation.failure = Some(failure);
    turn.note(None, NoteKind::WentBack, words);
    give_up_running(turn);
    unwind(turn);
}

fn give_up_running(turn: &mut Turn<'_>) {
    for place in 0..turn.generation.frame.steps.len() {
        let state = &turn.generation.frame.steps[place];
        if state.phase != Phase::Running {
            continue;
        }
        // A step that was never sent cannot have happened.
        if state.action.is_none() {
            turn.generation.frame.steps[place].phase = Phase::Skipped;
            continue;
        }
        give_up(turn, place);
    }
}

/// Gives a step up: it may have happened.
pub(in crate::engine) fn give_up(turn: &mut Turn<'_>, place: usize) {
    let completed = turn.completion();
    let state = &mut turn.generation.frame.steps[place];
    state.phase = Phase::Unknown;
    state.completed = completed;
    if let Some(action) = &mut state.action {
        action.progress = Progress::GivenUp;
    }
    let name = &turn.definition.step(state.step).name;
    turn.note(Some(name), NoteKind::GivenUp, "no answer; it may have happened");
}

/// Undoes the next step, and the next, until one has to wait or all is undone.
pub(in crate::engine) fn unwind(turn: &mut Turn<'_>) {
    while turn.generation.ended.is_none() && turn.generation.direction == Direction::Back {
        let steps = &turn.generation.frame.steps;
        if steps.iter().any(StepState::is_being_undone) {
            return;
        }
        let next = (0..steps.len())
            .filter(|place| may_have_happened(&steps[*place]) && steps[*place].undos.is_empty())
            .max_by_key(|place| steps[*place].completed);
        match next {
            Some(place) => undo(turn, place),
            None => finish::compensated(turn),
        }
    }
}

fn may_have_happened(state: &StepState) -> bool {
    match state.phase {
        Phase::Succeeded | Phase::Unknown => true,
        Phase::Running | Phase::Rejected | Phase::Skipped => false,
    }
}

/// How a step is undone; nothing for steps that have no effect outside.
pub(in crate::engine) fn compensation(step: &Step) -> &Compensation {
    match &step.kind {
        StepKind::Command(command) => &command.compensate,
        StepKind::Emit(emit) => &emit.compensate,
        StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => &Compensation::Nothing,
    }
}

/// Begins one more undoing of a step.
pub(in crate::engine) fn undo(turn: &mut Turn<'_>, place: usize) {
    let id = turn.generation.frame.steps[place].step;
    let run = turn.generation.frame.steps[place].undos.len();
    let undoing = match compensation(turn.step(id)) {
        Compensation::Unsaid => Err(NOT_SAID.to_owned()),
        Compensation::Nothing => Ok(request::settled(turn.now)),
        Compensation::Call { .. } | Compensation::Child => unreachable!("not run yet"),
        Compensation::Emit(fact) => correct(turn, id, run, fact),
        Compensation::Command { request, .. } => {
            let unsent = request::unsent(turn.now);
            request::send(turn, id, Slot::Undo(run), request, &unsent)
        }
    };
    let parked = Request { progress: Progress::Parked, ..request::unsent(turn.now) };
    match undoing {
        Ok(request) => turn.generation.frame.steps[place].undos.push(request),
        Err(reason) => {
            turn.generation.frame.steps[place].undos.push(parked);
            turn.park(id, true, &reason);
        }
    }
}

/// Tells the correcting fact of a step.
fn correct(
    turn: &mut Turn<'_>,
    id: StepId,
    run: usize,
    fact: &crate::definition::Fact,
) -> Result<Request, String> {
    let step = turn.step(id);
    let undoes = turn.command_id(&step.name, Part::Action, 1).idempotency_key();
    let command = turn.command_id(&step.name, Slot::Undo(run).part(), 1);
    let message = turn.fill(command, Some(undoes), &Addressed::from(fact))?;
    turn.out.effects.push(Effect::Fact(message));
    turn.note(Some(&step.name), NoteKind::Undone, fact.to.to_string());
    Ok(request::settled(turn.now))
}

/// An undoing is over: the way back goes on.
pub(in crate::engine) fn undone(turn: &mut Turn<'_>, place: usize, run: usize, answer: &str) {
    let state = &mut turn.generation.frame.steps[place];
    let id = state.step;
    state.undos[run].progress = Progress::Answered;
    answer.clone_into(&mut state.undos[run].answer);
    if !state.undos.iter().any(|r| r.progress == Progress::Parked) {
        turn.unpark(id, true);
    }
    let name = &turn.definition.step(id).name;
    turn.note(Some(name), NoteKind::Undone, "");
    if turn.generation.ended.is_some()
        && turn.generation.forget.is_none()
        && !turn.generation.owes()
    {
        // It outlived its time only because this was owed.
        turn.generation.forget = Some(turn.now.after(turn.definition.late));
    }
    go_on(turn);
}

/// Goes on in whichever direction the generation is bound.
pub(in crate::engine) fn go_on(turn: &mut Turn<'_>) {
    match turn.generation.direction {
        Direction::Forward => forward::advance(turn),
        Direction::Back => unwind(turn),
    }
}

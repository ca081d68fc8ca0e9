//! Waits for facts; those that came before were kept.

use crate::definition::{Late, Remind, Step, StepKind, WaitStep};
use crate::engine::course::forward;
use crate::engine::request::pause;
use crate::engine::state::place::{Line, Place};
use crate::engine::told::early;
use crate::engine::work::fill::Addressed;
use crate::engine::work::turn::Turn;
use crate::engine::{Effect, Failure, FailureKind, NoteKind, Phase, Reminder, StepState};
use crate::message::{Part, Span};

pub(in crate::engine) fn enter(turn: &mut Turn<'_>, line: &Line, step: &Step, wait: &WaitStep) {
    let name = turn.name(line, step);
    let facts: Vec<&str> = wait.on.iter().map(|done| done.on.event_type.as_str()).collect();
    turn.note(Some(&name), NoteKind::Waiting, facts.join(" or "));
    let place = turn.push(line, waiting(turn, step, wait.within, wait.remind.as_ref()));
    early::offer(turn, &place, wait);
}

/// A step that waits, with its timers.
pub(in crate::engine) fn waiting(
    turn: &Turn<'_>,
    step: &Step,
    within: Option<Span>,
    remind: Option<&Remind>,
) -> StepState {
    StepState {
        until: within.map(|within| turn.now.after(within)),
        remind: remind.map(|r| Reminder { at: turn.now.after(r.after), told: 0 }),
        ..StepState::new(step.id, Phase::Running)
    }
}

/// The time of a `wait` or `ask` is up.
pub(in crate::engine) fn late(
    turn: &mut Turn<'_>,
    place: &Place,
    late: &Late,
    within: Option<Span>,
) {
    let name = turn.name_at(place);
    let reason = format!("not within {}", within.unwrap_or_default());
    turn.note(Some(&name), NoteKind::TimedOut, reason.clone());
    match late {
        Late::GoOn => {
            let state = turn.at_mut(place);
            state.phase = Phase::Skipped;
            state.rest();
            turn.note(Some(&name), NoteKind::Skipped, "its time is up");
        }
        Late::Fail(verdict) => {
            let failure = Failure { step: name.to_string(), kind: FailureKind::Deadline, reason };
            forward::refuse(turn, place, verdict, failure, None);
        }
    }
}

/// The next reminder is due.
pub(in crate::engine) fn remind(turn: &mut Turn<'_>, place: &Place) {
    let Some(before) = turn.at(place).remind else {
        return;
    };
    let Some(remind) = reminder(turn.step_at(place)) else {
        return;
    };
    let told = before.told + 1;
    turn.at_mut(place).remind = remind.every.map(|every| {
        let next = before.at.after(every.max(pause::PAUSE_MIN));
        // After a long standstill one reminder says as much as many.
        Reminder { at: next.max(turn.now.after(pause::PAUSE_MIN)), told }
    });
    let name = turn.name_at(place);
    // It is told once in a transition, so this number makes each telling's id its own.
    let number = u32::try_from(turn.generation.transitions).unwrap_or(u32::MAX);
    let id = turn.command_id(&name, Part::Action, number);
    match turn.fill(&place.line, id, None, &Addressed::from(&remind.fact)) {
        Ok(message) => {
            turn.out.effects.push(Effect::Fact(message));
            turn.note(Some(&name), NoteKind::Reminded, remind.fact.to.to_string());
        }
        // The step itself must not depend on it; people are told.
        Err(reason) => {
            let words = format!("{} {name}: no reminder: {reason}", turn.id);
            turn.out.effects.push(Effect::Complaint(words));
        }
    }
}

fn reminder(step: &Step) -> Option<&Remind> {
    match &step.kind {
        StepKind::Wait(wait) => wait.remind.as_ref(),
        StepKind::Ask(ask) => ask.remind.as_ref(),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Sleep(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => None,
    }
}

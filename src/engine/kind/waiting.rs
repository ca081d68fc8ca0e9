//! Steps that wait for facts or for a person: their time, and their reminders.

use crate::definition::{Late, Remind, Step};
use crate::engine::request::pause::PAUSE_MIN;
use crate::engine::state::place::Place;
use crate::engine::work::fill::Addressed;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{Effect, Failure, FailureKind, Inside, Phase, Reminder, StepState, What};
use crate::message::{Part, Span};

/// A step that waits, with its timers.
pub(super) fn waiting(
    turn: &Turn<'_>,
    step: &Step,
    within: Option<Span>,
    remind: Option<&Remind>,
) -> StepState {
    StepState {
        until: within.map(|within| turn.now.after(within)),
        inside: remind.map_or(Inside::Nothing, |remind| {
            Inside::Reminder(Reminder { at: turn.now.after(remind.after), told: 0 })
        }),
        ..StepState::new(step.id, Phase::Running)
    }
}

/// The time of a `wait` or `ask` is up.
pub(super) fn time_is_up(
    turn: &mut Turn<'_>,
    place: &Place,
    late: &Late,
    within: Option<Span>,
) -> Outcome {
    let name = turn.name_at(place);
    let reason = format!("not within {}", within.unwrap_or_default());
    turn.note(Some(&name), What::TimedOut { reason: reason.clone() });
    match late {
        Late::GoOn => Outcome::Skipped("its time is up"),
        Late::Fail(verdict) => {
            let failure = Failure { step: Some(name), kind: FailureKind::Deadline, reason };
            turn.refused(place, verdict, failure, None)
        }
    }
}

/// The next reminder is due.
pub(in crate::engine) fn remind(turn: &mut Turn<'_>, place: &Place) {
    let before = turn.at(place).reminder().expect("only a reminder that is set is due");
    let remind = turn.step_at(place).remind().expect("a reminder is set by what the step says");
    let told = before.told + 1;
    turn.at_mut(place).inside = remind.every.map_or(Inside::Nothing, |every| {
        let next = before.at.after(every.max(PAUSE_MIN));
        // After a long standstill one reminder says as much as many.
        Inside::Reminder(Reminder { at: next.max(turn.now.after(PAUSE_MIN)), told })
    });
    let name = turn.name_at(place);
    // It is told once in a transition, so this number makes each telling's id its own.
    let number = u32::try_from(turn.life().transitions).unwrap_or(u32::MAX);
    let id = turn.command_id(&name, Part::Action, number);
    match turn.fill(&place.line, id, None, &Addressed::from(&remind.fact)) {
        Ok(message) => {
            turn.send(Effect::Fact(message));
            turn.note(Some(&name), What::Reminded { fact: remind.fact.to.clone() });
        }
        // The step itself must not depend on it; people are told.
        Err(reason) => {
            let words = format!("{} {name}: no reminder: {reason}", turn.id);
            turn.send(Effect::Complaint(words));
        }
    }
}

/// A step of a kind without a time of its own was given one all the same: it is taken away.
pub(super) fn has_no_time(state: &mut StepState) -> Outcome {
    state.until = None;
    Outcome::Waits
}

//! Asks a person.

use serde_json::{Map, Value};

use crate::definition::{AskStep, Step, StepKind};
use crate::engine::course::forward;
use crate::engine::kind::wait;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::turn::Turn;
use crate::engine::{
    Act, Effect, Failure, FailureKind, Generation, NoteKind, Phase, Question, Rejection,
};
use crate::expression::Name;
use crate::message::Part;

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    ask: &AskStep,
) -> Result<(), String> {
    let question = turn.limits.cut(&turn.text(line, &ask.question)?);
    let name = turn.name(line, step);
    let state = wait::waiting(turn, step, ask.within, ask.remind.as_ref());
    let asked = u32::try_from(turn.generation.transitions).unwrap_or(u32::MAX);
    turn.out.effects.push(Effect::Question(Question {
        id: turn.command_id(&name, Part::Action, asked).to_string(),
        instance: turn.id.clone(),
        life: turn.generation.life,
        step: name.to_string(),
        who: ask.who.clone(),
        question,
        choices: ask.choices.iter().map(|choice| choice.name.clone()).collect(),
        until: state.until,
    }));
    turn.note(Some(&name), NoteKind::Asked, ask.who.clone());
    turn.push(line, state);
    Ok(())
}

/// What a person answers to: the step that the act names, else the only one that asks.
///
/// # Errors
/// When nobody is asked there.
pub(in crate::engine) fn find(turn: &Turn<'_>, act: &Act) -> Result<Place, Rejection> {
    let asking = asking(turn.definition, turn.generation);
    let (mut meant, mut all) = (asking.iter().filter(|p| is_meant(turn, p, act)), asking.len());
    if !act.step.is_empty() {
        all = 1;
    }
    match meant.next() {
        Some(place) if all == 1 && meant.next().is_none() => Ok(place.clone()),
        Some(_) => Err(Rejection::Refused(format!(
            "{} asks more than one question; name the step",
            turn.id
        ))),
        None => Err(Rejection::Refused(format!("{} asks nobody at `{}`", turn.id, act.step))),
    }
}

fn is_meant(turn: &Turn<'_>, place: &Place, act: &Act) -> bool {
    act.step.is_empty()
        || turn.name_at(place).as_str() == act.step
        || turn.step_at(place).name.as_str() == act.step
}

/// The steps that wait for a person's answer.
fn asking(definition: &crate::definition::Definition, generation: &Generation) -> Vec<Place> {
    crate::engine::state::place::places(&generation.frame, |state| {
        state.phase == Phase::Running
            && matches!(definition.step(state.step).kind, StepKind::Ask(_))
    })
}

/// Takes a person's answer.
///
/// # Errors
/// When it is no choice, or lacks what the definition reads from it.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    act: &Act,
    choice: &str,
    note: &str,
    data: &Map<String, Value>,
) -> Result<(), Rejection> {
    let place = find(turn, act)?;
    let step = turn.step_at(&place);
    let StepKind::Ask(ask) = &step.kind else {
        return Err(Rejection::Refused(format!("{} asks nobody", step.name)));
    };
    let Some(chosen) = ask.choices.iter().find(|c| c.name == choice) else {
        let names: Vec<&str> = ask.choices.iter().map(|c| c.name.as_str()).collect();
        return Err(Rejection::Refused(format!(
            "`{choice}` is no choice of {}; answer {}",
            step.name,
            names.join(" or ")
        )));
    };
    let answer = serde_json::json!({
        "choice": choice, "by": act.by, "note": note, "data": data,
    });
    let more = Some((Name::Answer, &answer));
    let refused = |reason: String| Rejection::Refused(format!("{}: {reason}", step.name));
    let name = turn.name_at(&place);
    match &chosen.failed {
        None => {
            let written = turn.assigned(&place.line, &step.set, more).map_err(refused)?;
            turn.note(Some(&name), NoteKind::Succeeded, format!("{choice}, says {}", act.by));
            forward::succeed(turn, &place, written);
        }
        Some(verdict) => {
            let written = turn.assigned(&place.line, &verdict.set, more).map_err(refused)?;
            let why = if note.is_empty() { String::new() } else { format!(": {note}") };
            let reason = turn.limits.cut(&format!("{choice}, says {}{why}", act.by));
            let failure = Failure { step: name.to_string(), kind: FailureKind::Rejected, reason };
            let no = forward::No { written, then: verdict.then, failure };
            forward::reject(turn, &place, no);
        }
    }
    Ok(())
}

//! Asks a person.

use serde_json::{Map, Value};

use super::handler::Handler;
use super::waiting;
use crate::definition::{AskStep, Definition, Step, StepKind};
use crate::engine::state::place::{Line, Place, places};
use crate::engine::work::outcome::{Outcome, Refusal};
use crate::engine::work::turn::Turn;
use crate::engine::{
    Act, Effect, Failure, FailureKind, Life, Phase, Proof, Question, Rejection, What,
};
use crate::expression::Name;
use crate::message::{Coordinate, Part};

impl Handler for AskStep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let question = turn.limits.cut(&turn.text(line, &self.question)?);
        let name = turn.name(line, step);
        let state = waiting::waiting(turn, step, self.within, self.remind.as_ref());
        let asked = u32::try_from(turn.life().transitions).unwrap_or(u32::MAX);
        turn.send(Effect::Question(Question {
            id: turn.command_id(&name, Part::Action, asked).to_string(),
            instance: turn.id.clone(),
            life: turn.life().id,
            step: name.clone(),
            who: self.who.clone(),
            question,
            choices: self.choices.iter().map(|choice| choice.name.clone()).collect(),
            until: state.until,
        }));
        turn.note(Some(&name), What::Asked { who: self.who.clone() });
        turn.push(line, state);
        Ok(Outcome::Waits)
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        waiting::time_is_up(turn, place, &self.late, self.within)
    }
}

/// What a person answers.
pub(in crate::engine) struct Answer<'a> {
    pub choice: &'a str,
    pub note: &'a str,
    pub data: &'a Map<String, Value>,
}

/// What a person answers to: the step that the act names, else the only one that asks.
///
/// # Errors
/// When nobody is asked there.
pub(in crate::engine) fn find(turn: &Turn<'_>, act: &Act) -> Result<Place, Rejection> {
    let asking = asking(turn.definition, turn.life());
    let (mut meant, mut all) = (asking.iter().filter(|p| is_meant(turn, p, act)), asking.len());
    if act.step.is_some() {
        all = 1;
    }
    match meant.next() {
        Some(place) if all == 1 && meant.next().is_none() => Ok(place.clone()),
        Some(_) => Err(Rejection::Refused(format!(
            "{} asks more than one question; name the step",
            turn.id
        ))),
        None => {
            let step = Coordinate::text(act.step.as_ref());
            Err(Rejection::Refused(format!("{} asks nobody at `{step}`", turn.id)))
        }
    }
}

fn is_meant(turn: &Turn<'_>, place: &Place, act: &Act) -> bool {
    let Some(meant) = &act.step else {
        return true;
    };
    let asks = turn.name_at(place);
    asks.step == meant.step && (meant.branch.is_empty() || asks.branch == meant.branch)
}

/// The steps that wait for a person's answer.
fn asking(definition: &Definition, life: &Life) -> Vec<Place> {
    places(&life.frame, |state| {
        state.phase == Phase::Running
            && matches!(definition.step(state.step).kind, StepKind::Ask(_))
    })
}

/// Takes a person's answer to the question of a step.
///
/// # Errors
/// When it is no choice, or lacks what the definition reads from it.
pub(in crate::engine) fn take(
    turn: &mut Turn<'_>,
    place: &Place,
    by: &str,
    answer: &Answer<'_>,
) -> Result<Outcome, Rejection> {
    let step = turn.step_at(place);
    let StepKind::Ask(ask) = &step.kind else {
        return Err(Rejection::Refused(format!("{} asks nobody", step.name)));
    };
    let Answer { choice, note, data } = answer;
    let Some(chosen) = ask.choices.iter().find(|c| c.name == *choice) else {
        let names: Vec<&str> = ask.choices.iter().map(|c| c.name.as_str()).collect();
        return Err(Rejection::Refused(format!(
            "`{choice}` is no choice of {}; answer {}",
            step.name,
            names.join(" or ")
        )));
    };
    let value = serde_json::json!({ "choice": choice, "by": by, "note": note, "data": data });
    let more = Some((Name::Answer, &value));
    let refused = |reason: String| Rejection::Refused(format!("{}: {reason}", step.name));
    let name = turn.name_at(place);
    match &chosen.failed {
        None => {
            let written = turn.assigned(&place.line, &step.set, more).map_err(refused)?;
            turn.note(
                Some(&name),
                What::Succeeded(Proof::Answer { choice: (*choice).to_owned(), by: by.to_owned() }),
            );
            Ok(Outcome::Succeeded(written))
        }
        Some(verdict) => {
            let written = turn.assigned(&place.line, &verdict.set, more).map_err(refused)?;
            let why = if note.is_empty() { String::new() } else { format!(": {note}") };
            let reason = turn.limits.cut(&format!("{choice}, says {by}{why}"));
            let failure = Failure { step: Some(name), kind: FailureKind::Rejected, reason };
            Ok(Outcome::Rejected(Refusal { written, then: verdict.then, failure }))
        }
    }
}

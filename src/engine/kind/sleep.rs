//! Waits for a time.

use serde_json::{Map, Value};

use super::handler::Handler;
use crate::definition::{Sleep, Step, Then};
use crate::engine::state::place::{Line, Place};
use crate::engine::work::outcome::{Outcome, Refusal};
use crate::engine::work::turn::Turn;
use crate::engine::{Awaited, Failure, FailureKind, Phase, Proof, StepState, What};
use crate::expression::Expression;
use crate::message::Timestamp;

impl Handler for Sleep {
    fn enter(&self, turn: &mut Turn<'_>, line: &Line, step: &Step) -> Result<Outcome, String> {
        let until = match self {
            Self::For(span) => turn.now.after(*span),
            Self::Until(moment) => {
                let bound = turn.bound(line);
                let value = moment
                    .evaluate(&bound.scope())
                    .map_err(|e| format!("`until` has no value: {e}"))?;
                match moment_of(&value) {
                    Some(until) => until,
                    None => return Ok(rejected(turn, line, step, moment, &value)),
                }
            }
        };
        if until <= turn.now {
            let written = turn.assigned(line, &step.set, None)?;
            turn.push_running(line, step);
            return Ok(Outcome::Succeeded(written));
        }
        let name = turn.name(line, step);
        turn.note(Some(&name), What::Waiting(Awaited::Moment(until)));
        let state = StepState { until: Some(until), ..StepState::new(step.id, Phase::Running) };
        turn.push(line, state);
        Ok(Outcome::Waits)
    }

    fn time_is_up(&self, turn: &mut Turn<'_>, place: &Place) -> Outcome {
        let name = turn.name_at(place);
        turn.note(Some(&name), What::Succeeded(Proof::Time));
        let step = turn.step_at(place);
        turn.concluded(place, &step.set, None)
    }
}

/// The moment that a timestamp or an RFC 3339 text names.
fn moment_of(value: &Value) -> Option<Timestamp> {
    if let Value::String(text) = value { Timestamp::parse(text) } else { None }
}

/// What is no moment cannot be waited for.
fn rejected(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    until: &Expression,
    value: &Value,
) -> Outcome {
    let instead = turn.instead(until, value);
    turn.push_running(line, step);
    let reason =
        format!("`until: {until}` is no moment{instead}; write such as 2026-01-31T08:00:00Z");
    let (step, kind) = (Some(turn.name(line, step)), FailureKind::Rejected);
    let failure = Failure { step, kind, reason: turn.limits.cut(&reason) };
    Outcome::Rejected(Refusal { written: Map::new(), then: Then::GoBack, failure })
}

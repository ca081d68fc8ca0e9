//! Waits for a time.

use serde_json::Value;

use crate::definition::{Sleep, Step};
use crate::engine::course::forward::succeed;
use crate::engine::state::place::Line;
use crate::engine::work::turn::Turn;
use crate::engine::{NoteKind, Phase, StepState};
use crate::message::Timestamp;

pub(in crate::engine) fn enter(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    sleep: &Sleep,
) -> Result<(), String> {
    let until = match sleep {
        Sleep::For(span) => turn.now.after(*span),
        Sleep::Until(moment) => {
            let bound = turn.bound(line);
            let value = moment
                .evaluate(&bound.scope())
                .map_err(|e| format!("`until` has no value: {e}"))?;
            moment_of(&value)?
        }
    };
    if until <= turn.now {
        let written = turn.assigned(line, &step.set, None)?;
        let place = turn.push_running(line, step);
        succeed(turn, &place, written);
        return Ok(());
    }
    let name = turn.name(line, step);
    turn.note(Some(&name), NoteKind::Waiting, format!("until {until}"));
    let state = StepState { until: Some(until), ..StepState::new(step.id, Phase::Running) };
    turn.push(line, state);
    Ok(())
}

/// The moment that a timestamp or an RFC 3339 text names.
fn moment_of(value: &Value) -> Result<Timestamp, String> {
    let Value::String(text) = value else {
        return Err("`until` is no moment; write such as 2026-01-31T08:00:00Z".to_owned());
    };
    Timestamp::parse(text)
        .ok_or_else(|| "`until` is no moment; write such as 2026-01-31T08:00:00Z".to_owned())
}

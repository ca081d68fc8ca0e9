//! What a late answer sets, for the undoing of its step.

use serde_json::Value;

use crate::definition::{Assignment, Compensation};
use crate::engine::Effect;
use crate::engine::state::place::Place;
use crate::engine::work::turn::Turn;
use crate::expression::Name;

/// Keeps what an answer sets that came after its step was given up. What has no value is told to
/// people: the step happened, and is undone without it.
pub(super) fn keep(turn: &mut Turn<'_>, place: &Place, set: &[Assignment], event: &Value) {
    match turn.step_at(place).compensation() {
        Compensation::Command { .. } | Compensation::Call { .. } | Compensation::Emit(_) => {}
        Compensation::Unsaid | Compensation::Nothing | Compensation::Child => return,
    }
    match turn.assigned(&place.line, set, Some((Name::Event, event))) {
        Ok(written) if written.is_empty() => {}
        Ok(written) => turn.at_mut(place).late = Some(Box::new(written)),
        Err(reason) => {
            let name = turn.name_at(place);
            let words = format!("{} {name}: of its late answer {reason}", turn.id);
            turn.send(Effect::Complaint(words));
        }
    }
}

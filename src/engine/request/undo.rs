//! Undoings, as the definition's `compensation` says.

use super::asked::Asked;
use super::send;
use crate::definition::{Compensation, Fact};
use crate::engine::state::place::Place;
use crate::engine::work::fill::Addressed;
use crate::engine::work::turn::Turn;
use crate::engine::{Effect, Progress, Request, What};
use crate::message::Part;

/// Why a person must undo a step: right for a pivot that happened after all.
const NOT_SAID: &str = "it may have happened, and the definition does not say how to undo it";

/// The same where a person has said that a child is done which never began.
const NO_CHILD: &str = "it was resolved as done and no child has begun; undo it as it was done";

/// Begins one more undoing of a step; one that cannot begin waits for a person.
pub(in crate::engine) fn begin(turn: &mut Turn<'_>, place: &Place) {
    let step = turn.step_at(place);
    let part = Part::undoing(turn.at(place).undos.len() + 1);
    let unsent = Request::unsent(turn.now);
    let undoing = match step.compensation() {
        Compensation::Unsaid => Err(NOT_SAID.to_owned()),
        Compensation::Child => Err(NO_CHILD.to_owned()),
        Compensation::Nothing => Ok(Request::settled(turn.now)),
        Compensation::Emit(fact) => correct(turn, place, part, fact),
        Compensation::Command { request, .. } => {
            let asked = Asked::Command(request);
            send::send(turn, &place.line, step, part, asked, &unsent)
        }
        Compensation::Call { request, .. } => {
            let asked = Asked::Call(request);
            send::send(turn, &place.line, step, part, asked, &unsent)
        }
    };
    match undoing {
        Ok(request) => turn.at_mut(place).undos.push(request),
        Err(reason) => {
            let parked = Request { progress: Progress::Parked, ..unsent };
            turn.at_mut(place).undos.push(parked);
            turn.park(place, true, &reason);
        }
    }
}

/// Tells the correcting fact of a step.
fn correct(turn: &mut Turn<'_>, place: &Place, part: Part, fact: &Fact) -> Result<Request, String> {
    let name = turn.name_at(place);
    let undoes = turn.command_id(&name, Part::Action, 1).idempotency_key();
    let id = turn.command_id(&name, part, 1);
    let message = turn.fill(&place.line, id, Some(undoes), &Addressed::from(fact))?;
    turn.send(Effect::Fact(message));
    turn.note(Some(&name), What::Undone { by: Some(fact.to.clone()) });
    Ok(Request::settled(turn.now))
}

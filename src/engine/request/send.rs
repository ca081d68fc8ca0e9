//! Sends requests, again and again within their budget.

use super::asked::Asked;
use crate::definition::Step;
use crate::engine::state::place::{Line, Place};
use crate::engine::work::fill::Addressed;
use crate::engine::work::outcome::Outcome;
use crate::engine::work::turn::Turn;
use crate::engine::{
    Effect, Inside, Phase, Progress, Request, Requested, Sending, StepState, What,
};
use crate::message::{Coordinate, InputId, Part};

/// Enters a step that sends a request, by sending it for the first time.
///
/// # Errors
/// When it cannot be filled; nothing was sent.
pub(in crate::engine) fn first(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    asked: Asked<'_>,
) -> Result<Outcome, String> {
    let unsent = Request::unsent(turn.now);
    let sent = send(turn, line, step, Part::Action, asked, &unsent)?;
    let inside = Inside::Requested(Requested { action: sent, probe: None });
    turn.push(line, StepState { inside, ..StepState::new(step.id, Phase::Running) });
    Ok(Outcome::Waits)
}

/// Sends the next attempt of a request of a step in this list; what stands in `before` is how far
/// it got.
///
/// # Errors
/// When it cannot be filled; nothing was sent.
pub(in crate::engine) fn send(
    turn: &mut Turn<'_>,
    line: &Line,
    step: &Step,
    part: Part,
    asked: Asked<'_>,
    before: &Request,
) -> Result<Request, String> {
    let name = turn.name(line, step);
    let attempt = before.attempts + 1;
    let undoes = undone_by(turn, &name, part);
    let id = turn.command_id(&name, part, attempt);
    let (effect, to) = match asked {
        Asked::Command(request) => {
            let message = turn.fill(line, id, undoes, &Addressed::from(request))?;
            (Effect::Command(message), request.command.to_string())
        }
        Asked::Call(request) => {
            let call = turn.fill_call(line, id, undoes, request)?;
            let to = format!("{} {}", call.method.text(), request.authority);
            (Effect::Call(call), to)
        }
    };
    turn.send(effect);
    let sending = Sending { to, attempt };
    let what = match part {
        Part::Action => What::Sent(sending),
        Part::Probe => What::Probed(sending),
        Part::Undo(_) => What::Undoing(sending),
    };
    turn.note(Some(&name), what);
    Ok(Request {
        attempts: attempt,
        spent: before.spent + 1,
        since: before.since,
        progress: Progress::Waiting(turn.now.after(asked.within())),
        answer: InputId::default(),
        unsent: before.unsent,
        extended: false,
    })
}

/// Gives the present attempt its time again, for the engine was away when it ran out. A call is
/// made again under the same id, for its answer may have gone with the process that waited for it.
///
/// # Errors
/// When a call cannot be filled any more; nothing was sent.
pub(in crate::engine) fn extend(
    turn: &mut Turn<'_>,
    place: &Place,
    part: Part,
    asked: Asked<'_>,
    before: &Request,
) -> Result<Request, String> {
    let name = turn.name_at(place);
    if let Asked::Call(request) = asked {
        let undoes = undone_by(turn, &name, part);
        let id = turn.command_id(&name, part, before.attempts);
        let call = turn.fill_call(&place.line, id, undoes, request)?;
        turn.send(Effect::Call(call));
    }
    let (attempt, within) = (before.attempts, asked.within());
    turn.note(Some(&name), What::Extended { attempt, within });
    let progress = Progress::Waiting(turn.now.after(within));
    Ok(Request { progress, extended: true, ..before.clone() })
}

/// The idempotency key of the action that a request undoes.
fn undone_by(turn: &Turn<'_>, name: &Coordinate, part: Part) -> Option<String> {
    match part {
        Part::Action | Part::Probe => None,
        Part::Undo(_) => Some(turn.command_id(name, Part::Action, 1).idempotency_key()),
    }
}

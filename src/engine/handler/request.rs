//! Sends requests, again and again within their budget.

use crate::definition::{self, Budget, Retry, StepId};
use crate::engine::turn::{Addressed, Turn};
use crate::engine::{Effect, NoteKind, Progress, Request, StepState};
use crate::message::{Part, Span, StepName, Timestamp};

/// The shortest pause: a request is never sent twice in one moment.
pub(in crate::engine) const PAUSE_MIN: Span = Span::millis(1);
/// Pauses after which they no longer grow.
const PAUSES_MAX: u32 = 1_000;

/// Which request of a step: its action or one of its undoings, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Slot {
    Action,
    Undo(usize),
}

impl Slot {
    pub fn part(self) -> Part {
        match self {
            Self::Action => Part::Action,
            Self::Undo(place) => Part::Undo(u32::try_from(place + 1).unwrap_or(u32::MAX)),
        }
    }
}

/// A request that was never sent.
pub(in crate::engine) fn unsent(now: Timestamp) -> Request {
    let progress = Progress::Pausing(now);
    Request { attempts: 0, spent: 0, since: now, progress, answer: String::new() }
}

/// A request that needs no answer: there is nothing to do, or a fact did it.
pub(in crate::engine) fn settled(now: Timestamp) -> Request {
    Request { progress: Progress::Answered, ..unsent(now) }
}

/// An action has its answer: the id of the event or act that gave it is kept.
pub(in crate::engine) fn answered(state: &mut StepState, by: &str) {
    if let Some(action) = &mut state.action {
        action.progress = Progress::Answered;
        by.clone_into(&mut action.answer);
    }
}

/// Sends the next attempt of a request; what stands in `before` is how far it got.
///
/// # Errors
/// When the message cannot be filled; nothing was sent.
pub(in crate::engine) fn send(
    turn: &mut Turn<'_>,
    step: StepId,
    slot: Slot,
    request: &definition::Request,
    before: &Request,
) -> Result<Request, String> {
    let name = &turn.step(step).name;
    let attempt = before.attempts + 1;
    let undoes = match slot {
        Slot::Action => None,
        Slot::Undo(_) => Some(turn.command_id(name, Part::Action, 1).idempotency_key()),
    };
    let id = turn.command_id(name, slot.part(), attempt);
    let message = turn.fill(id, undoes, &Addressed::from(request))?;
    turn.out.effects.push(Effect::Command(message));
    let kind = match slot {
        Slot::Action => NoteKind::Sent,
        Slot::Undo(_) => NoteKind::Undoing,
    };
    turn.note(Some(name), kind, told(request, attempt));
    Ok(Request {
        attempts: attempt,
        spent: before.spent + 1,
        since: before.since,
        progress: Progress::Waiting(turn.now.after(request.within)),
        answer: String::new(),
    })
}

fn told(request: &definition::Request, attempt: u32) -> String {
    if attempt == 1 {
        request.command.to_string()
    } else {
        format!("{}, attempt {attempt}", request.command)
    }
}

/// When the next attempt is sent, or never if the budget is spent. Always later than `now`.
pub(in crate::engine) fn again(
    retry: &Retry,
    request: &Request,
    now: Timestamp,
    seed: &str,
) -> Option<Timestamp> {
    let next = now.after(pause(retry, request.spent, request.attempts, seed));
    let left = match retry.budget {
        Budget::Attempts(most) => request.spent < most,
        Budget::For(span) => next <= request.since.after(span),
    };
    left.then_some(next)
}

/// The pause after so many attempts: `first`, then `factor` times longer each time, at most
/// `most`, less up to a fifth by a jitter that is the same for the same request and attempt.
///
/// Multiplied step by step, for `powi` may differ from machine to machine.
pub(in crate::engine) fn pause(retry: &Retry, spent: u32, attempts: u32, seed: &str) -> Span {
    #[allow(clippy::cast_precision_loss)]
    let (mut full, most) = (retry.first.0 as f64, retry.most.0 as f64);
    for _ in 1..spent.min(PAUSES_MAX) {
        if full >= most {
            break;
        }
        full *= retry.factor;
    }
    let full = if full.is_finite() { full.min(most) } else { most };
    let jittered = full * (1.0 - 0.2 * fraction(seed, attempts));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Span((jittered as u64).max(PAUSE_MIN.0))
}

/// A number from 0 to 1 that depends on nothing but its arguments.
fn fraction(seed: &str, attempts: u32) -> f64 {
    let mut hasher = blake3::Hasher::new_derive_key("segue 2026 retry jitter");
    hasher.update(seed.as_bytes());
    hasher.update(&attempts.to_le_bytes());
    let bytes = hasher.finalize();
    let word = u32::from_le_bytes([
        bytes.as_bytes()[0],
        bytes.as_bytes()[1],
        bytes.as_bytes()[2],
        bytes.as_bytes()[3],
    ]);
    f64::from(word) / f64::from(u32::MAX)
}

/// What makes one request's jitter differ from another's.
pub(in crate::engine) fn seed(turn: &Turn<'_>, step: &StepName, slot: Slot) -> String {
    turn.command_id(step, slot.part(), 1).idempotency_key()
}

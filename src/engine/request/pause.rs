//! When a request is sent again.

use crate::definition::{Budget, Retry};
use crate::engine::Request;
use crate::engine::state::place::Place;
use crate::engine::work::turn::Turn;
use crate::message::{Part, Span, Timestamp};

/// The shortest pause: a request is never sent twice in one moment.
pub(in crate::engine) const PAUSE_MIN: Span = Span::millis(1);
/// Pauses after which they no longer grow.
const PAUSES_MAX: u32 = 1_000;

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
pub(in crate::engine) fn seed(turn: &Turn<'_>, place: &Place, part: Part) -> String {
    turn.command_id(&turn.name_at(place), part, 1).idempotency_key()
}

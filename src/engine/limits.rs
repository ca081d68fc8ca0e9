//! The engine's limits; each refuses in words.

use crate::message::Span;

/// The largest data of one generation, in bytes of JSON.
pub const DATA_BYTES_MAX: usize = 256 * 1024;
/// The largest body of one message that the engine makes, in bytes of JSON.
pub const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// The most starts that wait for one living generation.
pub const QUEUED_MAX: usize = 16;
/// The most generations of one instance that are remembered at once.
pub const GENERATIONS_MAX: usize = 64;
/// The most ids of cancels and acts that one generation remembers.
pub const SEEN_MAX: usize = 32;
/// The longest reason that is kept, in bytes.
pub const REASON_BYTES_MAX: usize = 1024;
/// How long `unknown: retry` keeps sending after its budget is spent.
pub const INSIST: Span = Span::hours(24);
/// The most events that one instance keeps for a start or a wait to come.
pub const EARLY_MAX: usize = 16;
/// The most keys of one lock step.
pub const LOCK_KEYS_MAX: usize = 16;
/// How long a lock without a time of its own may take to be had for a late undoing, before people
/// are told.
pub const LATE_CLAIM: Span = Span::hours(24);
/// The most claims that wait for one lock.
pub const CLAIMS_MAX: usize = 1_000;
/// How long a lock that nobody holds is remembered, so that its tokens grow.
pub const LOCK_KEPT: Span = Span::hours(7 * 24);

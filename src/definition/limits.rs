use crate::message::Span;

/// What the engine bears at most; it refuses more in words that name the limit. Reasons are cut,
/// and of ids the oldest is forgotten.
///
/// The same on every node of an application, for what is refused must not depend on where it is
/// decided. Bytes are those of JSON, roughly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest event that is taken: key, headers and body.
    pub event_bytes_max: usize,
    /// The largest data of one life.
    pub data_bytes_max: usize,
    /// The most that one instance remembers in all: its lives with their branches, and the events
    /// that wait. A record of the engine's topics holds four times as much.
    pub instance_bytes_max: usize,
    /// The largest message that the engine makes: key, headers and body.
    pub message_bytes_max: usize,
    /// The longest reason or question that is kept; the rest is cut off.
    pub reason_bytes_max: usize,
    /// The most starts that wait for one living instance (`again: queue`).
    pub queued_max: usize,
    /// The most events that one instance keeps for a start or a `wait` to come.
    pub early_max: usize,
    /// The most that these events take in all.
    pub early_bytes_max: usize,
    /// The most ids of cancels and acts that one life remembers, so that each is obeyed once.
    pub ids_max: usize,
    /// The most steps that wait for one lock.
    pub lock_waiting_max: usize,
    /// How long a lock without `within` may take to be had again for a late undoing, before people
    /// are told.
    pub lock_late: Span,
    /// How long a lock that nobody holds is remembered, so that its tokens grow.
    pub lock_kept: Span,
    /// How long `unknown: retry` keeps sending after its budget is spent.
    pub insist: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes_max: 1024 * 1024,
            data_bytes_max: 256 * 1024,
            instance_bytes_max: 4 * 1024 * 1024,
            message_bytes_max: 512 * 1024,
            reason_bytes_max: 1024,
            queued_max: 16,
            early_max: 1_000,
            early_bytes_max: 256 * 1024,
            ids_max: 32,
            lock_waiting_max: 1_000,
            lock_late: Span::hours(24),
            lock_kept: Span::hours(7 * 24),
            insist: Span::hours(24),
        }
    }
}

impl Limits {
    /// A reason, cut at its limit.
    #[must_use]
    pub fn cut(&self, reason: &str) -> String {
        if reason.len() <= self.reason_bytes_max {
            return reason.to_owned();
        }
        let is_end = |at: &usize| reason.is_char_boundary(*at);
        let end = (0..=self.reason_bytes_max).rev().find(is_end).unwrap_or(0);
        format!("{}…", &reason[..end])
    }
}

/// An amount of bytes as a refusal tells it.
#[must_use]
pub(crate) fn bytes(amount: usize) -> String {
    if amount.is_multiple_of(1024) {
        format!("{} KiB", amount / 1024)
    } else {
        format!("{amount} bytes")
    }
}

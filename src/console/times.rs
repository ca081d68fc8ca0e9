use askama::Template;
use askama::filters::HtmlSafe;

use crate::message::{Span, Timestamp};
use crate::node::MachineClock;
use crate::runtime::Clock as _;
use crate::status::Moment;

/// Now, by the clock of this machine.
pub(super) fn now() -> Timestamp {
    MachineClock::default().now()
}

/// A moment as a page shows it: in words from now, and exactly for those who point at it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(config = "src/console/askama.toml", path = "part/time.html")]
pub(super) struct Shown {
    /// RFC 3339, for programs and for those who point at it.
    pub exact: String,
    /// From now: `5 min ago`, `in 12 s`.
    pub words: String,
}

/// Its template escapes what has to be.
impl HtmlSafe for Shown {}

impl Shown {
    pub fn new(at: Moment, now: Timestamp) -> Self {
        Self { exact: at.to_string(), words: from_now(at.0, now) }
    }

    pub fn maybe(at: Option<Moment>, now: Timestamp) -> Option<Self> {
        at.map(|at| Self::new(at, now))
    }
}

/// How far a moment is from now.
pub(super) fn from_now(at: Timestamp, now: Timestamp) -> String {
    let (past, future) = (now.since(at), at.since(now));
    if future.0 > 0 {
        format!("in {}", rough(future))
    } else if past.0 < 1_000 {
        "now".to_owned()
    } else {
        format!("{} ago", rough(past))
    }
}

/// A length of time in one unit, as people say it.
pub(super) fn rough(span: Span) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    for (millis, unit) in UNITS {
        // Two of a unit say more than one of the next.
        if span.0 >= 2 * millis || (span.0 >= millis && unit == "s") {
            return format!("{} {unit}", span.0 / millis);
        }
    }
    format!("{} ms", span.0)
}

/// How long something took, to three digits.
pub(super) fn took(span: Span) -> String {
    match span.0 {
        0..1_000 => format!("{} ms", span.0),
        1_000..10_000 => format!("{}.{} s", span.0 / 1_000, span.0 % 1_000 / 100),
        10_000.. => rough(span),
    }
}

/// The time of day in UTC, to the second.
pub(super) fn of_day(at: Moment) -> String {
    let exact = at.to_string();
    exact.split_once('T').map_or_else(String::new, |(_, time)| time.chars().take(8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_from_now_in_one_unit() {
        let now = Timestamp(1_000_000_000);
        for (millis, words) in [
            (-1_000_000_000, "11 d ago"),
            (-86_400_000, "24 h ago"),
            (-119_000, "119 s ago"),
            (-120_000, "2 min ago"),
            (-1_000, "1 s ago"),
            (-999, "now"),
            (0, "now"),
            (1, "in 1 ms"),
            (90_000, "in 90 s"),
        ] {
            assert_eq!(from_now(Timestamp(now.0 + millis), now), words);
        }
        assert_eq!(from_now(Timestamp(i64::MIN), Timestamp(i64::MAX)), "106751991167 d ago");
    }

    #[test]
    fn how_long_something_took_has_three_digits_at_most() {
        for (millis, words) in [(7, "7 ms"), (1_049, "1.0 s"), (9_990, "9.9 s"), (61_000, "61 s")] {
            assert_eq!(took(Span(millis)), words);
        }
    }

    #[test]
    fn the_time_of_day_is_that_of_utc() {
        assert_eq!(of_day(Moment(Timestamp(1_785_000_000_123))), "17:20:00");
    }
}

//! Says in the log what people should know, a line for each, and folds what comes in floods.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ports::DeadLetter;
use super::settings::Observed;
use crate::engine::{Note, What};
use crate::message::Coordinate;

/// So many reasons are told apart; what is beyond is counted together.
const REASONS_MAX: usize = 20;
/// The longest reason that is shown, in characters.
const REASON_CHARS: usize = 300;

/// What is worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Stuck,
    DeadLetter,
    Asked,
    Extended,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Stuck, Self::DeadLetter, Self::Asked, Self::Extended];

    /// So many lines are written in so many seconds; what is beyond is counted by reason. After an
    /// outage many deadlines are extended for one and the same reason.
    fn lines_max(self) -> (u32, u64) {
        match self {
            Self::Stuck | Self::DeadLetter | Self::Asked => (10, 1),
            Self::Extended => (1, 10),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Stuck => "instance.stuck",
            Self::DeadLetter => "dead_letter.sent",
            Self::Asked => "question.asked",
            Self::Extended => "deadline.extended",
        }
    }
}

/// The lines of the present seconds.
#[derive(Debug, Default)]
pub(super) struct Notices {
    kinds: BTreeMap<Kind, Flood>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Flood {
    /// The second in which the first line was written.
    since: u64,
    written: u32,
    folded: BTreeMap<String, u64>,
}

impl Notices {
    /// Says what came of a committed transition, as far as a person should look at it.
    pub fn transition(&mut self, seen: &Observed, elapsed: Duration) {
        for note in &seen.notes {
            if let What::Stuck { reason } = &note.what {
                self.stuck(seen, note, reason, elapsed);
            } else if let What::Asked { who } = &note.what {
                self.asked(seen, note, who, elapsed);
            } else if let What::Extended { .. } = &note.what {
                self.extended(seen, note, elapsed);
            }
        }
    }

    fn stuck(&mut self, seen: &Observed, note: &Note, reason: &str, elapsed: Duration) {
        if !self.may_write(Kind::Stuck, reason, elapsed) {
            return;
        }
        let (saga, key, step) = (&seen.id.saga, &seen.id.key, Coordinate::text(note.step.as_ref()));
        let (reason, owed) = (shown(reason), &seen.owed);
        let kind = Kind::Stuck.text();
        tracing::warn!(%saga, %key, step, reason, owed, "{kind}: it waits for `segue act`");
    }

    fn asked(&mut self, seen: &Observed, note: &Note, who: &str, elapsed: Duration) {
        if self.may_write(Kind::Asked, who, elapsed) {
            let (saga, key) = (&seen.id.saga, &seen.id.key);
            let step = Coordinate::text(note.step.as_ref());
            let kind = Kind::Asked.text();
            tracing::info!(%saga, %key, step, who, "{kind}");
        }
    }

    fn extended(&mut self, seen: &Observed, note: &Note, elapsed: Duration) {
        if self.may_write(Kind::Extended, "the engine was away", elapsed) {
            let (saga, key) = (&seen.id.saga, &seen.id.key);
            let step = Coordinate::text(note.step.as_ref());
            let (reason, kind) = (note.what.to_string(), Kind::Extended.text());
            tracing::info!(%saga, %key, step, reason, "{kind}");
        }
    }

    /// Says that something could not be taken.
    pub fn dead_letter(&mut self, letter: &DeadLetter, elapsed: Duration) {
        if !self.may_write(Kind::DeadLetter, &letter.reason, elapsed) {
            return;
        }
        let origin = letter.origin.as_ref().map_or_else(String::new, |origin| {
            format!("{}[{}]@{}", origin.topic, origin.partition, origin.offset)
        });
        let instance = letter.instance.as_deref().unwrap_or_default();
        let (reason, kind) = (shown(&letter.reason), Kind::DeadLetter.text());
        tracing::warn!(reason, origin, instance, "{kind}");
    }

    /// Says what was folded in seconds that are over.
    pub fn tick(&mut self, elapsed: Duration) {
        for kind in Kind::ALL {
            let (_, seconds) = kind.lines_max();
            let is_over = |flood: &Flood| elapsed.as_secs() >= flood.since + seconds;
            if !self.kinds.get(&kind).is_some_and(is_over) {
                continue;
            }
            let flood = self.kinds.remove(&kind).unwrap_or_default();
            for (reason, times) in flood.folded {
                tracing::warn!(reason, times, "{}: and more of the same", kind.text());
            }
        }
    }

    /// Whether there is room for another line in this second; else it is counted by its reason.
    fn may_write(&mut self, kind: Kind, reason: &str, elapsed: Duration) -> bool {
        self.tick(elapsed);
        let fresh = Flood { since: elapsed.as_secs(), ..Flood::default() };
        let flood = self.kinds.entry(kind).or_insert(fresh);
        if flood.written < kind.lines_max().0 {
            flood.written += 1;
            return true;
        }
        let is_new = !flood.folded.contains_key(shown(reason));
        let many = is_new && flood.folded.len() >= REASONS_MAX;
        let reason = if many { "other reasons" } else { shown(reason) };
        *flood.folded.entry(reason.to_owned()).or_default() += 1;
        false
    }
}

/// As much of a reason as a line holds.
fn shown(reason: &str) -> &str {
    let end = reason.char_indices().nth(REASON_CHARS).map_or(reason.len(), |(at, _)| at);
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_second_are_written_and_the_rest_is_counted_by_reason() {
        let mut notices = Notices::default();
        let now = Duration::from_secs(5);
        let mut say = |reason: &str| notices.may_write(Kind::DeadLetter, reason, now);
        let written = (0..25).filter(|n| say(if n % 2 == 0 { "even" } else { "odd" })).count();
        assert_eq!(written, 10);
        let flood = notices.kinds.get(&Kind::DeadLetter).expect("it was said");
        let folded = [("even".to_owned(), 8), ("odd".to_owned(), 7)];
        assert_eq!(flood.folded, folded.into_iter().collect());
        assert!(notices.may_write(Kind::Stuck, "even", now), "another kind has lines of its own");
        assert!(notices.may_write(Kind::DeadLetter, "even", now + Duration::from_secs(1)));
    }

    #[test]
    fn many_reasons_are_counted_together() {
        let mut notices = Notices::default();
        for n in 0..100 {
            notices.may_write(Kind::Stuck, &format!("reason {n}"), Duration::ZERO);
        }
        let flood = notices.kinds.get(&Kind::Stuck).expect("it was said");
        assert_eq!(flood.folded.len(), REASONS_MAX + 1);
        assert_eq!(flood.folded["other reasons"], 70);
        assert_eq!(shown(&"é".repeat(400)).chars().count(), REASON_CHARS);
    }
}

use std::time::Instant;

use super::Freshness;
use super::throughput::Throughput;
use crate::message::Timestamp;
use crate::status::Moment;

/// How far the topics were read when that was last looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Reached {
    /// When the ends of the topics were last known, and when that was by a clock that nobody sets.
    pub heard: Option<(Timestamp, Instant)>,
    /// So many records were not read then.
    pub behind: u64,
    /// The time of the newest record that was read.
    pub newest: Option<Timestamp>,
    /// So many records could not be read and were passed over.
    pub unread: u64,
    /// Transitions that were written lately.
    pub throughput: Throughput,
    /// Whether everything was read that stood there at the beginning.
    pub is_whole: bool,
    /// Why it does not get on.
    pub trouble: Option<String>,
}

impl Reached {
    /// How fresh an answer is that is given now. What has come since the ends were last looked at
    /// is not known, so that time counts; while something is known to be missing, the time since
    /// the newest record that is there counts.
    pub fn freshness(&self, (now, instant): (Timestamp, Instant)) -> Freshness {
        let newest = self.newest.filter(|_| self.behind > 0);
        let since_newest = newest.map_or(0, |newest| now.since(newest).0);
        let behind_ms = self.heard.map(|(_, heard)| {
            let since = instant.saturating_duration_since(heard).as_millis();
            u64::try_from(since).unwrap_or(u64::MAX).max(since_newest)
        });
        Freshness {
            behind_records: self.behind,
            behind_ms,
            heard: self.heard.map(|(heard, _)| Moment(heard)),
            unread_records: self.unread,
            is_whole: self.is_whole,
            trouble: self.trouble.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// A topic was heard of at that time, and it is asked 200 ms later, when the clock says so.
    fn asked(reached: &Reached, heard: i64, clock: i64) -> Freshness {
        let then = Instant::now();
        let reached = Reached { heard: Some((at(heard), then)), ..reached.clone() };
        reached.freshness((at(clock), then + Duration::from_millis(200)))
    }

    #[test]
    fn at_the_end_only_what_came_since_the_last_look_may_be_missing() {
        let reached = Reached { newest: Some(at(5)), ..Reached::default() };
        assert_eq!(asked(&reached, 1_000, 1_200).behind_ms, Some(200));
    }

    #[test]
    fn behind_the_end_everything_since_the_newest_record_may_be_missing() {
        let reached = Reached { newest: Some(at(400)), behind: 3, ..Reached::default() };
        let fresh = asked(&reached, 1_000, 1_200);
        assert_eq!((fresh.behind_records, fresh.behind_ms), (3, Some(800)));
    }

    #[test]
    fn a_clock_that_somebody_sets_makes_no_answer_older_or_fresher() {
        for clock in [0, 1_000, 1_200, 90_000_000] {
            let fresh = asked(&Reached::default(), 1_000, clock);
            assert_eq!((fresh.behind_ms, fresh.heard), (Some(200), Some(Moment(at(1_000)))));
        }
    }

    #[test]
    fn before_the_cluster_was_heard_of_everything_may_be_missing() {
        let fresh = Reached::default().freshness((at(1), Instant::now()));
        assert_eq!((fresh.behind_ms, fresh.heard, fresh.is_whole), (None, None, false));
    }
}

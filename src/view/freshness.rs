use super::Freshness;
use crate::message::Timestamp;
use crate::status::Moment;

/// How far the topics were read when that was last looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Reached {
    /// When the ends of the topics were last known.
    pub heard: Option<Timestamp>,
    /// So many records were not read then.
    pub behind: u64,
    /// The time of the newest record that was read.
    pub newest: Option<Timestamp>,
    /// Whether everything was read that stood there at the beginning.
    pub is_whole: bool,
    /// Why it does not get on.
    pub trouble: Option<String>,
}

impl Reached {
    /// How fresh an answer is that is given now. What has come since the ends were last looked at
    /// is not known, so that time counts; while something is known to be missing, the time since
    /// the newest record that is there counts.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        let since = |earlier: Option<Timestamp>| earlier.map(|earlier| now.since(earlier).0);
        let since_newest = since(self.newest).filter(|_| self.behind > 0);
        let behind_ms = since(self.heard).map(|heard| heard.max(since_newest.unwrap_or(0)));
        Freshness {
            behind_records: self.behind,
            behind_ms,
            heard: self.heard.map(Moment),
            is_whole: self.is_whole,
            trouble: self.trouble.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    #[test]
    fn at_the_end_only_what_came_since_the_last_look_may_be_missing() {
        let reached = Reached { heard: Some(at(1_000)), newest: Some(at(5)), ..Reached::default() };
        assert_eq!(reached.freshness(at(1_200)).behind_ms, Some(200));
    }

    #[test]
    fn behind_the_end_everything_since_the_newest_record_may_be_missing() {
        let (heard, newest) = (Some(at(1_000)), Some(at(400)));
        let reached = Reached { heard, newest, behind: 3, ..Reached::default() };
        let fresh = reached.freshness(at(1_200));
        assert_eq!((fresh.behind_records, fresh.behind_ms), (3, Some(800)));
    }

    #[test]
    fn before_the_cluster_was_heard_of_everything_may_be_missing() {
        let fresh = Reached::default().freshness(at(1));
        assert_eq!((fresh.behind_ms, fresh.heard, fresh.is_whole), (None, None, false));
    }
}

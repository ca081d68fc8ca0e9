use std::collections::BTreeMap;
use std::time::Duration;

use crate::message::Timestamp;

/// How long the group's offset may stand still in front of a target before it is looked whether
/// anything is left to be read: markers of transactions take offsets too.
const STILL_MIN: Duration = Duration::from_millis(200);
/// How long a partition may hold timers although no gateway makes headway in it.
pub(super) const STALL_MAX: Duration = Duration::from_secs(120);

/// How far one topic is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// What the topic held at this moment was passed on.
    pub until: Timestamp,
    /// What is being waited for.
    pub target: Option<Target>,
    /// The partitions in which no gateway makes headway: timers do not wait for them, as long as
    /// they stand where they stood.
    pub stalled: BTreeMap<i32, Part>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { until: Timestamp(i64::MIN), target: None, stalled: BTreeMap::new() }
    }
}

/// Where a topic ended at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub at: Timestamp,
    pub partitions: BTreeMap<i32, Part>,
}

/// One partition of a target that is not reached yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it ended, for a reader of committed records.
    pub end: i64,
    /// The group's offset when it last moved.
    pub committed: i64,
    /// How long it has stood there.
    pub still: Duration,
    /// Up to where there is nothing to be read behind `committed`.
    pub clear: i64,
}

/// What is to be asked about a partition next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether a reader finds anything from this offset on.
    Readable(i64),
}

/// What the cluster says about a partition: where it begins and ends, and where the group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub committed: Option<i64>,
}

impl Target {
    /// A target of partitions that end there; an empty partition is reached. One that is known to
    /// be stalled still is.
    pub fn new(at: Timestamp, ends: &BTreeMap<i32, i64>, stalled: &BTreeMap<i32, Part>) -> Self {
        let mut partitions = BTreeMap::new();
        for (partition, end) in ends.iter().filter(|(_, end)| **end > 0) {
            let part = match stalled.get(partition) {
                Some(part) => Part { end: *end, ..part.clone() },
                None => Part { end: *end, committed: -1, still: Duration::ZERO, clear: -1 },
            };
            partitions.insert(*partition, part);
        }
        Self { at, partitions }
    }

    /// Takes over where the group is, `passed` after the look before; drops what is reached.
    pub fn advance(&mut self, found: &BTreeMap<i32, Found>, passed: Duration) {
        self.partitions.retain(|partition, part| {
            let committed = found.get(partition).and_then(|found| found.committed).unwrap_or(0);
            if committed == part.committed {
                part.still += passed;
            } else {
                (part.committed, part.still) = (committed, Duration::ZERO);
            }
            committed.max(part.clear) < part.end
        });
    }

    /// What to ask about the partitions that stand still.
    pub fn questions(&self) -> Vec<(i32, Question)> {
        let mut questions = Vec::new();
        for (partition, part) in &self.partitions {
            // Asked once when it stands still, and rarely after that.
            if part.still >= STILL_MIN && part.clear < part.committed {
                let from = part.committed.max(0);
                questions.push((*partition, Question::Readable(from)));
            }
        }
        questions
    }

    /// Takes an answer: there is nothing to be read from the group's offset up to `clear`.
    pub fn answer(&mut self, partition: i32, clear: i64) {
        if let Some(part) = self.partitions.get_mut(&partition) {
            part.clear = clear.max(part.committed);
            if part.clear >= part.end {
                self.partitions.remove(&partition);
            }
        }
    }

    /// Whether nothing is left to wait for but partitions in which no gateway has made headway
    /// for too long.
    pub fn is_reached(&self) -> bool {
        self.partitions.values().all(|part| part.still >= STALL_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_millis(20);

    fn at(offsets: &[(i32, Option<i64>)]) -> BTreeMap<i32, Found> {
        offsets.iter().map(|(p, committed)| (*p, Found { committed: *committed })).collect()
    }

    fn target(ends: &[(i32, i64)]) -> Target {
        Target::new(Timestamp(5), &ends.iter().copied().collect(), &BTreeMap::new())
    }

    #[test]
    fn a_target_is_reached_when_every_partition_is() {
        let mut target = target(&[(0, 4), (1, 0), (2, 9)]);
        target.advance(&at(&[(0, Some(4)), (2, Some(8))]), LOOK);
        assert_eq!(target.partitions.keys().copied().collect::<Vec<_>>(), [2]);
        target.advance(&at(&[(2, Some(11))]), LOOK);
        assert!(target.partitions.is_empty());
    }

    #[test]
    fn what_was_never_committed_is_not_read() {
        let mut target = target(&[(0, 4)]);
        target.advance(&at(&[(0, None)]), LOOK);
        target.advance(&at(&[(0, None)]), STILL_MIN);
        assert_eq!(target.questions(), [(0, Question::Readable(0))]);
    }

    #[test]
    fn markers_at_the_end_are_asked_about_once_it_stands_still() {
        let mut target = target(&[(0, 4)]);
        target.advance(&at(&[(0, Some(2))]), LOOK);
        assert_eq!(target.questions(), []);
        target.advance(&at(&[(0, Some(3))]), STILL_MIN);
        assert_eq!(target.questions(), [], "it moved");
        target.advance(&at(&[(0, Some(3))]), STILL_MIN);
        assert_eq!(target.questions(), [(0, Question::Readable(3))]);
        target.answer(0, 3);
        assert_eq!(target.questions(), [], "a record lies there, and a gateway will read it");
        target.advance(&at(&[(0, Some(3))]), STALL_MAX);
        assert!(target.is_reached(), "timers do not wait for ever");
        target.answer(0, 4);
        assert!(target.partitions.is_empty());
    }

    #[test]
    fn a_partition_that_stands_still_is_waited_for_again_once_it_moves() {
        let ends = BTreeMap::from([(0, 4)]);
        let stands = Part { end: 3, committed: 1, still: STALL_MAX, clear: 1 };
        let stalled = BTreeMap::from([(0, stands)]);
        let mut target = Target::new(Timestamp(5), &ends, &stalled);
        target.advance(&at(&[(0, Some(1))]), LOOK);
        assert!(target.is_reached());
        target.advance(&at(&[(0, Some(2))]), LOOK);
        assert!(!target.is_reached());
    }
}

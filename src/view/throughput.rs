use std::collections::BTreeMap;

use crate::message::Timestamp;

/// So many seconds are looked at.
const SECONDS: i64 = 60;

/// Transitions by the second in which they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Throughput(BTreeMap<i64, u64>);

impl Throughput {
    /// A transition was written at that time; one of long ago, as they are read when an index is
    /// made, does not count, nor one of a clock that is far ahead.
    pub fn add(&mut self, at: Timestamp, now: Timestamp) {
        let (second, current) = (second(at), second(now));
        if (second - current).abs() < SECONDS {
            *self.0.entry(second).or_default() += 1;
        }
        while let Some(oldest) = self.0.first_entry()
            && *oldest.key() <= current - SECONDS
        {
            oldest.remove();
        }
    }

    /// How many there were in the last minute.
    pub fn last_minute(&self, now: Timestamp) -> u64 {
        let current = second(now);
        self.0.range(current - SECONDS + 1..=current).map(|(_, count)| count).sum()
    }
}

fn second(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_in_the_last_minute_counts_and_nothing_else_is_kept() {
        let at = |seconds: i64| Timestamp(seconds * 1_000);
        let mut throughput = Throughput::default();
        for seconds in [1, 100, 100, 130, 159] {
            throughput.add(at(seconds), at(seconds));
        }
        assert_eq!(throughput.last_minute(at(159)), 4, "that of the second 1 is too old");
        assert_eq!(throughput.last_minute(at(160)), 2);
        assert_eq!(throughput.last_minute(at(500)), 0);
        throughput.add(at(30), at(160));
        throughput.add(at(9_000), at(160));
        assert_eq!(throughput.last_minute(at(160)), 2, "neither is of the last minute");
        throughput.add(at(165), at(160));
        assert_eq!(throughput.last_minute(at(160)), 2, "a clock is a little ahead");
        assert_eq!(throughput.last_minute(at(165)), 3);
        assert_eq!(throughput.0.len(), 3);
    }
}

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::Entry;
use crate::message::Offset;

/// How far somebody has read along: the place of the next entry in each partition of the history.
///
/// Its text, `0-17_1-33`, goes into each event that is told, so that whoever lost the connection
/// says where to go on, and nothing has to be remembered of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position(BTreeMap<i32, Offset>);

/// The most partitions of a position that somebody names.
const PARTITIONS_MAX: usize = 10_000;

impl Position {
    /// This entry was told.
    pub fn pass(&mut self, entry: &Entry) {
        self.reach(entry.stored.partition, Offset(entry.stored.offset).next());
    }

    /// A partition was read to there.
    pub(super) fn reach(&mut self, partition: i32, next: Offset) {
        let place = self.0.entry(partition).or_insert(next);
        *place = (*place).max(next);
    }

    /// The place of the next entry of a partition, if it is known.
    pub(super) fn of(&self, partition: i32) -> Option<Offset> {
        self.0.get(&partition).copied()
    }

    /// Every partition with the place of its next entry.
    pub(super) fn places(&self) -> impl Iterator<Item = (i32, Offset)> + '_ {
        self.0.iter().map(|(partition, next)| (*partition, *next))
    }

    /// How many places this is before another position, in the partitions that both know.
    #[must_use]
    pub fn distance_to(&self, later: &Self) -> u64 {
        let rest = |(partition, next): (i32, Offset)| {
            let from = self.of(partition).unwrap_or(next);
            u64::try_from(next.0.saturating_sub(from.0)).unwrap_or_default()
        };
        later.places().map(rest).fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (partition, next)) in self.places().enumerate() {
            let gap = if number == 0 { "" } else { "_" };
            write!(f, "{gap}{partition}-{next}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut position = Self::default();
        for (number, part) in text.split('_').enumerate() {
            let numbers = part.split_once('-').and_then(|(partition, next)| {
                Some((partition.parse().ok()?, next.parse::<i64>().ok()?))
            });
            match numbers {
                Some((partition, next))
                    if partition >= 0 && next >= 0 && number < PARTITIONS_MAX =>
                {
                    position.reach(partition, Offset(next));
                }
                Some(_) | None => {
                    return Err(format!("`{text}` is not the id of an event of this stream"));
                }
            }
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_is_told() {
        for text in ["0-0", "0-17_1-33", "2-9223372036854775807"] {
            assert_eq!(text.parse::<Position>().map(|it| it.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "0", "0-", "-1-5", "0--5", "0-1_", "0/1", "a-1", "0-1,1-1"] {
            let words = format!("`{text}` is not the id of an event of this stream");
            assert_eq!(text.parse::<Position>(), Err(words));
        }
    }

    #[test]
    fn a_position_is_so_far_before_another_as_there_are_places_between() {
        let read = |text: &str| text.parse::<Position>().expect("a position");
        assert_eq!(read("0-5_1-7").distance_to(&read("0-9_1-7")), 4);
        assert_eq!(read("0-5").distance_to(&read("0-6_1-900")), 1, "1 is new to both");
        assert_eq!(read("0-9").distance_to(&read("0-5")), 0);
    }
}

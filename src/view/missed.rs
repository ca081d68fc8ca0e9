use std::time::Duration;

use super::shared::Shared;
use super::{Entry, Error, Position, history};
use crate::broker::{Follower, Places};
use crate::message::{EngineTopics, Offset};

const POLL_WAIT: Duration = Duration::from_millis(50);
const POLLED_MAX: usize = 500;

/// Entries of the history that were told while somebody was away, read back from Kafka.
pub struct Missed {
    follower: Follower,
    topics: EngineTopics,
    until: Position,
    lost: u64,
}

impl Missed {
    /// Begins to read what stands between two positions; a partition that `since` does not know
    /// is new, and nothing of it is missed.
    pub(super) fn open(shared: &Shared, since: &Position, until: Position) -> Result<Self, Error> {
        let topic = &shared.topics.history;
        let mut from = Places::new();
        for (partition, end) in until.places() {
            from.insert((topic.clone(), partition), since.of(partition).unwrap_or(end));
        }
        let client = format!("{}.view", shared.settings.app);
        let topics = std::slice::from_ref(topic);
        let follower = Follower::open(&shared.settings.connection, &client, topics, &from)?;
        let lost = from.iter().map(|(place, wanted)| {
            let low = follower.lows().get(place).copied().unwrap_or(*wanted);
            u64::try_from(low.0.saturating_sub(wanted.0)).unwrap_or_default()
        });
        let lost = lost.sum();
        Ok(Self { follower, topics: shared.topics.clone(), until, lost })
    }

    /// How many places of the history are not kept any more.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Some of them, in the order of each partition; none when all were told. There may be nothing
    /// in the meantime.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn read_on(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        if self.is_over()? {
            return Ok(None);
        }
        let mut records = self.follower.poll(POLL_WAIT, POLLED_MAX)?;
        records.retain(|record| {
            let end = self.until.of(record.origin.partition);
            end.is_some_and(|end| record.origin.offset < end)
        });
        let mut entries = Vec::new();
        for record in &records {
            match history::entry(record, &self.topics) {
                Ok(entry) => entries.push(entry),
                // Who was away is told all others, as those are who read along.
                Err(error) => tracing::warn!(%error, "view.entry_unread"),
            }
        }
        Ok(Some(entries))
    }

    fn is_over(&self) -> Result<bool, Error> {
        let positions = self.follower.positions()?;
        let topic = &self.topics.history;
        Ok(self.until.places().all(|(partition, end): (i32, Offset)| {
            positions.get(&(topic.clone(), partition)).is_none_or(|at| *at >= end)
        }))
    }
}

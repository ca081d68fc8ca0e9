use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::assign::{assign, unassign};
use super::committer::UnderWay;
use super::connection::{pass_on, report};

/// A partition of a topic.
pub(super) type Partition = (String, i32);

/// What the group gave to this consumer and took from it.
///
/// The callback accepts an assignment with an empty list: nothing is fetched until its partitions
/// are added with their start offsets, so no record is read from a wrong place and no pause has to
/// race with a seek.
#[derive(Debug, Default)]
pub(super) struct Assignments {
    state: Mutex<State>,
    /// The commit whose end a partition waits for before it is given up, and for how long.
    commits: Arc<UnderWay>,
    patience: Duration,
}

/// The part without a cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Ours, whether fetched or not.
    owned: BTreeSet<Partition>,
    /// Ours and fetched.
    started: BTreeSet<Partition>,
    /// Not yet told.
    revoked: BTreeSet<Partition>,
    /// Not yet told.
    assigned: BTreeSet<Partition>,
    /// What went wrong in a callback.
    failure: Option<KafkaError>,
}

/// What has changed since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub revoked: BTreeSet<Partition>,
    pub assigned: BTreeSet<Partition>,
}

impl Assignments {
    /// Gives no partition up while a commit is under way, which would then be refused.
    pub(super) fn behind(commits: Arc<UnderWay>, patience: Duration) -> Self {
        Self { state: Mutex::default(), commits, patience }
    }

    /// Takes what has changed.
    ///
    /// # Errors
    /// When a callback failed.
    pub(super) fn changes(&self) -> Result<Changes, KafkaError> {
        let mut state = self.state();
        match state.failure.take() {
            Some(error) => Err(error),
            None => Ok(Changes {
                revoked: std::mem::take(&mut state.revoked),
                assigned: std::mem::take(&mut state.assigned),
            }),
        }
    }

    /// Whether there is something to take.
    pub(super) fn are_changed(&self) -> bool {
        let state = self.state();
        !state.revoked.is_empty() || !state.assigned.is_empty() || state.failure.is_some()
    }

    /// Marks a partition as fetched; answers whether it is ours and was not fetched before.
    pub(super) fn start(&self, partition: &Partition) -> bool {
        let mut state = self.state();
        state.owned.contains(partition) && state.started.insert(partition.clone())
    }

    /// Whether a partition is ours.
    pub(super) fn own(&self, partition: &Partition) -> bool {
        self.state().owned.contains(partition)
    }

    /// Every partition that is ours.
    pub(super) fn owned(&self) -> BTreeSet<Partition> {
        self.state().owned.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn assign(&mut self, partitions: BTreeSet<Partition>) {
        for partition in partitions {
            if self.owned.insert(partition.clone()) {
                self.assigned.insert(partition);
            }
        }
    }

    fn revoke(&mut self, partitions: BTreeSet<Partition>) {
        for partition in partitions {
            self.started.remove(&partition);
            let untold = self.assigned.remove(&partition);
            if self.owned.remove(&partition) && !untold {
                self.revoked.insert(partition);
            }
        }
    }
}

impl ClientContext for Assignments {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        pass_on(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl ConsumerContext for Assignments {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let named = named(partitions);
        tracing::debug!(partitions = ?named, event = ?event, "partitions rebalanced");
        self.commits.move_shards();
        let done = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.state().assign(named);
                assign(consumer, &TopicPartitionList::new())
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                self.commits.wait(self.patience);
                self.state().revoke(named);
                unassign(consumer)
            }
            other => Err(KafkaError::Rebalance(other.into())),
        };
        if let Err(error) = done {
            self.state().failure = Some(error);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        match result {
            Ok(()) => tracing::trace!(partitions = offsets.count(), "offsets committed"),
            Err(error) => tracing::warn!(%error, "offsets not committed"),
        }
    }
}

fn named(partitions: &TopicPartitionList) -> BTreeSet<Partition> {
    partitions.elements().iter().map(|e| (e.topic().to_owned(), e.partition())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(partitions: &[i32]) -> BTreeSet<Partition> {
        partitions.iter().map(|p| ("inbox".to_owned(), *p)).collect()
    }

    fn taken(assignments: &Assignments) -> (BTreeSet<Partition>, BTreeSet<Partition>) {
        let changes = assignments.changes().expect("no failure");
        (changes.revoked, changes.assigned)
    }

    #[test]
    fn an_assignment_is_told_once() {
        let assignments = Assignments::default();
        assignments.state().assign(set(&[0, 1]));
        assert_eq!(taken(&assignments), (set(&[]), set(&[0, 1])));
        assignments.state().assign(set(&[1]));
        assert_eq!(taken(&assignments), (set(&[]), set(&[])));
    }

    #[test]
    fn a_partition_is_started_once_while_it_is_ours() {
        let assignments = Assignments::default();
        assignments.state().assign(set(&[0, 1]));
        assert!(assignments.start(&("inbox".to_owned(), 0)));
        assert!(!assignments.start(&("inbox".to_owned(), 0)), "it is fetched already");
        assert!(!assignments.start(&("inbox".to_owned(), 7)), "it is not ours");
        assignments.state().revoke(set(&[0, 1]));
        assert!(!assignments.start(&("inbox".to_owned(), 0)), "it is not ours any more");
        assignments.state().assign(set(&[0]));
        assert!(assignments.start(&("inbox".to_owned(), 0)), "it is ours again");
    }

    #[test]
    fn an_assignment_that_was_never_told_is_not_revoked() {
        let assignments = Assignments::default();
        assignments.state().assign(set(&[0]));
        assignments.state().revoke(set(&[0]));
        assert_eq!(taken(&assignments), (set(&[]), set(&[])));
    }

    #[test]
    fn a_partition_that_went_and_came_back_is_told_both_ways() {
        let assignments = Assignments::default();
        assignments.state().assign(set(&[0]));
        taken(&assignments);
        assignments.state().revoke(set(&[0]));
        assignments.state().assign(set(&[0]));
        assert_eq!(taken(&assignments), (set(&[0]), set(&[0])));
    }
}

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::assign::assign;
use super::assignments::{Assignments, Partition};
use super::closing::close_within;
use super::committer::UnderWay;
use super::faults::{lost, passing, unread};
use super::membership::Membership;
use super::poll::drain;
use super::reader::partitions;
use super::record::{partition, shard, timestamp};
use super::retry::insist;
use super::rivals::{claim, judge};
use super::{Connection, Error, native};
use crate::message::{Offset, Shard, Topic};
use crate::runtime::{InboxRecord, Lost, Polled};

/// How long the client takes to ask for the next round after shards were taken away.
const JOIN_WAIT: Duration = Duration::from_millis(300);
/// How long it is waited for the end of a member; without trouble that takes some 100 ms.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// The membership in the owners' group: which shards are ours, and their inbox.
pub(super) struct Inbox {
    /// There until the end.
    consumer: Option<BaseConsumer<Assignments>>,
    connection: Connection,
    membership: Membership,
    topic: Topic,
    /// The next record of each shard that is read.
    expected: BTreeMap<Shard, Offset>,
    /// When shards were last taken away.
    revoked: Option<Instant>,
}

impl Inbox {
    pub(super) fn join(
        connection: &Connection,
        membership: &Membership,
        topic: &Topic,
        commits: Arc<UnderWay>,
    ) -> Result<Self, Error> {
        claim(connection, membership)?;
        let group = format!("{}.owner", membership.app);
        let config = connection.static_member(&membership.client(), &group, membership)?;
        let context = Assignments::behind(commits, membership.transaction);
        let consumer = BaseConsumer::from_config_and_context(&config, context);
        let consumer: BaseConsumer<Assignments> =
            consumer.map_err(|e| Error::Client(e.to_string()))?;
        partitions(connection, &consumer, topic)?;
        let subscribed = consumer.subscribe(&[topic.as_str()]);
        subscribed.map_err(|e| connection.unanswered("subscribing to the inbox", &e))?;
        let (connection, membership) = (connection.clone(), membership.clone());
        let (topic, expected) = (topic.clone(), BTreeMap::new());
        let consumer = Some(consumer);
        Ok(Self { consumer, connection, membership, topic, expected, revoked: None })
    }

    fn consumer(&self) -> &BaseConsumer<Assignments> {
        self.consumer.as_ref().expect("it is there until the end")
    }

    pub(super) fn poll(&mut self, wait: Duration, max: usize) -> Result<Polled, Lost> {
        let mut polled = Polled::default();
        let consumer = self.consumer.as_ref().expect("it is there until the end");
        let expected = &mut self.expected;
        let drained = drain(
            consumer,
            wait,
            max,
            || consumer.context().are_changed(),
            |record| {
                let shard = shard(record.partition());
                let offset = Offset(record.offset());
                if expected.get(&shard).is_some_and(|next| offset >= *next) {
                    expected.insert(shard, offset.next());
                    let value = record.payload().map(Bytes::copy_from_slice).unwrap_or_default();
                    let timestamp = timestamp(record);
                    polled.records.push(InboxRecord { shard, offset, timestamp, value });
                }
                Ok::<_, KafkaError>(())
            },
        );
        drained.map_err(|error| self.unreadable(&error))?;
        let changes = self.consumer().context().changes();
        let changes = changes.map_err(|e| lost("rebalancing the shards", &e))?;
        polled.revoked = changes.revoked.iter().map(|(_, p)| shard(*p)).collect();
        polled.assigned = changes.assigned.iter().map(|(_, p)| shard(*p)).collect();
        if !polled.revoked.is_empty() {
            self.revoked = Some(Instant::now());
        }
        for gone in &polled.revoked {
            self.expected.remove(gone);
        }
        polled.records.retain(|record| !polled.revoked.contains(&record.shard));
        Ok(polled)
    }

    pub(super) fn resume(&mut self, positions: &BTreeMap<Shard, Offset>) -> Result<(), Lost> {
        let mut list = TopicPartitionList::new();
        for (shard, offset) in positions {
            let partition = self.partition(*shard);
            if !self.consumer().context().start(&partition) {
                return Err(passing(format!("shard {shard} is not ours to start")));
            }
            list.add_partition_offset(&partition.0, partition.1, Place::Offset(offset.0))
                .map_err(|e| lost("starting a shard", &e))?;
        }
        assign(self.consumer(), &list).map_err(|e| lost("starting the shards", &e))?;
        self.expected.extend(positions);
        Ok(())
    }

    /// What fences a transaction by our place in the group, read afresh (R6).
    pub(super) fn generation(&self) -> Result<ConsumerGroupMetadata, Lost> {
        if self.is_fenced() {
            return Err(self.judge_fence());
        }
        let absent = || passing("this node is no member of the owners' group now".to_owned());
        // The metadata hides its generation: equal ones before and after are its own.
        let before = native::generation(self.consumer()).ok_or_else(absent)?;
        let metadata = self.consumer().group_metadata().ok_or_else(absent)?;
        let after = native::generation(self.consumer()).ok_or_else(absent)?;
        if before != after || self.consumer().assignment_lost() {
            return Err(absent());
        }
        Ok(metadata)
    }

    /// Inbox positions in the client's form.
    ///
    /// # Errors
    /// When one of the shards is not ours.
    pub(super) fn offsets<'a>(
        &self,
        positions: impl Iterator<Item = (&'a Shard, Offset)>,
    ) -> Result<TopicPartitionList, Lost> {
        let mut list = TopicPartitionList::new();
        for (shard, offset) in positions {
            let partition = self.partition(*shard);
            if !self.consumer().context().own(&partition) {
                return Err(passing(format!("shard {shard} is not ours to commit")));
            }
            list.add_partition_offset(&partition.0, partition.1, Place::Offset(offset.0))
                .map_err(|e| lost("naming the inbox positions", &e))?;
        }
        Ok(list)
    }

    pub(super) fn commit(&self, offsets: &TopicPartitionList) -> Result<(), Lost> {
        let committed = self.consumer().commit(offsets, CommitMode::Async);
        committed.map_err(|e| lost("committing inbox positions", &e))
    }

    /// What it means if our place in the group is taken; none if it is not. The client hears of it
    /// with its next heartbeat, so this waits for two of them.
    pub(super) fn fence(&self) -> Option<Lost> {
        let until = Instant::now() + 2 * self.membership.heartbeat();
        while !self.is_fenced() {
            if Instant::now() >= until {
                return None;
            }
            drop(self.consumer().poll(Duration::from_millis(20)));
        }
        Some(self.judge_fence())
    }

    fn is_fenced(&self) -> bool {
        let fatal = self.consumer().client().fatal_error();
        matches!(fatal, Some((RDKafkaErrorCode::FencedInstanceId, _)))
    }

    fn judge_fence(&self) -> Lost {
        judge(&self.connection, &self.membership)
    }

    /// Gives up what the group takes away, and joins again as it asks for.
    ///
    /// Waits until the group's coordinator answers, by asking it where the group is in a topic that
    /// the group never commits to: no open transaction can withhold that answer.
    ///
    /// A producer asks once which broker the coordinator is. If it is told one that has just died,
    /// it waits for that broker's return (librdkafka #5511); this client asks again and again.
    pub(super) fn await_coordinator(&self, uncommitted: &Topic) -> Result<(), Lost> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(uncommitted.as_str(), 0);
        let found = insist(|wait| self.consumer().committed_offsets(asked.clone(), wait));
        found.map(drop).map_err(|e| unread("asking the coordinator of the owners' group", &e))
    }

    /// A member that goes before would leave shards without an owner: its successor of the same
    /// name joins a group that rests, and nobody asks for the round that gives them to others.
    pub(super) fn follow(&self) {
        let until = Instant::now() + 2 * self.membership.heartbeat();
        while !self.consumer().context().are_changed() && Instant::now() < until {
            drop(self.consumer().poll(Duration::from_millis(20)));
        }
        self.serve(JOIN_WAIT);
    }

    fn serve(&self, wait: Duration) {
        let until = Instant::now() + wait;
        while Instant::now() < until {
            drop(self.consumer().poll(Duration::from_millis(20)));
        }
    }

    fn unreadable(&self, error: &KafkaError) -> Lost {
        let code = error.rdkafka_error_code();
        if self.is_fenced() {
            return self.judge_fence();
        }
        if code == Some(RDKafkaErrorCode::AutoOffsetReset) {
            let places: Vec<String> =
                self.expected.iter().map(|(s, o)| format!("shard {s} at {o}")).collect();
            let reason = format!(
                "a position is not in {topic} any more ({places}): the topic was made anew or \
                 its records were deleted before they were read; restore the topic, or start \
                 the application under a new name",
                topic = self.topic,
                places = places.join(", "),
            );
            return Lost { reason, fatal: true };
        }
        unread("reading the inbox", error)
    }

    fn partition(&self, shard: Shard) -> Partition {
        (self.topic.as_str().to_owned(), partition(shard))
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        if let Some(at) = self.revoked {
            self.serve(JOIN_WAIT.saturating_sub(at.elapsed()));
        }
        // While the group's coordinator is away the client may take a minute for it; a successor of
        // the same name takes its place in the group.
        if let Some(consumer) = self.consumer.take() {
            close_within(consumer, CLOSED_WITHIN);
        }
    }
}

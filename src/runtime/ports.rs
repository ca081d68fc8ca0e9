use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;

use super::acceptance::{Acceptance, Accepted};
use crate::engine::{Call, Called};
use crate::message::{
    Headers, Incarnation, Offset, Origin, Outgoing, Shard, Timestamp, Topic, Traced,
};

/// The pipeline lost its footing: what it holds in memory may not be what is committed.
///
/// The only cure is R7: drop everything, build a new pipeline, restore.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Lost {
    /// Why, in words.
    pub reason: String,
    /// Whether a new pipeline has no better chance (another process took the name, the
    /// configuration is wrong): end the process instead.
    pub fatal: bool,
}

/// A pipeline's connection to its inbox, its changelog and the users' topics.
///
/// A batch is committed whole or the pipeline is lost.
pub trait Broker {
    /// Reads the changelog of one shard.
    type Reader: ChangelogReader;

    /// What there is, at most `records_max` inbox records, waiting at most `wait` for the first.
    ///
    /// # Errors
    /// When the connection cannot be trusted any more.
    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Polled, Lost>;

    /// Starts reading the inbox of newly assigned shards, each from its position.
    ///
    /// # Errors
    /// When the assignment is no longer ours.
    fn resume(&mut self, positions: &BTreeMap<Shard, Offset>) -> Result<(), Lost>;

    /// Reads the changelog of a shard from an offset to its end as of now (R3: the end is the
    /// high watermark read uncommitted, the data is read committed).
    ///
    /// # Errors
    /// When the broker does not answer.
    fn changelog(&mut self, shard: Shard, from: Offset) -> Result<Self::Reader, Lost>;

    /// Up to which moment of this node's clock everything that these users' topics held stands in
    /// the inbox, whichever node's gateway read it. `wanted` is the moment that is needed, not
    /// later than now; what is not known yet is found out meanwhile, so this never waits.
    fn read_up_to(&mut self, topics: &BTreeSet<Topic>, wanted: Timestamp) -> ReadUpTo;

    /// Begins to commit a batch: all its messages and inbox positions, or nothing. One at most is
    /// under way.
    ///
    /// # Errors
    /// When it cannot be committed.
    fn begin(&mut self, batch: Batch) -> Result<(), Lost>;

    /// Whether the commit under way ends within `wait`: [`Broker::conclude`] would not wait then.
    fn is_concluded(&mut self, wait: Duration) -> bool;

    /// Waits for the end of the commit under way. Answers the changelog offset behind the batch
    /// for each shard in it.
    ///
    /// # Errors
    /// When it is not certain that the whole batch is committed.
    fn conclude(&mut self) -> Result<BTreeMap<Shard, Offset>, Lost>;

    /// Commits a batch and waits for its end.
    ///
    /// # Errors
    /// When it is not certain that the whole batch is committed.
    fn commit(&mut self, batch: Batch) -> Result<BTreeMap<Shard, Offset>, Lost> {
        self.begin(batch)?;
        self.conclude()
    }
}

/// How far users' topics have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadUpTo {
    /// What the topics held at this moment stands in the inbox: a low watermark.
    pub until: Timestamp,
    /// The cluster could not be reached until then; an early moment if it could be.
    pub away_until: Timestamp,
    /// The partitions whose records below that moment are not waited for any more, because no
    /// gateway makes headway in them.
    pub unread_partitions: usize,
}

impl ReadUpTo {
    /// Nothing is left to be read.
    pub const ALL: Self =
        Self { until: Timestamp(i64::MAX), away_until: Timestamp(i64::MIN), unread_partitions: 0 };
}

/// What a poll found. Revocations are obeyed before assignments, and both before records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polled {
    /// Shards that are no longer ours.
    pub revoked: Vec<Shard>,
    /// Shards that are ours from now on; their inbox is read after [`Broker::resume`].
    pub assigned: Vec<Shard>,
    /// Inbox records, in order within their shard.
    pub records: Vec<InboxRecord>,
}

/// A record of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRecord {
    /// Its partition.
    pub shard: Shard,
    /// Its place.
    pub offset: Offset,
    /// Its time: the input's.
    pub timestamp: Timestamp,
    /// A [`crate::format::wire::Inbox`], protobuf.
    pub value: Bytes,
}

/// Reads one shard's changelog.
pub trait ChangelogReader {
    /// The next records in order; none when the end as of the reader's making is reached.
    ///
    /// # Errors
    /// When the broker does not answer.
    fn next(&mut self) -> Result<Vec<ChangelogRecord>, Lost>;

    /// The offset behind the last record that was read, or behind the end.
    fn position(&self) -> Offset;

    /// Whether the record in front of where it begins still counts. Kafka may take back what it has
    /// confirmed (KAFKA-20734); what was stored of that is of no use then.
    fn stands(&self) -> bool {
        true
    }
}

/// A record of the changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogRecord {
    /// Its place.
    pub offset: Offset,
    /// `i/<saga>/<key>` or `p/<shard>`.
    pub key: Bytes,
    /// The sealed message; none means that the key is forgotten.
    pub value: Option<Bytes>,
}

/// Everything that one commit makes true.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// For each shard it touches.
    pub shards: BTreeMap<Shard, ShardBatch>,
    /// Messages to users' topics, in the order of their effects.
    pub messages: Vec<Outgoing>,
    /// What could not be taken.
    pub dead_letters: Vec<DeadLetter>,
    /// What instances say to others, and to locks: records for their inboxes, in order.
    pub letters: Vec<Append>,
}

/// What a batch does to one shard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShardBatch {
    /// The next inbox record (R2, R5).
    pub inbox: Offset,
    /// Changelog records, the position last.
    pub changelog: Vec<(Bytes, Option<Bytes>)>,
    /// History records.
    pub history: Vec<HistoryRecord>,
}

/// A history record: a sealed [`crate::format::wire::Entry`] under the instance's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// `<saga>/<key>`.
    pub key: Bytes,
    /// The sealed entry.
    pub value: Bytes,
}

/// Something that could not be taken, kept for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why, in words.
    pub reason: String,
    /// Where it was read.
    pub origin: Option<Origin>,
    /// The instance that it was for, if that is known.
    pub instance: Option<String>,
    /// The record's key.
    pub key: Option<Bytes>,
    /// Its headers, as they came.
    pub headers: Headers,
    /// Its body, as it came; empty when it was too large to keep.
    pub body: Bytes,
}

/// Appends timers that are due to the inbox; they come back as records.
pub trait Waker {
    /// Appends an inbox record stamped with `at`; returns before it is acknowledged.
    ///
    /// # Errors
    /// When the connection cannot be trusted any more.
    fn append(&mut self, append: Append, at: Timestamp) -> Result<(), Lost>;
}

/// A record for a shard's inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The partition.
    pub shard: Shard,
    /// A [`crate::format::wire::Inbox`], protobuf.
    pub value: Bytes,
}

/// Makes the requests of `call` steps, once the intent to make them is committed.
///
/// A call is made at least once: one that is lost with its process, or whose answer is lost with
/// its pipeline, is made again when the engine's own time for the attempt is up.
pub trait Caller {
    /// Starts a call and returns at once; `traced` is where it stands in its instance's trace.
    fn start(&mut self, call: Call, traced: Traced);

    /// What came of calls since the last time, in the order in which they ended; never waits.
    /// Every call that was started comes out here once.
    fn finished(&mut self) -> Vec<Called>;

    /// How many calls were started and have not come out of [`Caller::finished`]: while there are
    /// some, it is worth looking often.
    fn under_way(&self) -> usize;
}

/// The gateway's connection: users' topics in, inbox out.
pub trait Source {
    /// What there is, waiting at most `wait` for the first record.
    ///
    /// # Errors
    /// When the connection cannot be trusted any more.
    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Vec<SourceRecord>, Lost>;

    /// Appends what was made of polled records, in order, and lets their offsets be committed
    /// once all of it is acknowledged; returns before that.
    ///
    /// # Errors
    /// When an append failed: nothing after it may be appended, or the order would have a gap.
    fn forward(&mut self, forward: Forward) -> Result<(), Lost>;

    /// Takes a topic that is stopped, because it is not the one that was read before, as the one
    /// to read from now on. The same acceptance is obeyed once.
    ///
    /// # Errors
    /// When it is not certain that this is written down.
    fn accept(&mut self, acceptance: &Acceptance) -> Result<Accepted, Lost>;
}

/// A record of a user's topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// Where it was read.
    pub origin: Origin,
    /// From which of the topics of that name, where that is known.
    pub incarnation: Option<Incarnation>,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
    /// Its body; none for a Kafka tombstone.
    pub body: Option<Bytes>,
    /// Its time.
    pub timestamp: Timestamp,
}

/// What the gateway made of some polled records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forward {
    /// Inbox records, in order.
    pub appends: Vec<Append>,
    /// What could not be taken.
    pub dead_letters: Vec<DeadLetter>,
    /// The next offset of each source partition that the records came from.
    pub positions: BTreeMap<(Topic, i32), Offset>,
}

/// The local checkpoint of the shards: rebuildable, so any doubt about it is answered by
/// [`Store::discard`].
pub trait Store {
    /// Opens a shard's checkpoint; none if there is none that can be trusted.
    ///
    /// # Errors
    /// When the disk fails.
    fn open(&mut self, shard: Shard) -> Result<Option<Checkpoint>, StoreFault>;

    /// The value under a changelog key.
    ///
    /// # Errors
    /// When the disk fails or the value is damaged.
    fn load(&self, shard: Shard, key: &[u8]) -> Result<Option<Bytes>, StoreFault>;

    /// Changelog keys whose timer is due within `moments`, the earliest first, at most `max`. Those
    /// up to what [`Store::watch`] was told may be left out.
    ///
    /// # Errors
    /// When the disk fails.
    fn due(
        &self,
        shard: Shard,
        moments: RangeInclusive<Timestamp>,
        max: usize,
    ) -> Result<Vec<(Timestamp, Bytes)>, StoreFault>;

    /// Leaves the timers up to `until` to the caller, who has those of the checkpoint from
    /// [`Store::due`] and sees all later changes anyway. When the shard is opened again, the
    /// store tells of them again.
    ///
    /// # Errors
    /// When the shard is not open.
    fn watch(&mut self, shard: Shard, until: Timestamp) -> Result<(), StoreFault>;

    /// Writes changes and how far they reach, all or nothing (R4).
    ///
    /// # Errors
    /// When the disk fails.
    fn checkpoint(
        &mut self,
        shard: Shard,
        changes: Vec<Change>,
        changelog: Offset,
    ) -> Result<(), StoreFault>;

    /// Closes a shard that is no longer ours.
    ///
    /// # Errors
    /// When the disk fails.
    fn close(&mut self, shard: Shard) -> Result<(), StoreFault>;

    /// Moves a shard's checkpoint aside and starts an empty one.
    ///
    /// # Errors
    /// When the disk fails.
    fn discard(&mut self, shard: Shard) -> Result<(), StoreFault>;
}

/// How far a shard's checkpoint reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The changelog offset behind the last change in it.
    pub changelog: Offset,
}

/// One change for the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The changelog key.
    pub key: Bytes,
    /// The sealed value; none removes it.
    pub value: Option<Bytes>,
    /// When the instance next wants to be woken.
    pub due: Option<Timestamp>,
}

/// The local store failed; see [`Store::discard`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the local store of shard {shard} failed: {reason}")]
pub struct StoreFault {
    /// Which shard's.
    pub shard: Shard,
    /// Why, in words.
    pub reason: String,
}

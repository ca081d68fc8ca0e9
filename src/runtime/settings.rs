use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::{Note, Status};
use crate::message::{
    Address, CommandId, EngineTopics, InstanceId, LifeId, Offset, Shard, Timestamp, Topic,
};

/// How a pipeline and its gateway behave; the same for all of one application.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The application's name: the first part of its topics, groups and of `ce_source`.
    pub app: String,
    /// The engine's own topics.
    pub topics: EngineTopics,
    /// How many shards there are.
    pub shards: u32,
    /// The most inbox records of one batch.
    pub batch_records_max: usize,
    /// The most bytes that one batch sends before it is committed.
    pub batch_bytes_max: usize,
    /// How long a busy pipeline gathers records before it commits.
    pub gather: Duration,
    /// How often changes go to the store.
    pub checkpoint_every: Duration,
    /// How many bytes of changes go to the store at the latest.
    pub checkpoint_bytes_max: usize,
    /// How many bytes of stored instances one shard keeps decoded, which takes ten times as much.
    pub held_bytes_max: usize,
    /// What becomes of events that nothing waits for.
    pub unmatched: UnmatchedRules,
    /// The longest wait for a record.
    pub idle_max: Duration,
}

/// How many bytes of stored instances all shards together keep decoded.
const HELD_BYTES_MAX: usize = 3 * 1024 * 1024;

impl Settings {
    /// The defaults for an application.
    ///
    /// # Panics
    /// When the application's name cannot begin a topic's: the configuration refuses such a one.
    #[must_use]
    pub fn new(app: &str, shards: u32) -> Self {
        Self {
            app: app.to_owned(),
            topics: EngineTopics::new(app).expect("the configuration checked the name"),
            shards,
            batch_records_max: 2_000,
            batch_bytes_max: 4 * 1024 * 1024,
            gather: Duration::from_millis(5),
            checkpoint_every: Duration::from_secs(5),
            checkpoint_bytes_max: 8 * 1024 * 1024,
            held_bytes_max: HELD_BYTES_MAX / usize::try_from(shards.max(1)).unwrap_or(usize::MAX),
            unmatched: UnmatchedRules::default(),
            idle_max: Duration::from_millis(100),
        }
    }
}

/// What becomes of an event that nothing waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unmatched {
    /// It goes to the dead letters with the reason.
    #[default]
    DeadLetter,
    /// It is counted.
    Count,
}

/// [`Unmatched`], by topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnmatchedRules {
    /// For topics without a rule of their own.
    pub default: Unmatched,
    /// Rules of their own.
    pub topics: BTreeMap<Topic, Unmatched>,
}

impl UnmatchedRules {
    /// The rule for a topic.
    #[must_use]
    pub fn of(&self, topic: &Topic) -> Unmatched {
        self.topics.get(topic).copied().unwrap_or(self.default)
    }
}

/// What a pipeline has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Inbox records taken.
    pub records: u64,
    /// Records at or below the watermark of their origin, or applied before.
    pub repeated: u64,
    /// Inputs that changed an instance.
    pub transitions: u64,
    /// Inputs that were here before.
    pub duplicates: u64,
    /// Inputs that mean nothing by the definition's own rules.
    pub ignored: u64,
    /// Inputs that nothing waits for.
    pub unmatched: u64,
    /// Inputs that cannot be obeyed.
    pub refused: u64,
    /// Inbox records that could not be read.
    pub unreadable: u64,
    /// Dead letters sent.
    pub dead_letters: u64,
    /// Commits.
    pub commits: u64,
    /// Timers appended to the inbox.
    pub wakes: u64,
    /// How often the timers of a saga were due and held, for users' topics were not read so far.
    pub held: u64,
    /// Timers that struck although a partition of those topics was not read so far, for no
    /// gateway had made headway in it for two minutes.
    pub unread: u64,
    /// Changelog records read by restores.
    pub restored: u64,
}

/// One committed transition, as telemetry sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Whose.
    pub id: InstanceId,
    /// Which life.
    pub life: LifeId,
    /// Which of its transitions, counted from 1; 0 for what changed nothing.
    pub transition: u64,
    /// When the life started.
    pub started: Timestamp,
    /// W3C trace context of whoever started it; empty if there was none.
    pub trace_parent: String,
    /// What it is now; none if it is forgotten.
    pub status: Option<Status>,
    /// The same as a word; it also tells locks and what waits for its start.
    pub standing: &'static str,
    /// What happened.
    pub notes: Vec<Note>,
    /// What is owed while it is stuck, in words; empty if it is not.
    pub owed: String,
    /// What it sent: commands and facts, with where to.
    pub sent: Vec<(CommandId, Address)>,
    /// The input's time.
    pub at: Timestamp,
    /// Where the input stood.
    pub shard: Shard,
    /// Where the input stood.
    pub offset: Offset,
}

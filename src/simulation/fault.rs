use std::collections::BTreeMap;
use std::fmt;

/// A call of a port; before and after each of them a node may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortCall {
    /// `Broker::poll`
    Poll,
    /// `Broker::resume`
    Resume,
    /// `Broker::changelog`
    Changelog,
    /// `ChangelogReader::next`
    Read,
    /// `Broker::commit`
    Commit,
    /// `Waker::append`
    Append,
    /// `Caller::start`
    Request,
    /// `Source::poll`
    SourcePoll,
    /// `Source::forward`
    Forward,
    /// `Store::open`
    Open,
    /// `Store::load`
    Load,
    /// `Store::due`
    Due,
    /// `Store::checkpoint`
    Checkpoint,
    /// `Store::close`
    Close,
    /// `Store::discard`
    Discard,
}

impl PortCall {
    /// Every call that can fail.
    pub const ALL: [Self; 15] = [
        Self::Poll,
        Self::Resume,
        Self::Changelog,
        Self::Read,
        Self::Commit,
        Self::Append,
        Self::Request,
        Self::SourcePoll,
        Self::Forward,
        Self::Open,
        Self::Load,
        Self::Due,
        Self::Checkpoint,
        Self::Close,
        Self::Discard,
    ];

    /// How much likelier a crash beside it is made, so that those of rare calls are seen too.
    pub(super) fn rarity(self) -> u32 {
        match self {
            Self::Poll | Self::SourcePoll | Self::Load => 1,
            Self::Forward | Self::Commit | Self::Read => 2,
            Self::Resume | Self::Changelog | Self::Open | Self::Due | Self::Checkpoint => 4,
            Self::Append | Self::Request | Self::Close => 12,
            Self::Discard => 60,
        }
    }
}

/// Which side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// Nothing of it happened.
    Before,
    /// All of it happened, and nobody was told.
    After,
}

/// What the world does to a node; each is counted when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A node died beside a call.
    Crash(PortCall, Moment),
    /// A commit took effect, and the caller was not told.
    CommitHappened,
    /// A commit never took effect, and its transaction stayed open.
    CommitVanished,
    /// A commit's end was late: it took effect after the caller had given up.
    EndLate,
    /// A commit's end was late and its producer fenced: it was refused.
    EndFenced,
    /// Some of a commit's records came late, behind its positions, and took effect.
    RecordsLate,
    /// A commit was confirmed, and its end was lost: it is taken back.
    EndForgotten,
    /// The group's offset of a shard stayed part of a transaction that had ended, for ever.
    OffsetUnstable,
    /// An open transaction ran into its timeout.
    TransactionExpired,
    /// Without transactions, only a part of a batch was written.
    CommitTorn,
    /// A node joined the group.
    Joined,
    /// A node left the group.
    Left,
    /// A node was put out of the group without knowing.
    Evicted,
    /// A node tried to commit without knowing that its shards were gone.
    ZombieFenced,
    /// A timer's append was lost on its way.
    AppendLost,
    /// The gateway appended a record for the second time.
    Repeated,
    /// A users' topic was deleted and created again.
    TopicMadeAnew,
    /// A wall clock jumped.
    ClockJumped,
    /// A store was lost between two lives of a node.
    StoreLost,
    /// A store's content was damaged.
    StoreDamaged,
    /// A store refused a call.
    StoreFailed,
    /// A participant's answers came in another order than its commands.
    Reordered,
    /// A participant answered twice.
    AnsweredTwice,
    /// A participant answered after the time was up.
    AnsweredLate,
    /// A participant did not answer.
    Silent,
    /// A call never left.
    CallUnsent,
    /// A call arrived, and its answer was lost.
    CallUnanswered,
    /// A person did not answer a question.
    Unasked,
    /// A person answered a question twice.
    DecidedTwice,
    /// A timer was due, and the gateways had not passed on all that its saga may wait for.
    TimerHeld,
    /// A person let a saga stand still.
    Paused,
    /// What a saga that stood still was told was held.
    Held,
    /// A person cancelled a saga.
    CancelledByPerson,
    /// A person set the data of a saga.
    DataSet,
    /// A person asked for what was not done.
    NotObeyed,
}

impl Fault {
    /// Everything that can go wrong here.
    pub fn all() -> impl Iterator<Item = Self> {
        let crashes = PortCall::ALL
            .into_iter()
            .flat_map(|call| [Self::Crash(call, Moment::Before), Self::Crash(call, Moment::After)]);
        crashes.chain([
            Self::CommitHappened,
            Self::CommitVanished,
            Self::EndLate,
            Self::EndFenced,
            Self::RecordsLate,
            Self::EndForgotten,
            Self::OffsetUnstable,
            Self::TransactionExpired,
            Self::CommitTorn,
            Self::Joined,
            Self::Left,
            Self::Evicted,
            Self::ZombieFenced,
            Self::AppendLost,
            Self::Repeated,
            Self::TopicMadeAnew,
            Self::ClockJumped,
            Self::StoreLost,
            Self::StoreDamaged,
            Self::StoreFailed,
            Self::Reordered,
            Self::AnsweredTwice,
            Self::AnsweredLate,
            Self::Silent,
            Self::CallUnsent,
            Self::CallUnanswered,
            Self::Unasked,
            Self::DecidedTwice,
            Self::TimerHeld,
            Self::Paused,
            Self::Held,
            Self::CancelledByPerson,
            Self::DataSet,
            Self::NotObeyed,
        ])
    }
}

/// How often each fault fired.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultTally(BTreeMap<Fault, u64>);

impl FaultTally {
    /// Counts one.
    pub fn count(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    /// Adds another world's counts.
    pub fn add(&mut self, other: &Self) {
        for (fault, times) in &other.0 {
            *self.0.entry(*fault).or_default() += times;
        }
    }

    /// How often one fired.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    /// Those that never fired: a run that says nothing about them.
    #[must_use]
    pub fn never(&self) -> Vec<Fault> {
        Fault::all().filter(|fault| self.of(*fault) == 0).collect()
    }
}

impl fmt::Display for FaultTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(fault, times)| writeln!(f, "{times:8}  {fault:?}"))
    }
}

/// How often what goes wrong, in a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Odds {
    /// A node dies beside a call.
    pub crash: u32,
    /// The outcome of a commit stays unknown.
    pub doubt: u32,
    /// Of the commits in doubt: some records come late, behind the offsets.
    pub straggle: u32,
    /// A commit is confirmed, and its end is lost.
    pub forget: u32,
    /// The group's coordinator never learns of a transaction's end.
    pub unstable: u32,
    /// A store refuses a call.
    pub store: u32,
    /// A turn of the world brings a node, or takes one.
    pub member: u32,
    /// A turn of the world puts a node out of its group unnoticed.
    pub evict: u32,
    /// A turn of the world makes a wall clock jump.
    pub jump: u32,
    /// A turn of the world makes a users' topic anew.
    pub anew: u32,
    /// A turn of the world makes a person cancel a saga, or let it stand still.
    pub person: u32,
    /// A node comes back without its store.
    pub store_lost: u32,
    /// A node comes back with a damaged store.
    pub store_damaged: u32,
}

impl Odds {
    /// Nothing goes wrong.
    pub const CALM: Self = Self {
        crash: 0,
        doubt: 0,
        straggle: 0,
        forget: 0,
        unstable: 0,
        store: 0,
        member: 0,
        evict: 0,
        jump: 0,
        anew: 0,
        person: 0,
        store_lost: 0,
        store_damaged: 0,
    };

    /// Everything goes wrong now and then.
    pub const ROUGH: Self = Self {
        crash: 4,
        doubt: 60,
        straggle: 250,
        forget: 10,
        unstable: 30,
        store: 5,
        member: 6,
        evict: 6,
        jump: 4,
        anew: 10,
        person: 8,
        store_lost: 150,
        store_damaged: 150,
    };
}

/// A crash at one exact place: the how-manieth call of the run, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrashPoint {
    /// Which call.
    pub call: u64,
    /// Which side of it.
    pub moment: Moment,
}

/// A rule switched off, to see that the checks are awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakness {
    /// R1: a new producer keeps its predecessor's epoch, and what that left open.
    EpochKept,
    /// R2: the inbox position is not written with the state.
    PositionForgotten,
    /// R3: a restore ends at the last stable offset.
    RestoreToStable,
    /// R3: a restore reads what was never committed.
    UncommittedRestored,
    /// R3: a transaction adds its positions before its changelog records are written.
    PositionsFirst,
    /// A checkpoint is believed although what it was made of was taken back.
    LossUnnoticed,
    /// R4: the store is written before the commit.
    StoreFirst,
    /// R5 and R6: a commit of an old generation is taken.
    GenerationIgnored,
    /// R7: a commit in doubt is told as done.
    DoubtIgnored,
    /// The gateway's repeats cannot be told from new records.
    OriginsForgotten,
    /// Timers strike although answers that came in time are not read yet.
    AnswersOvertaken,
    /// A topic that was made anew cannot be told from the one before it.
    TopicsConfused,
}

impl Weakness {
    /// Every rule that can be switched off.
    pub const ALL: [Self; 12] = [
        Self::EpochKept,
        Self::PositionForgotten,
        Self::RestoreToStable,
        Self::UncommittedRestored,
        Self::PositionsFirst,
        Self::LossUnnoticed,
        Self::StoreFirst,
        Self::GenerationIgnored,
        Self::DoubtIgnored,
        Self::OriginsForgotten,
        Self::AnswersOvertaken,
        Self::TopicsConfused,
    ];
}

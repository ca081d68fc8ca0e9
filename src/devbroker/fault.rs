//! Faults that a test orders from the broker, by API and count.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// The number of an API in the Kafka protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Api(pub i16);

impl Api {
    /// Appends records.
    pub const PRODUCE: Self = Self(0);
    /// Reads records.
    pub const FETCH: Self = Self(1);
    /// Asks where a partition begins and ends.
    pub const LIST_OFFSETS: Self = Self(2);
    /// Commits offsets outside of transactions.
    pub const OFFSET_COMMIT: Self = Self(8);
    /// Reads committed offsets.
    pub const OFFSET_FETCH: Self = Self(9);
    /// Joins a group.
    pub const JOIN_GROUP: Self = Self(11);
    /// Says that a member lives.
    pub const HEARTBEAT: Self = Self(12);
    /// Asks for a member's share.
    pub const SYNC_GROUP: Self = Self(14);
    /// Asks for a producer's id and epoch.
    pub const INIT_PRODUCER_ID: Self = Self(22);
    /// Names a partition to a transaction.
    pub const ADD_PARTITIONS_TO_TXN: Self = Self(24);
    /// Ends a transaction.
    pub const END_TXN: Self = Self(26);
    /// Commits offsets within a transaction.
    pub const TXN_OFFSET_COMMIT: Self = Self(28);
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The request waits this long before it takes effect.
    DelayRequest(Duration),
    /// The request takes effect, and its answer waits this long.
    DelayAnswer(Duration),
    /// The connection closes before the request takes effect.
    LoseRequest,
    /// The request takes effect, and the connection closes instead of an answer.
    LoseAnswer,
    /// The answer says that there are no such topics, as a broker does that does not know new
    /// ones yet; only of `LIST_OFFSETS` and `OFFSET_COMMIT`.
    ForgetTopics,
    /// The transaction ends, and its end is told to no partition and no group, as by a coordinator
    /// that takes them for deleted (KAFKA-20734); only of `END_TXN`.
    ForgetMarkers,
    /// As `ForgetMarkers`, and the connection closes behind the answer, as that of a broker that
    /// stops.
    ForgetMarkersAndClose,
}

/// One fault: the nth request of an API, counted from one over all connections, meets trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which requests are counted.
    pub api: Api,
    /// Which of them is hit.
    pub nth: u64,
    /// What happens to it.
    pub trouble: Trouble,
}

/// The faults that were ordered, and how many requests have come.
#[derive(Debug, Default)]
pub(super) struct Faults {
    ordered: Vec<Fault>,
    seen: Mutex<BTreeMap<Api, u64>>,
}

impl Faults {
    pub fn new(ordered: Vec<Fault>) -> Self {
        Self { ordered, seen: Mutex::default() }
    }

    /// Counts a request and says what hits it.
    pub fn next(&self, api: Api) -> Option<Trouble> {
        if self.ordered.is_empty() {
            return None;
        }
        let mut seen = self.seen.lock().expect("nothing panics while it counts");
        let count = seen.entry(api).or_default();
        *count += 1;
        self.ordered.iter().find(|f| f.api == api && f.nth == *count).map(|f| f.trouble)
    }

    /// How many of the ordered faults have happened.
    pub fn fired(&self) -> usize {
        let seen = self.seen.lock().expect("nothing panics while it counts");
        let has = |f: &&Fault| seen.get(&f.api).is_some_and(|count| *count >= f.nth);
        self.ordered.iter().filter(has).count()
    }
}

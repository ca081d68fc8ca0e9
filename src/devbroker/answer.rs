//! What a waiting member of a group is told, and the states of a group.

use bytes::Bytes;
use kafka_protocol::ResponseError;

/// Names a request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(pub u64);

/// An answer to a waiting request.
#[derive(Debug)]
pub(super) enum Answer {
    Joined(Joined),
    Synced(Synced),
    /// Both requests can fail; the member id goes back with the error.
    Refused {
        error: ResponseError,
        member: String,
    },
}

/// A member's place in a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    pub generation: i32,
    pub protocol_type: String,
    pub protocol: String,
    pub leader: String,
    pub member: String,
    pub skip_assignment: bool,
    /// Filled for the leader only.
    pub members: Vec<(String, Option<String>, Bytes)>,
}

/// A member's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Synced {
    pub protocol_type: String,
    pub protocol: String,
    pub assignment: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Status {
    #[default]
    Empty,
    Preparing {
        since_ms: i64,
    },
    Completing,
    Stable,
}

impl Status {
    /// The name that admin clients show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Preparing { .. } => "PreparingRebalance",
            Self::Completing => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

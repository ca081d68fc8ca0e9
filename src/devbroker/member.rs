//! One member of a consumer group.

use bytes::Bytes;

use super::answer::Ticket;

/// A way to assign partitions that a member offers, with what it tells the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protocol {
    pub name: String,
    pub metadata: Bytes,
}

/// A request to join a group.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub member: String,
    pub instance: Option<String>,
    pub session_ms: i64,
    pub rebalance_ms: i64,
    pub protocol_type: String,
    pub protocols: Vec<Protocol>,
    pub client: String,
    pub host: String,
    /// The client wants to be told its id before it joins (version 4 and later).
    pub id_first: bool,
    /// The client can be told to skip the assignment (version 9 and later).
    pub may_skip: bool,
}

/// A member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub instance: Option<String>,
    pub session_ms: i64,
    pub rebalance_ms: i64,
    pub protocols: Vec<Protocol>,
    pub client: String,
    pub host: String,
    pub assignment: Bytes,
    pub joining: Option<Ticket>,
    pub syncing: Option<Ticket>,
    pub seen_ms: i64,
}

impl Member {
    pub fn new(join: &Join, now_ms: i64) -> Self {
        Self {
            instance: join.instance.clone(),
            session_ms: join.session_ms,
            rebalance_ms: join.rebalance_ms,
            protocols: join.protocols.clone(),
            client: join.client.clone(),
            host: join.host.clone(),
            assignment: Bytes::new(),
            joining: None,
            syncing: None,
            seen_ms: now_ms,
        }
    }

    /// Takes over what a member says when it joins again.
    pub fn update(&mut self, join: &Join, now_ms: i64) {
        self.session_ms = join.session_ms;
        self.rebalance_ms = join.rebalance_ms;
        self.protocols.clone_from(&join.protocols);
        self.seen_ms = now_ms;
    }

    /// A member that waits for the group cannot be late.
    pub fn is_late(&self, now_ms: i64) -> bool {
        let waits = self.joining.is_some() || self.syncing.is_some();
        !waits && now_ms - self.seen_ms >= self.session_ms
    }

    pub fn metadata(&self, protocol: &str) -> Bytes {
        let offered = self.protocols.iter().find(|p| p.name == protocol);
        offered.map(|p| p.metadata.clone()).unwrap_or_default()
    }
}

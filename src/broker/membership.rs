use std::time::Duration;

use super::rivals::Token;

/// Who a pipeline is in the cluster and what it promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The application: the prefix of the engine's topics and groups.
    pub app: String,
    /// The node, unique in the application: a restarted node of the same name has its shards
    /// back at once, and of two that run at the same time the older one ends.
    pub node: String,
    /// Which pipeline of the node, counted from 0.
    pub pipeline: u32,
    /// How a batch ends.
    pub delivery: Delivery,
    /// After how long without a heartbeat the shards of a dead node go to others; the broker's
    /// least is 6 s by default.
    pub session: Duration,
    /// After how long the broker aborts a transaction that was not ended; a successor's restore
    /// waits as long for one that a dead node left open.
    pub transaction: Duration,
    /// What tells this life of the node from another process under the same name.
    pub token: Token,
}

impl Membership {
    /// A node's first pipeline with the usual limits, exactly once.
    #[must_use]
    pub fn new(app: &str, node: &str) -> Self {
        Self {
            app: app.to_owned(),
            node: node.to_owned(),
            pipeline: 0,
            delivery: Delivery::ExactlyOnce,
            session: Duration::from_secs(6),
            transaction: Duration::from_secs(15),
            token: Token::fresh(),
        }
    }

    /// `<app>.<node>.<pipeline>`: the transactional id, and the name of clients.
    pub(super) fn client(&self) -> String {
        format!("{}.{}.{}", self.app, self.node, self.pipeline)
    }

    /// The static member of the owners' group.
    pub(super) fn instance(&self) -> String {
        format!("{}.{}", self.node, self.pipeline)
    }

    /// How often a member says that it lives, and hears of a rebalance.
    pub(super) fn heartbeat(&self) -> Duration {
        (self.session / 6).min(Duration::from_secs(1))
    }
}

/// How a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In one transaction: nothing of it is seen before all of it is.
    ExactlyOnce,
    /// Messages first, then the state that says they were sent: after a crash a command may come
    /// again, with the same id. The lowest latency.
    AtLeastOnce,
}

use super::fault::{CrashPoint, Odds, Weakness};
use crate::books::Delivery;
use crate::message::Topic;
use crate::participants::Callees;

/// A partition of a topic.
pub type Place = (Topic, i32);

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Prefix of the engine's topics.
    pub app: String,
    /// Partitions of the inbox, the changelog and the history.
    pub shards: u32,
    /// Topics that the gateway reads.
    pub sources: Vec<Topic>,
    /// Partitions of each topic of the users.
    pub partitions: i32,
    /// What goes wrong, and how often.
    pub odds: Odds,
    /// Where exactly a node dies, whatever the odds.
    pub crashes: Vec<CrashPoint>,
    /// Rules that do not hold here.
    pub weaknesses: Vec<Weakness>,
    /// Whether a batch is a transaction.
    pub delivery: Delivery,
    /// The services behind the calls.
    pub callees: Callees,
}

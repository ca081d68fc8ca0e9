use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer_odds::AnswerOdds;
use super::fault::{CrashPoint, FaultTally, Odds, Weakness};
use crate::books::Delivery;
use crate::definition::Catalog;
use crate::engine::Status;
use crate::message::{Outgoing, SagaName, Version};
use crate::participants::Script;

/// What one run is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the instances run on.
    pub catalog: Arc<Catalog>,
    /// How the participants answer, and what they place.
    pub scripts: Vec<Script>,
    /// The events from outside, in their order.
    pub events: Vec<Outgoing>,
    /// So many of the events that the scripts place come after them.
    pub starts: u64,
    /// What starts, as nodes say that come up with other files: each after so many turns. The
    /// first is there before the nodes, if there is one.
    pub deployments: Vec<(u64, Arc<Catalog>)>,
    /// Partitions of the inbox.
    pub shards: u32,
    /// Nodes at the start, 1 to 3.
    pub nodes: usize,
    /// What goes wrong, and how often, while there is anything to break.
    pub odds: Odds,
    /// Where exactly a node dies.
    pub crashes: Vec<CrashPoint>,
    /// Rules that do not hold.
    pub weaknesses: Vec<Weakness>,
    /// How the participants behave.
    pub answer_odds: AnswerOdds,
    /// Whether a batch is a transaction.
    pub delivery: Delivery,
    /// After so many turns nothing goes wrong any more.
    pub rough_turns: u64,
    /// After so many turns everything must have ended.
    pub turns_max: u64,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was wrong; empty for a good run.
    pub violations: Vec<String>,
    /// What went wrong around the engine.
    pub tally: FaultTally,
    /// How many port calls there were.
    pub calls: u64,
    /// How many turns it took.
    pub turns: u64,
    /// What each life is at last.
    pub ends: Vec<(SagaName, Status)>,
    /// How many lives began on each version of each saga.
    pub versions: BTreeMap<(SagaName, Version), usize>,
    /// The committed history, a line for each transition.
    pub story: Vec<String>,
    /// Everything that was committed, as one number: equal for equal runs.
    pub fingerprint: u32,
}

mod arrival;
mod coordinator;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::anew::Anew;
use super::cabinet::Cabinet;
use super::deed::Deed;
use super::dice::Dice;
use super::fault::{self, Fault, FaultTally, Moment, Weakness};
use super::group::Group;
use super::line::Line;
use super::log::Log;
use super::setup::{Place, Setup};
use super::transaction::Transactions;
use crate::engine::Call;
use crate::message::{Shard, Timestamp, Topic};
use crate::runtime::Lost;

/// When the world began: 2027-01-15T08:00:00Z.
const BEGINNING_MS: i64 = 1_800_000_000_000;
/// How long Kafka keeps a tombstone (`delete.retention.ms`).
pub(super) const GRAVES: Duration = Duration::from_secs(24 * 60 * 60);
/// What every reading of the clock takes, so that nobody waits for ever.
const READING: Duration = Duration::from_micros(20);

/// Everything that a world holds.
#[derive(Debug)]
pub(super) struct State {
    pub setup: Setup,
    pub dice: Dice,
    /// Time since the beginning.
    pub elapsed: Duration,
    pub logs: BTreeMap<Place, Log>,
    /// Users' topics that were made anew.
    pub anew: BTreeMap<Topic, Anew>,
    /// Readers of the inbox.
    pub owner: Group,
    /// Readers of the users' topics.
    pub gateway: Group,
    pub transactions: Transactions,
    /// Appends on their way, one line for each producer without transactions.
    pub lines: BTreeMap<u64, Line>,
    /// Which offsets of which source partitions, by their topics' ids, stand in which inbox.
    pub appended: BTreeMap<(Place, Vec<u8>, i32), BTreeSet<i64>>,
    pub tally: FaultTally,
    pub complaints: Vec<String>,
    pub calls: u64,
    /// What participants and callees did, in its order.
    pub deeds: Vec<Deed>,
    /// The calls that were made.
    pub made: Vec<Call>,
    /// When the last of them has its answer.
    pub called_out: Duration,
    nodes: BTreeMap<String, NodeState>,
    ids: u64,
}

/// One node, over all of its lives.
#[derive(Debug, Default)]
struct NodeState {
    process: u64,
    alive: bool,
    skew_ms: i64,
    store: Cabinet,
}

/// Who calls: a process of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub name: String,
    pub process: u64,
}

impl State {
    pub fn new(seed: u64, setup: Setup) -> Self {
        let mut state = Self {
            dice: Dice::new(seed),
            elapsed: Duration::ZERO,
            logs: BTreeMap::new(),
            anew: BTreeMap::new(),
            owner: Group::default(),
            gateway: Group::default(),
            transactions: Transactions::default(),
            lines: BTreeMap::new(),
            appended: BTreeMap::new(),
            tally: FaultTally::default(),
            complaints: Vec::new(),
            calls: 0,
            deeds: Vec::new(),
            made: Vec::new(),
            called_out: Duration::ZERO,
            nodes: BTreeMap::new(),
            ids: 0,
            setup,
        };
        for shard in (0..state.setup.shards).map(Shard) {
            let inbox = state.engine("inbox", shard);
            state.owner.watch(inbox);
        }
        for topic in state.setup.sources.clone() {
            (0..state.setup.partitions).for_each(|p| state.gateway.watch((topic.clone(), p)));
        }
        state
    }

    pub fn is_weak(&self, weakness: Weakness) -> bool {
        self.setup.weaknesses.contains(&weakness)
    }

    pub fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// The brokers' wall clock.
    pub fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.elapsed.as_millis()).unwrap_or(i64::MAX);
        Timestamp(BEGINNING_MS.saturating_add(millis))
    }

    /// A node's wall clock.
    pub fn wall(&self, name: &str) -> Timestamp {
        let skew = self.nodes.get(name).map_or(0, |n| n.skew_ms);
        Timestamp(self.now().0.saturating_add(skew))
    }

    /// Reads the steady clock, which takes a moment.
    pub fn reading(&mut self) -> Duration {
        self.elapsed += READING;
        self.elapsed
    }

    pub fn jump(&mut self, name: &str, millis: i64) {
        self.nodes.entry(name.to_owned()).or_default().skew_ms = millis;
        self.tally.count(Fault::ClockJumped);
    }

    pub fn start(&mut self, name: &str) -> u64 {
        self.kill(name);
        let process = self.id();
        let node = self.nodes.entry(name.to_owned()).or_default();
        node.process = process;
        node.alive = true;
        process
    }

    pub fn kill(&mut self, name: &str) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        node.alive = false;
        for line in self.lines.values_mut().filter(|line| line.name == name) {
            line.orphaned = true;
        }
    }

    pub fn is_alive(&self, name: &str) -> bool {
        self.nodes.get(name).is_some_and(|n| n.alive)
    }

    pub fn evict(&mut self, name: &str) -> bool {
        let owner = self.owner.named(name);
        let gateway = self.gateway.named(name);
        let out = owner.is_some_and(|member| self.owner.leave(member));
        gateway.is_some_and(|member| self.gateway.leave(member)) || out
    }

    pub fn store(&mut self, name: &str) -> &mut Cabinet {
        &mut self.nodes.entry(name.to_owned()).or_default().store
    }

    pub fn log(&mut self, place: &Place) -> &mut Log {
        self.logs.entry(place.clone()).or_default()
    }

    /// The partition of an engine topic.
    pub fn engine(&self, what: &str, shard: Shard) -> Place {
        let topic = Topic::new(&format!("{}.{what}", self.setup.app));
        let partition = i32::try_from(shard.0).expect("a world has few shards");
        (topic.expect("the world's app is a topic's prefix"), partition)
    }

    /// The partition of a users' topic that a key belongs to.
    pub fn place(&self, topic: &Topic, key: &[u8]) -> Place {
        let sum = key.iter().fold(7_i32, |sum, byte| (sum * 31 + i32::from(*byte)) % 65_521);
        (topic.clone(), sum % self.setup.partitions.max(1))
    }

    /// The line between a node and the next effect: a call's crash point.
    pub fn cross(
        &mut self,
        caller: &Caller,
        call: fault::PortCall,
        moment: Moment,
    ) -> Result<(), Lost> {
        if moment == Moment::Before {
            self.live(caller)?;
            self.calls += 1;
            self.arrive();
        }
        let number = self.calls;
        let planned = self.setup.crashes.iter().any(|c| c.call == number && c.moment == moment);
        if planned || self.dice.chance(self.setup.odds.crash * call.rarity()) {
            self.tally.count(Fault::Crash(call, moment));
            self.kill(&caller.name);
        }
        self.live(caller)
    }

    /// A participant does something, once for each idempotency key.
    pub fn act(&mut self, deed: Deed) {
        if !self.deeds.iter().any(|done| done.key == deed.key) {
            self.deeds.push(deed);
        }
    }

    /// The dead do nothing.
    pub fn live(&self, caller: &Caller) -> Result<(), Lost> {
        let node = self.nodes.get(&caller.name);
        if node.is_some_and(|n| n.alive && n.process == caller.process) {
            Ok(())
        } else {
            Err(Lost { reason: format!("{} has crashed", caller.name), fatal: false })
        }
    }

    /// Lets time pass up to then, and what is due happen in between.
    pub fn advance(&mut self, until: Duration) {
        while let Some(due) = self.transactions.next_due().filter(|due| *due <= until) {
            self.elapsed = self.elapsed.max(due);
            self.happen();
        }
        self.elapsed = self.elapsed.max(until);
        self.arrive();
    }

    pub fn is_settled(&self) -> bool {
        self.lines.values().all(Line::is_empty) && !self.transactions.is_any_open()
    }

    /// Whether every source partition is passed on to its end.
    pub fn is_drained(&self) -> bool {
        self.setup.sources.iter().all(|topic| self.is_read(topic))
    }

    /// Whether the gateways have passed on all that a users' topic holds now.
    pub fn is_read(&self, topic: &Topic) -> bool {
        let mut own = self.logs.iter().filter(|((name, _), _)| name == topic);
        own.all(|(place, log)| {
            log.committed(self.source_position(place), log.high()).next().is_none()
        })
    }

    pub fn compact(&mut self) {
        let graves = Timestamp(self.now().0 - i64::try_from(GRAVES.as_millis()).unwrap_or(0));
        for shard in (0..self.setup.shards).map(Shard) {
            let place = self.engine("changelog", shard);
            self.log(&place).compact(graves);
        }
    }
}

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::deed::Deed;
use super::fault::{Fault, FaultTally, Odds};
use super::log::Entry;
use super::setup::{Place, Setup};
use super::state::State;
use crate::engine::Call;
use crate::message::{Headers, Offset, Outgoing, Shard, Timestamp, Topic};

/// A Kafka cluster, the nodes' stores, their clocks and everything that goes wrong, in memory.
///
/// One seed is one world: nothing in it depends on anything else. All of its ports share it by
/// reference, in one thread.
#[derive(Debug, Clone)]
pub struct World(Rc<RefCell<State>>);

/// A committed record, as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its topic and partition.
    pub place: Place,
    /// Its offset.
    pub offset: Offset,
    /// Its time.
    pub timestamp: Timestamp,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
    /// Its body; none for a tombstone.
    pub value: Option<Bytes>,
}

impl World {
    /// An empty world in which everything is decided by the seed.
    #[must_use]
    pub fn new(seed: u64, setup: Setup) -> Self {
        Self(Rc::new(RefCell::new(State::new(seed, setup))))
    }

    /// Ends a process between two calls, as a kill does.
    pub fn kill(&self, name: &str) {
        self.state().kill(name);
    }

    /// Whether the process of that name is alive.
    #[must_use]
    pub fn is_alive(&self, name: &str) -> bool {
        self.state().is_alive(name)
    }

    /// A node's session runs out: its shards go to the others, whether or not it knows.
    pub fn evict(&self, name: &str) {
        let mut state = self.state();
        if state.evict(name) && state.is_alive(name) {
            state.tally.count(Fault::Evicted);
        }
    }

    /// Empties a node's store.
    pub fn lose_store(&self, name: &str) {
        let mut state = self.state();
        if state.store(name).lose() {
            state.tally.count(Fault::StoreLost);
        }
    }

    /// Damages what a node's store holds.
    pub fn damage_store(&self, name: &str) {
        let mut state = self.state();
        let throw = state.dice.roll();
        if state.store(name).damage(throw) {
            state.tally.count(Fault::StoreDamaged);
        }
    }

    /// Lets a node's wall clock jump, forward or back.
    pub fn jump(&self, name: &str, millis: i64) {
        self.state().jump(name, millis);
    }

    /// Deletes one of the users' topics and creates it again, if it can be one.
    pub fn make_anew(&self) {
        self.state().make_anew();
    }

    /// The topics that were made anew and wait for a person, each with how often it was.
    pub(super) fn stopped(&self) -> Vec<(Topic, u64)> {
        self.state().stopped()
    }

    /// Lets time pass, and everything that was on its way arrive.
    pub fn pass(&self, time: Duration) {
        let mut state = self.state();
        let until = state.elapsed + time;
        state.advance(until);
    }

    /// Time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    /// How many records there are, seen or not.
    #[must_use]
    pub fn records(&self) -> i64 {
        self.state().logs.values().map(|log| log.high().0).sum()
    }

    /// Whether the gateway has passed on all that the users' topics hold.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.state().is_drained()
    }

    /// The time of the brokers' clocks.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Appends a message to a topic of the users, partitioned by its key.
    pub fn produce(&self, message: &Outgoing) {
        let mut state = self.state();
        let key = message.key.as_bytes();
        let place = state.place(&message.topic, key);
        let entry = Entry::new(state.now(), Some(message.body.clone())).under(key.to_vec());
        state.log(&place).append(Entry { headers: message.headers.clone(), ..entry });
    }

    /// What a `read_committed` reader of one partition sees from an offset on.
    #[must_use]
    pub fn read(&self, place: &Place, from: Offset) -> Vec<Seen> {
        let mut state = self.state();
        let log = state.log(place);
        let seen = log.committed(from, log.high());
        seen.map(|(offset, entry)| Seen::new(place, offset, entry)).collect()
    }

    /// Everything that was ever committed to a topic, compacted away or not.
    #[must_use]
    pub fn committed(&self, topic: &Topic) -> Vec<Seen> {
        let state = self.state();
        let logs = state.logs.iter().filter(|((t, _), _)| t == topic);
        let history = |(place, log): (&Place, &super::log::Log)| {
            let place = place.clone();
            let seen = log.history(log.high());
            seen.map(|(offset, entry)| Seen::new(&place, offset, entry)).collect::<Vec<_>>()
        };
        logs.flat_map(history).collect()
    }

    /// Every partition that exists.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        self.state().logs.keys().cloned().collect()
    }

    /// Forgets what compaction may forget in the changelogs.
    pub fn compact(&self) {
        self.state().compact();
    }

    /// The partition of an engine topic: `inbox`, `changelog`, `history`.
    #[must_use]
    pub fn engine(&self, what: &str, shard: Shard) -> Place {
        self.state().engine(what, shard)
    }

    /// Whether nothing is on its way: no append, no transaction, no late end.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state().is_settled()
    }

    /// How many port calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How often each fault fired.
    #[must_use]
    pub fn tally(&self) -> FaultTally {
        self.state().tally.clone()
    }

    /// Counts a fault that came from outside the ports.
    pub fn count(&self, fault: Fault) {
        self.state().tally.count(fault);
    }

    /// Notes what is wrong with the world itself.
    pub fn complain(&self, what: String) {
        self.state().complaints.push(what);
    }

    /// What the ports themselves found to be wrong.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// What participants and callees did, in its order.
    pub(super) fn deeds(&self) -> Vec<Deed> {
        self.state().deeds.clone()
    }

    /// The calls that were made, arrived or not.
    pub(super) fn made(&self) -> Vec<Call> {
        self.state().made.clone()
    }

    /// When every call that was made has had its time; nothing if that is past.
    pub(super) fn called_out(&self) -> Option<Duration> {
        let state = self.state();
        Some(state.called_out).filter(|out| *out >= state.elapsed)
    }

    /// Changes what goes wrong from now on.
    pub fn set_odds(&self, odds: Odds) {
        self.state().setup.odds = odds;
    }

    pub(super) fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

impl Seen {
    fn new(place: &Place, offset: Offset, entry: &Entry) -> Self {
        Self {
            place: place.clone(),
            offset,
            timestamp: entry.timestamp,
            key: entry.key.clone(),
            headers: entry.headers.clone(),
            value: entry.value.clone(),
        }
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::ending::{Ending, ending};
use super::fault::{Fault, Moment, PortCall, Weakness};
use super::line::{Line, Parcel};
use super::log::{Entry, Standing};
use super::reader::SimulatedReader;
use super::setup::Place;
use super::state::{Caller, State};
use super::store;
use super::transaction::Contents;
use super::world::World;
use crate::books::Delivery;
use crate::message::{Headers, Offset, Shard, Timestamp, Topic};
use crate::runtime::{
    Append, Batch, Broker, DeadLetter, InboxRecord, Lost, Polled, ReadUpTo, Waker,
};

/// The header of a dead letter that says why.
pub const REASON: &str = "segue-reason";

/// A pipeline's connection to the world.
#[derive(Debug)]
pub struct SimulatedBroker {
    world: World,
    caller: Caller,
    member: u64,
    line: u64,
    producer: String,
    epoch: u32,
    held: BTreeSet<Shard>,
    positions: BTreeMap<Shard, Offset>,
    /// What the commit under way will answer.
    answer: Option<Answer>,
    /// The last commit was confirmed, and its end was lost.
    is_forgotten: bool,
}

type Answer = Result<BTreeMap<Shard, Offset>, Lost>;

impl SimulatedBroker {
    pub(super) fn new(world: World, caller: Caller) -> Self {
        let mut state = world.state();
        let producer = format!("{}.{}.0", state.setup.app, caller.name);
        let epoch = state.init_producer(&producer);
        let member = state.id();
        state.owner.join(member, &caller.name);
        let line = state.id();
        state.lines.insert(line, Line::new(&caller.name, member));
        drop(state);
        let (held, positions) = (BTreeSet::new(), BTreeMap::new());
        let (answer, is_forgotten) = (None, false);
        Self { world, caller, member, line, producer, epoch, held, positions, answer, is_forgotten }
    }

    /// What the group says, to a member that may be out of it.
    fn rebalance(&mut self, state: &mut State) -> Polled {
        if !state.owner.is_member(self.member) {
            // Until it learns that it is out, it goes on as if nothing were.
            if !state.dice.chance(300) {
                return Polled::default();
            }
            state.owner.join(self.member, &self.caller.name);
            let revoked = std::mem::take(&mut self.held).into_iter().collect();
            self.positions.clear();
            return Polled { revoked, ..Polled::default() };
        }
        let change = state.owner.rebalance(self.member);
        let shard = |place: &Place| Shard(place.1.cast_unsigned());
        let revoked: Vec<Shard> = change.revoked.iter().map(shard).collect();
        let assigned: Vec<Shard> = change.assigned.iter().map(shard).collect();
        for shard in &revoked {
            self.held.remove(shard);
            self.positions.remove(shard);
        }
        self.held.extend(&assigned);
        Polled { revoked, assigned, records: Vec::new() }
    }

    fn fetch(&mut self, state: &mut State, records_max: usize) -> Vec<InboxRecord> {
        let mut found = Vec::new();
        let mut shards: Vec<Shard> = self.positions.keys().copied().collect();
        let first = state.dice.place(shards.len());
        shards.rotate_left(first);
        let most = (1 + state.dice.place(12)).min(records_max);
        for shard in shards {
            let place = state.engine("inbox", shard);
            let log = state.log(&place);
            let end = log.high();
            let records = log.committed(self.positions[&shard], end).take(most - found.len());
            let record = |(offset, entry): (Offset, &Entry)| InboxRecord {
                shard,
                offset,
                timestamp: entry.timestamp,
                value: entry.value.clone().unwrap_or_default(),
            };
            let records: Vec<InboxRecord> = records.map(record).collect();
            if let Some(last) = records.last() {
                self.positions.insert(shard, last.offset.next());
            }
            found.extend(records);
        }
        if state.is_weak(Weakness::OriginsForgotten) {
            for record in &mut found {
                state.forget_origin(record);
            }
        }
        found
    }

    fn contents(&self, state: &State, batch: Batch) -> Contents {
        let now = state.wall(&self.caller.name);
        let mut records = Vec::new();
        for message in batch.messages {
            let place = state.place(&message.topic, message.key.as_bytes());
            let entry = Entry::new(now, Some(message.body)).under(message.key);
            records.push((place, Entry { headers: message.headers, ..entry }));
        }
        records.extend(batch.dead_letters.into_iter().map(|l| dead_letter(state, l, now)));
        for letter in batch.letters {
            records
                .push((state.engine("inbox", letter.shard), Entry::new(now, Some(letter.value))));
        }
        let mut offsets = BTreeMap::new();
        let forgets = state.is_weak(Weakness::PositionForgotten);
        for (shard, part) in batch.shards {
            for (key, value) in part.changelog {
                if !(forgets && key.starts_with(b"p/")) {
                    let entry = Entry::new(now, value).under(key);
                    records.push((state.engine("changelog", shard), entry));
                }
            }
            for record in part.history {
                let entry = Entry::new(now, Some(record.value)).under(record.key);
                records.push((state.engine("history", shard), entry));
            }
            offsets.insert(state.engine("inbox", shard), part.inbox);
        }
        Contents { records, offsets }
    }

    fn look_back(&self) -> Result<(), Lost> {
        if self.is_forgotten {
            let reason = "the end of a commit did not come".to_owned();
            return Err(Lost { reason, fatal: false });
        }
        Ok(())
    }

    fn may_commit(&self, state: &mut State) -> Result<(), Lost> {
        if state.transactions.epoch(&self.producer) != self.epoch {
            let reason = format!("{} is fenced: another one has its name", self.producer);
            return Err(Lost { reason, fatal: false });
        }
        let is_in = state.owner.is_member(self.member);
        if !is_in {
            state.tally.count(Fault::ZombieFenced);
        }
        if is_in || state.is_weak(Weakness::GenerationIgnored) {
            Ok(())
        } else {
            let reason = format!("{} is not in its group any more", self.caller.name);
            Err(Lost { reason, fatal: false })
        }
    }

    /// Sends everything, which takes a while, and ends it as the dice say.
    fn transact(&mut self, state: &mut State, batch: Batch) -> (Ending, BTreeMap<Place, Offset>) {
        let Contents { records, offsets } = self.contents(state, batch);
        let producer = &self.producer;
        let ending = ending(state);
        if ending == Ending::RecordsLate {
            // The positions are added behind the changelog's records, all others may come later.
            let is_early = !state.is_weak(Weakness::PositionsFirst);
            let (changelog, _) = state.engine("changelog", Shard(0));
            let is_changelog = |(place, _): &(Place, Entry)| is_early && place.0 == changelog;
            let (first, late): (Records, Records) = records.into_iter().partition(is_changelog);
            state.stage(producer, Contents { records: first, offsets });
            state.delay(producer, late);
            return (ending, BTreeMap::new());
        }
        let (first, second) = halves(state, records);
        let mut ends = state.stage(producer, Contents { records: first, offsets });
        let until = state.elapsed + Duration::from_micros(500 + state.dice.below(5_000));
        state.advance(until);
        let rest = Contents { records: second, offsets: BTreeMap::new() };
        ends.extend(state.stage(producer, rest));
        match ending {
            Ending::Done => {
                state.end(producer, true);
            }
            Ending::Forgotten => {
                state.end(producer, false);
                state.tally.count(Fault::EndForgotten);
            }
            Ending::Happened => {
                state.end(producer, true);
                state.tally.count(Fault::CommitHappened);
            }
            Ending::Vanished => state.tally.count(Fault::CommitVanished),
            Ending::Late | Ending::RecordsLate => state.delay(producer, Vec::new()),
        }
        (ending, ends)
    }

    /// Writes everything without a transaction, the changelog last; the dice may tear it anywhere.
    fn write(&mut self, state: &mut State, batch: Batch) -> (Ending, BTreeMap<Place, Offset>) {
        let Contents { records, offsets } = self.contents(state, batch);
        let (changelog, _) = state.engine("changelog", Shard(0));
        let is_changelog = |(place, _): &(Place, Entry)| place.0 == changelog;
        let (last, first): (Records, Records) = records.into_iter().partition(is_changelog);
        let ending = ending(state);
        let torn = !matches!(ending, Ending::Done | Ending::Forgotten | Ending::Happened);
        let early = torn && state.dice.chance(500);
        let mut ends = state.append_some(first, early);
        let until = state.elapsed + Duration::from_micros(500 + state.dice.below(5_000));
        state.advance(until);
        if !early {
            ends.extend(state.append_some(last, torn));
        }
        match ending {
            Ending::Done | Ending::Forgotten => {
                if state.dice.chance(300) {
                    state.owner.commit(self.member, &offsets);
                }
            }
            Ending::Happened => state.tally.count(Fault::CommitHappened),
            Ending::Vanished | Ending::Late | Ending::RecordsLate => {
                state.tally.count(Fault::CommitTorn);
            }
        }
        (ending, ends)
    }

    fn commit_now(&mut self, state: &mut State, batch: Batch) -> Answer {
        self.may_commit(state)?;
        if state.is_weak(Weakness::StoreFirst) {
            store::write_early(state, &self.caller.name, &batch);
        }
        let shards: Vec<Shard> = batch.shards.keys().copied().collect();
        let (ending, ends) = match state.setup.delivery {
            Delivery::ExactlyOnce => self.transact(state, batch),
            Delivery::AtLeastOnce => self.write(state, batch),
        };
        let is_transaction = state.setup.delivery == Delivery::ExactlyOnce;
        self.is_forgotten = is_transaction && ending == Ending::Forgotten;
        let is_confirmed = matches!(ending, Ending::Done | Ending::Forgotten);
        if !is_confirmed && !state.is_weak(Weakness::DoubtIgnored) {
            let reason = "the commit's outcome is in doubt".to_owned();
            return Err(Lost { reason, fatal: false });
        }
        let mut behind = BTreeMap::new();
        for shard in shards {
            let place = state.engine("changelog", shard);
            let high = state.log(&place).high();
            behind.insert(shard, ends.get(&place).copied().unwrap_or(high));
        }
        Ok(behind)
    }
}

impl Broker for SimulatedBroker {
    type Reader = SimulatedReader;

    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Polled, Lost> {
        let world = self.world.clone();
        let mut state = world.state();
        state.cross(&self.caller, PortCall::Poll, Moment::Before)?;
        self.look_back()?;
        let mut polled = self.rebalance(&mut state);
        polled.records = self.fetch(&mut state, records_max);
        if polled == Polled::default() {
            let until = state.elapsed + wait;
            state.advance(until);
        }
        state.cross(&self.caller, PortCall::Poll, Moment::After)?;
        Ok(polled)
    }

    fn resume(&mut self, positions: &BTreeMap<Shard, Offset>) -> Result<(), Lost> {
        let mut state = self.world.state();
        state.cross(&self.caller, PortCall::Resume, Moment::Before)?;
        for (shard, offset) in positions {
            if !self.held.contains(shard) {
                let reason = format!("shard {shard} is not {}'s", self.caller.name);
                return Err(Lost { reason, fatal: false });
            }
            let inbox = state.engine("inbox", *shard);
            if state.log(&inbox).high() < *offset {
                let what = format!("shard {shard} is resumed behind its end, at {offset}");
                state.complaints.push(what);
            }
            self.positions.insert(*shard, *offset);
        }
        state.cross(&self.caller, PortCall::Resume, Moment::After)
    }

    fn changelog(&mut self, shard: Shard, from: Offset) -> Result<SimulatedReader, Lost> {
        let mut state = self.world.state();
        state.cross(&self.caller, PortCall::Changelog, Moment::Before)?;
        let place = state.engine("changelog", shard);
        let weak = state.is_weak(Weakness::RestoreToStable);
        let log = state.log(&place);
        let end = if weak { log.stable() } else { log.high() };
        let stands = !log.is_taken_back(from) || state.is_weak(Weakness::LossUnnoticed);
        state.cross(&self.caller, PortCall::Changelog, Moment::After)?;
        drop(state);
        let (world, caller) = (self.world.clone(), self.caller.clone());
        Ok(SimulatedReader::new(world, caller, place, (from, end), stands))
    }

    fn read_up_to(&mut self, topics: &BTreeSet<Topic>, _: Timestamp) -> ReadUpTo {
        let mut state = self.world.state();
        let is_read = topics.iter().all(|topic| state.is_read(topic));
        if is_read || state.is_weak(Weakness::AnswersOvertaken) {
            return ReadUpTo { until: state.wall(&self.caller.name), ..ReadUpTo::ALL };
        }
        state.tally.count(Fault::TimerHeld);
        ReadUpTo { until: Timestamp(i64::MIN), ..ReadUpTo::ALL }
    }

    /// What is begun has happened; it is told later.
    fn begin(&mut self, batch: Batch) -> Result<(), Lost> {
        let world = self.world.clone();
        let mut state = world.state();
        state.cross(&self.caller, PortCall::Commit, Moment::Before)?;
        self.look_back()?;
        if self.answer.is_some() {
            let what = format!("{} commits while a commit is under way", self.caller.name);
            state.complaints.push(what);
        }
        self.answer = Some(self.commit_now(&mut state, batch));
        state.cross(&self.caller, PortCall::Commit, Moment::After)
    }

    fn is_concluded(&mut self, _wait: Duration) -> bool {
        self.world.state().dice.chance(300)
    }

    fn conclude(&mut self) -> Answer {
        self.world.state().live(&self.caller)?;
        self.answer.take().unwrap_or_else(|| {
            Err(Lost { reason: "there was no commit to conclude".to_owned(), fatal: true })
        })
    }
}

impl Waker for SimulatedBroker {
    fn append(&mut self, append: Append, at: Timestamp) -> Result<(), Lost> {
        let mut state = self.world.state();
        state.cross(&self.caller, PortCall::Append, Moment::Before)?;
        let place = state.engine("inbox", append.shard);
        let entry = Entry::new(at, Some(append.value));
        let line = state.lines.get_mut(&self.line).expect("a line lives as long as its broker");
        line.push(Parcel::Append(place, entry));
        state.cross(&self.caller, PortCall::Append, Moment::After)
    }
}

impl Drop for SimulatedBroker {
    fn drop(&mut self) {
        if let Some(line) = self.world.state().lines.get_mut(&self.line) {
            line.orphaned = true;
        }
    }
}

type Records = Vec<(Place, Entry)>;

fn halves(state: &mut State, mut records: Records) -> (Records, Records) {
    let middle = state.dice.place(records.len() + 1);
    let second = records.split_off(middle);
    (records, second)
}

/// A dead letter as a record.
pub(super) fn dead_letter(state: &State, letter: DeadLetter, now: Timestamp) -> (Place, Entry) {
    let (topic, _) = state.engine("dead-letters", Shard(0));
    let Headers(mut headers) = letter.headers;
    headers.push((REASON.to_owned(), letter.reason.into()));
    let entry = Entry {
        timestamp: now,
        key: letter.key,
        value: Some(letter.body),
        headers: Headers(headers),
        standing: Standing::Committed,
        compacted: false,
    };
    ((topic, 0), entry)
}

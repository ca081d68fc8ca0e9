use std::collections::BTreeMap;
use std::time::Duration;

use super::broker::dead_letter;
use super::fault::{Moment, PortCall};
use super::line::{Line, Parcel};
use super::log::Entry;
use super::setup::Place;
use super::state::{Caller, State};
use super::world::World;
use crate::message::{Offset, Origin};
use crate::runtime::{Acceptance, Accepted, Forward, Lost, Source, SourceRecord};

/// A gateway's connection to the world.
#[derive(Debug)]
pub struct SimulatedSource {
    world: World,
    caller: Caller,
    member: u64,
    line: u64,
    positions: BTreeMap<Place, Offset>,
}

impl SimulatedSource {
    pub(super) fn new(world: World, caller: Caller) -> Self {
        let mut state = world.state();
        let member = state.id();
        state.gateway.join(member, &caller.name);
        let line = state.id();
        state.lines.insert(line, Line::new(&caller.name, member));
        drop(state);
        Self { world, caller, member, line, positions: BTreeMap::new() }
    }

    fn rebalance(&mut self, state: &mut State) {
        if !state.gateway.is_member(self.member) {
            if state.dice.chance(300) {
                state.gateway.join(self.member, &self.caller.name);
                self.positions.clear();
            }
            return;
        }
        let change = state.gateway.rebalance(self.member);
        for place in change.revoked {
            self.positions.remove(&place);
        }
        for place in change.assigned {
            let offset = state.source_position(&place);
            self.positions.insert(place, offset);
        }
    }

    fn fetch(&mut self, state: &mut State, records_max: usize) -> Vec<SourceRecord> {
        let mut found = Vec::new();
        let most = (1 + state.dice.place(8)).min(records_max);
        let first = state.dice.place(self.positions.len());
        let mut positions: Vec<_> = self.positions.iter_mut().collect();
        positions.rotate_left(first);
        for (place, position) in positions {
            // Nobody has accepted it: nothing of it is read.
            if state.is_stopped(&place.0) {
                continue;
            }
            let (base, incarnation) = (state.base(place), state.incarnation(&place.0));
            *position = base.max(*position);
            let log = state.log(place);
            let end = log.high();
            let seen = log.committed(*position, end).take(most - found.len());
            let record = |(offset, entry): (Offset, &Entry)| SourceRecord {
                origin: Origin {
                    topic: place.0.clone(),
                    partition: place.1,
                    offset: Offset(offset.0 - base.0),
                },
                incarnation,
                key: entry.key.clone(),
                headers: entry.headers.clone(),
                body: entry.value.clone(),
                timestamp: entry.timestamp,
            };
            let records: Vec<SourceRecord> = seen.map(record).collect();
            if let Some(last) = records.last() {
                *position = Offset(base.0 + last.origin.offset.next().0);
            }
            found.extend(records);
        }
        found
    }
}

impl Source for SimulatedSource {
    fn poll(&mut self, wait: Duration, records_max: usize) -> Result<Vec<SourceRecord>, Lost> {
        let world = self.world.clone();
        let mut state = world.state();
        state.cross(&self.caller, PortCall::SourcePoll, Moment::Before)?;
        self.rebalance(&mut state);
        let records = self.fetch(&mut state, records_max);
        if records.is_empty() {
            let until = state.elapsed + wait;
            state.advance(until);
        }
        state.cross(&self.caller, PortCall::SourcePoll, Moment::After)?;
        Ok(records)
    }

    fn forward(&mut self, forward: Forward) -> Result<(), Lost> {
        let mut state = self.world.state();
        state.cross(&self.caller, PortCall::Forward, Moment::Before)?;
        let now = state.wall(&self.caller.name);
        let mut parcels = Vec::new();
        for append in forward.appends {
            let place = state.engine("inbox", append.shard);
            parcels.push(Parcel::Append(place, Entry::new(now, Some(append.value))));
        }
        for letter in forward.dead_letters {
            let (place, entry) = dead_letter(&state, letter, now);
            parcels.push(Parcel::Append(place, entry));
        }
        let offsets = forward.positions.into_iter().map(|(place, offset)| {
            let base = state.base(&place);
            (place, Offset(base.0 + offset.0))
        });
        parcels.push(Parcel::Offsets(offsets.collect()));
        let line = state.lines.get_mut(&self.line).expect("a line lives as long as its source");
        for parcel in parcels {
            line.push(parcel);
        }
        state.cross(&self.caller, PortCall::Forward, Moment::After)
    }

    fn accept(&mut self, acceptance: &Acceptance) -> Result<Accepted, Lost> {
        let mut state = self.world.state();
        state.live(&self.caller)?;
        Ok(state.accept(acceptance))
    }
}

impl Drop for SimulatedSource {
    fn drop(&mut self) {
        if let Some(line) = self.world.state().lines.get_mut(&self.line) {
            line.orphaned = true;
        }
    }
}

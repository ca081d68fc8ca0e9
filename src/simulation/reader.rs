use super::fault::{Moment, PortCall, Weakness};
use super::log::{Entry, Standing};
use super::setup::Place;
use super::state::Caller;
use super::world::World;
use crate::message::Offset;
use crate::runtime::{ChangelogReader, ChangelogRecord, Lost};

/// Reads one shard's changelog up to its end as of the reader's making.
#[derive(Debug)]
pub struct SimulatedReader {
    world: World,
    caller: Caller,
    place: Place,
    position: Offset,
    end: Offset,
    stands: bool,
}

impl SimulatedReader {
    pub(super) fn new(
        world: World,
        caller: Caller,
        place: Place,
        (position, end): (Offset, Offset),
        stands: bool,
    ) -> Self {
        Self { world, caller, place, position, end, stands }
    }
}

impl ChangelogReader for SimulatedReader {
    fn next(&mut self) -> Result<Vec<ChangelogRecord>, Lost> {
        let mut state = self.world.state();
        state.cross(&self.caller, PortCall::Read, Moment::Before)?;
        let shows_all = state.is_weak(Weakness::UncommittedRestored);
        if !shows_all {
            state.wait_for_stable(&self.place, self.end);
        }
        let most = 1 + state.dice.place(16);
        let log = state.log(&self.place);
        let is_shown = |entry: &Entry| match entry.standing {
            Standing::Committed => !entry.compacted,
            Standing::Open(_) | Standing::Aborted => shows_all,
            Standing::Marker => false,
        };
        let shown = log.all(self.position, self.end).filter(|(_, e)| is_shown(e));
        let record = |(offset, entry): (Offset, &Entry)| ChangelogRecord {
            offset,
            key: entry.key.clone().unwrap_or_default(),
            value: entry.value.clone(),
        };
        let records: Vec<ChangelogRecord> = shown.take(most).map(record).collect();
        self.position = match records.last() {
            Some(last) => last.offset.next(),
            None => self.position.max(self.end),
        };
        state.cross(&self.caller, PortCall::Read, Moment::After)?;
        Ok(records)
    }

    fn position(&self) -> Offset {
        self.position
    }

    fn stands(&self) -> bool {
        self.stands
    }
}

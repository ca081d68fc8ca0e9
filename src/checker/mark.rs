use std::hash::{Hash as _, Hasher};

use super::answers::Memory;
use super::model::{Around, State};
use super::settled::Settled;
use super::spots::requests;
use super::symmetry::Symmetry;
use crate::definition::Definition;
use crate::engine::{Instance, Progress};

/// What tells states apart.
pub(super) type Mark = [u8; 16];

/// The mark of a state: equal states have the same, and it is as good as impossible that two
/// different ones do.
fn mark(state: &State) -> Mark {
    let mut bytes = Bytes(Vec::with_capacity(4_096));
    state.instance.hash(&mut bytes);
    let Around { memory, partners, early, cancelled, skipped } = &state.around;
    (memory, early, cancelled, skipped).hash(&mut bytes);
    bytes.write_usize(partners.len());
    for (id, partner) in partners {
        // The rest of a letter follows from the step that it is about.
        (id, &partner.letter.step, partner.letter.round, partner.stands as u8).hash(&mut bytes);
    }
    bytes.mark()
}

/// The same without what decides nothing any more.
pub(super) fn brief(settled: &Settled, state: &State) -> Mark {
    settled.without(state).map_or_else(|| mark(state), |rest| mark(&rest))
}

/// The same for a state and its twins: the least of their marks.
pub(super) fn least(symmetry: &Symmetry, settled: &Settled, state: &State) -> Mark {
    let twins = symmetry.twins(state);
    twins.iter().map(|twin| brief(settled, twin)).fold(brief(settled, state), Mark::min)
}

/// What tells ways to an end apart: the answers to conditions, and what still waits for an answer.
pub(super) fn rests_on(definition: &Definition, state: &State, memory: &Memory) -> Mark {
    let mut bytes = Bytes(Vec::with_capacity(1_024));
    memory.hash(&mut bytes);
    if let Some(life) = state.instance.as_ref().and_then(Instance::newest) {
        for asked in requests(definition, life) {
            if matches!(asked.progress, Progress::Waiting(_) | Progress::Pausing(_)) {
                asked.spot.name.hash(&mut bytes);
            }
        }
    }
    bytes.mark()
}

/// What is hashed, one after the other; whole numbers as short as they are.
struct Bytes(Vec<u8>);

impl Bytes {
    fn mark(&self) -> Mark {
        let mut mark = [0; 16];
        mark.copy_from_slice(&blake3::hash(&self.0).as_bytes()[..16]);
        mark
    }
}

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, mut number: u64) {
        while number >= 128 {
            self.0.push(number.to_le_bytes()[0] | 128);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        unreachable!("the bytes are hashed as a whole")
    }
}

//! Finds timers that struck although an answer that came in time was not read yet.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::setup::Place;
use super::world::World;
use crate::engine::{Note, NoteKind, Wake};
use crate::message::{CommandId, InstanceId, Offset, Topic, header};

/// Source partitions, by topic, partition and the topic's id, each with the last offset that the
/// shard has taken.
pub(super) type Taken = BTreeMap<(String, i32, Vec<u8>), i64>;

/// The answers that lay in users' topics at the moment up to which timers struck, and were not
/// taken before. Where clocks were set, moments cannot be compared, and nothing is found.
pub(super) fn overtaken(
    world: &World,
    sources: &[Topic],
    taken: &Taken,
    id: &InstanceId,
    notes: &[Note],
    wake: Wake,
) -> Vec<String> {
    let mut found = Vec::new();
    let timed_out: Vec<&Note> =
        notes.iter().filter(|note| note.kind() == NoteKind::TimedOut).collect();
    if timed_out.is_empty() || world.tally().of(Fault::ClockJumped) > 0 {
        return found;
    }
    for seen in sources.iter().flat_map(|topic| world.committed(topic)) {
        let text = seen.headers.text(header::COMMAND);
        let Some(command) = text.and_then(|text| text.parse::<CommandId>().ok()) else {
            continue;
        };
        let answers = |note: &&Note| {
            note.life == command.life
                && note.step.as_ref().is_some_and(|step| command.subject.step() == Some(step))
        };
        let is_taken = is_taken(world, taken, &seen.place, seen.offset);
        let in_time = seen.timestamp <= wake.until && command.instance == *id;
        if in_time && !is_taken && timed_out.iter().any(answers) {
            found.push(format!("the time of {command} was up before its answer was read"));
        }
    }
    found
}

/// Whether a record was taken, in whichever topic of that name it stood. A topic is made anew only
/// when all of it is passed on; shards count from its new beginning.
fn is_taken(world: &World, taken: &Taken, place: &Place, offset: Offset) -> bool {
    let state = world.state();
    let base = state.base(place);
    if offset < base {
        return true;
    }
    let Some(incarnation) = state.incarnation(&place.0) else { return true };
    let (topic, partition) = (place.0.as_str().to_owned(), place.1);
    let last = taken.get(&(topic, partition, incarnation.id.as_bytes().to_vec()));
    last.is_some_and(|last| offset.0 - base.0 <= *last)
}

use std::collections::{BTreeMap, VecDeque};

use prost::Message as _;

use super::fault::Fault;
use super::log::Entry;
use super::state::State;
use super::world::Place;
use crate::format::wire;
use crate::message::Offset;
use crate::runtime::InboxRecord;

/// Appends of one idempotent producer on their way: they arrive in order, or not at all.
#[derive(Debug)]
pub(super) struct Line {
    pub name: String,
    /// The gateway's member, whose offsets are committed behind the appends.
    pub member: u64,
    /// Its process is gone: what is still here may yet arrive, or be lost.
    pub orphaned: bool,
    queue: VecDeque<Parcel>,
}

/// One thing on its way.
#[derive(Debug)]
pub(super) enum Parcel {
    Append(Place, Entry),
    Offsets(BTreeMap<Place, Offset>),
}

impl Line {
    pub fn new(name: &str, member: u64) -> Self {
        Self { name: name.to_owned(), member, orphaned: false, queue: VecDeque::new() }
    }

    pub fn push(&mut self, parcel: Parcel) {
        self.queue.push_back(parcel);
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

impl State {
    /// Lets some of what is on its way arrive.
    pub fn arrive(&mut self) {
        let lines: Vec<u64> = self.lines.keys().copied().collect();
        for id in lines {
            let orphaned = self.lines[&id].orphaned;
            while !self.lines[&id].is_empty() && self.dice.chance(700) {
                if orphaned && self.dice.chance(300) {
                    self.lose(id);
                } else {
                    self.deliver(id);
                }
            }
            if orphaned && self.lines[&id].is_empty() {
                self.lines.remove(&id);
            }
        }
    }

    fn lose(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let lost = line.queue.iter().any(|p| matches!(p, Parcel::Append(..)));
        line.queue.clear();
        if lost {
            self.tally.count(Fault::AppendLost);
        }
    }

    fn deliver(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let member = line.member;
        match line.queue.pop_front() {
            None => {}
            Some(Parcel::Append(place, entry)) => {
                self.note_repeat(&place, &entry);
                self.log(&place).append(entry);
            }
            Some(Parcel::Offsets(offsets)) => {
                self.gateway.commit(member, &offsets);
            }
        }
    }

    /// Counts an append of something that stands in that inbox already.
    fn note_repeat(&mut self, inbox: &Place, entry: &Entry) {
        let origin = |value: &[u8]| {
            let inbox = wire::Inbox::decode(value).ok()?;
            inbox.event().map(|e| (e.topic_id.clone(), e.partition, e.offset))
        };
        let Some((topic_id, partition, offset)) = entry.value.as_deref().and_then(origin) else {
            return;
        };
        let source = (inbox.clone(), topic_id, partition);
        let is_repeat = !self.appended.entry(source).or_default().insert(offset);
        if is_repeat {
            self.tally.count(Fault::Repeated);
        }
    }
}

/// Makes a record look as if it had never been here before.
pub(super) fn forget_origin(state: &mut State, record: &mut InboxRecord) {
    let Ok(mut inbox) = wire::Inbox::decode(record.value.clone()) else { return };
    if let Some(wire::inbox::Input::Event(event)) = &mut inbox.input {
        event.offset = 1_000_000 + i64::try_from(state.id()).unwrap_or(0);
        record.value = inbox.encode_to_vec().into();
    }
}

//! What is on its way arrives, or is lost.

use prost::Message as _;

use super::super::fault::Fault;
use super::super::line::Parcel;
use super::super::log::Entry;
use super::super::setup::Place;
use super::State;
use crate::format::wire;
use crate::runtime::InboxRecord;

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
        if line.lose() {
            self.tally.count(Fault::AppendLost);
        }
    }

    fn deliver(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let member = line.member;
        match line.pop() {
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

    /// Makes a record look as if it had never been here before.
    pub fn forget_origin(&mut self, record: &mut InboxRecord) {
        let Ok(mut inbox) = wire::Inbox::decode(record.value.clone()) else { return };
        if let Some(wire::inbox::Input::Event(event)) = &mut inbox.input {
            event.offset = 1_000_000 + i64::try_from(self.id()).unwrap_or(0);
            record.value = inbox.encode_to_vec().into();
        }
    }
}

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::definition::Starts;
use crate::format::{self, open, seal, wire};
use crate::message::{Incarnation, Offset, TopicId};

/// How many topics that had the same name are told apart.
const INCARNATIONS_MAX: usize = 4;

/// How far a shard is: the next inbox record, the watermark of every source partition, and what
/// starts in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Position {
    pub inbox: Offset,
    /// None until the shard was told: every definition that is stored starts.
    pub starts: Option<Arc<Starts>>,
    watermarks: BTreeMap<String, BTreeMap<i32, Vec<Watermark>>>,
}

/// The highest offset that was taken over from one partition of one topic.
///
/// What the partition's earlier topics had is remembered for a while: a gateway that was frozen
/// while a person accepted the new topic may still append what it had read of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watermark {
    /// None for what was taken over before ids were written, or where there are none.
    topic: Option<TopicId>,
    offset: i64,
}

impl Position {
    /// Takes over an event by its origin; answers whether it is new to this shard.
    pub fn advance(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        incarnation: Option<Incarnation>,
    ) -> bool {
        if !self.watermarks.contains_key(topic) {
            self.watermarks.insert(topic.to_owned(), BTreeMap::new());
        }
        let partitions = self.watermarks.get_mut(topic).expect("it was put there just now");
        let marks = partitions.entry(partition).or_default();
        let Some(place) = place(marks, incarnation) else {
            marks.push(Watermark { topic: incarnation.map(|i| i.id), offset });
            if marks.len() > INCARNATIONS_MAX {
                marks.remove(0);
            }
            return true;
        };
        let mark = &mut marks[place];
        if let Some(incarnation) = incarnation {
            mark.topic = Some(incarnation.id);
        }
        let is_new = offset > mark.offset;
        mark.offset = offset.max(mark.offset);
        is_new
    }

    /// Takes over what starts from here on; answers whether that is news to this shard.
    pub fn follow(&mut self, starts: Starts) -> bool {
        let is_news = self.starts.as_ref().is_none_or(|known| known.offset < starts.offset);
        if is_news {
            self.starts = Some(Arc::new(starts));
        }
        is_news
    }

    pub fn encode(&self) -> Bytes {
        let mut watermarks = Vec::new();
        for (topic, partitions) in &self.watermarks {
            for (partition, marks) in partitions {
                watermarks.extend(marks.iter().map(|mark| wire::Watermark {
                    topic: topic.clone(),
                    partition: *partition,
                    offset: mark.offset,
                    topic_id: mark.topic.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
                }));
            }
        }
        let starts = self.starts.as_deref().map(wire::Starts::of);
        seal(&wire::Position { inbox: self.inbox.0, watermarks, starts }).into()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, format::Error> {
        let stored: wire::Position = open(bytes)?;
        let starts = stored.starts.map(|starts| starts.read()).transpose()?;
        let (inbox, starts) = (Offset(stored.inbox), starts.map(Arc::new));
        let mut position = Self { inbox, starts, watermarks: BTreeMap::new() };
        for stored in stored.watermarks {
            let partitions = position.watermarks.entry(stored.topic).or_default();
            let topic = TopicId::of_bytes(&stored.topic_id);
            let mark = Watermark { topic, offset: stored.offset };
            partitions.entry(stored.partition).or_default().push(mark);
        }
        Ok(position)
    }
}

/// Which watermark an event is compared with; none if it begins one.
///
/// An event without an id is compared with the newest. A watermark without an id is that of the
/// topic which the next id names, unless a person has accepted that topic in another's place.
fn place(marks: &[Watermark], incarnation: Option<Incarnation>) -> Option<usize> {
    let last = marks.len().checked_sub(1)?;
    let Some(Incarnation { id, accepted }) = incarnation else { return Some(last) };
    let same = marks.iter().position(|mark| mark.topic == Some(id));
    let adopted = (marks[last].topic.is_none() && !accepted).then_some(last);
    same.or(adopted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(topic: &str, accepted: bool) -> Incarnation {
        Incarnation { id: TopicId::derived(&[topic]), accepted }
    }

    fn again(position: &Position) -> Position {
        Position::decode(&position.encode()).expect("what was written can be read")
    }

    #[test]
    fn an_event_is_new_once() {
        let mut position = Position::default();
        assert!(position.advance("a", 0, 5, None));
        assert!(!position.advance("a", 0, 5, None));
        assert!(!position.advance("a", 0, 4, None));
        assert!(position.advance("a", 1, 0, None));
        assert!(position.advance("a", 0, 6, None));
        position.inbox = Offset(9);
        assert_eq!(again(&position), position);
    }

    #[test]
    fn what_starts_is_kept_and_the_newest_word_counts() {
        let said = |offset: i64| {
            let (offset, node) = (Offset(offset), "n1".into());
            Starts { offset, node, sagas: BTreeMap::new() }
        };
        let mut position = Position::default();
        assert!(position.follow(said(4)));
        assert!(!position.follow(said(4)), "every gateway says it");
        assert!(!position.follow(said(3)));
        assert_eq!(again(&position), position);
        assert!(position.follow(said(5)));
    }

    /// As the engine of commit 6d019de wrote it.
    #[test]
    fn an_older_position_is_read_and_carried_on() {
        let stored = b"\x01\xba\x0b\xa2\xd7\x08c\x12\x0f\n\x0bshop.orders\x18\x05\
            \x12\x13\n\x0bshop.orders\x10\x02\x18\xf0\xa2\x04\
            \x12\x11\n\rshop.payments\x10\x04";
        let mut position = Position::decode(stored).expect("it is whole");
        assert_eq!((position.inbox, position.starts.as_ref()), (Offset(99), None));
        assert!(!position.advance("shop.orders", 0, 5, None));
        assert!(!position.advance("shop.orders", 1, 70_000, Some(named("present", false))));
        assert!(position.advance("shop.orders", 1, 70_001, Some(named("present", false))));
        assert!(!position.advance("shop.payments", 2, 0, None));
        assert!(position.advance("shop.payments", 1, 0, None));
    }

    #[test]
    fn another_topic_of_the_same_name_begins_a_new_watermark() {
        let mut position = Position::default();
        assert!(position.advance("a", 0, 1999, Some(named("old", false))));
        let mut position = again(&position);
        assert!(position.advance("a", 0, 0, Some(named("new", true))));
        assert!(!position.advance("a", 0, 0, Some(named("new", true))));
        let mut position = again(&position);
        assert!(
            !position.advance("a", 0, 1999, Some(named("old", false))),
            "a late repeat of the old one"
        );
        assert!(position.advance("a", 0, 1, Some(named("new", true))));
        assert!(!position.advance("a", 0, 1, None), "an older segue knows the newest one alone");
    }

    #[test]
    fn a_watermark_without_an_id_takes_the_first_that_comes() {
        let mut position = Position::default();
        assert!(position.advance("a", 0, 7, None));
        assert!(!position.advance("a", 0, 7, Some(named("a", false))), "a repeat stays one");
        assert!(position.advance("a", 0, 8, Some(named("a", false))));
        assert!(!position.advance("a", 0, 8, None));
        assert!(position.advance("a", 0, 0, Some(named("b", false))), "by now it has its id");
    }

    #[test]
    fn a_watermark_without_an_id_is_not_that_of_an_accepted_topic() {
        let mut position = Position::default();
        assert!(position.advance("a", 0, 7, None));
        assert!(position.advance("a", 0, 0, Some(named("new", true))));
        assert!(!position.advance("a", 0, 0, Some(named("new", true))));
    }

    #[test]
    fn only_a_few_incarnations_are_remembered() {
        let mut position = Position::default();
        for number in 0..20 {
            assert!(position.advance("a", 0, 3, Some(named(&number.to_string(), true))));
        }
        assert_eq!(position.watermarks["a"][&0].len(), INCARNATIONS_MAX);
        assert!(!position.advance("a", 0, 3, Some(named("19", true))));
    }
}

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::format::{self, open, seal, wire};
use crate::message::{Offset, Shard};

/// How far a shard is: the next inbox record, and the watermark of every source partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Position {
    pub inbox: Offset,
    watermarks: BTreeMap<String, BTreeMap<i32, i64>>,
}

impl Position {
    /// The changelog key that a shard's position stands under.
    pub fn key(shard: Shard) -> Bytes {
        format!("p/{shard}").into()
    }

    /// Takes over an event by its origin; answers whether it is new to this shard.
    pub fn advance(&mut self, topic: &str, partition: i32, offset: i64) -> bool {
        if !self.watermarks.contains_key(topic) {
            self.watermarks.insert(topic.to_owned(), BTreeMap::new());
        }
        let partitions = self.watermarks.get_mut(topic).expect("it was put there just now");
        let mark = partitions.entry(partition).or_insert(-1);
        let is_new = offset > *mark;
        *mark = offset.max(*mark);
        is_new
    }

    pub fn encode(&self) -> Bytes {
        let watermarks = self.watermarks.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(|(partition, offset)| wire::Watermark {
                topic: topic.clone(),
                partition: *partition,
                offset: *offset,
            })
        });
        seal(&wire::Position { inbox: self.inbox.0, watermarks: watermarks.collect() }).into()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, format::Error> {
        let stored: wire::Position = open(bytes)?;
        let mut position = Self { inbox: Offset(stored.inbox), watermarks: BTreeMap::new() };
        for mark in stored.watermarks {
            let partitions = position.watermarks.entry(mark.topic).or_default();
            partitions.insert(mark.partition, mark.offset);
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once() {
        let mut position = Position::default();
        assert!(position.advance("a", 0, 5));
        assert!(!position.advance("a", 0, 5));
        assert!(!position.advance("a", 0, 4));
        assert!(position.advance("a", 1, 0));
        assert!(position.advance("a", 0, 6));
        position.inbox = Offset(9);
        let again = Position::decode(&position.encode());
        assert_eq!(again, Ok(position));
    }
}

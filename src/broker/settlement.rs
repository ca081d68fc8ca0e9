use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;

use super::appender::Unacknowledged;
use super::assignments::Partition;
use crate::message::{Offset, Topic};

/// Which source offsets may be committed.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    /// In the order of appending.
    open: VecDeque<Expected>,
    /// Acknowledged, like everything before.
    pub ready: BTreeMap<Partition, i64>,
}

impl Settlement {
    /// Notes what may be committed once `count` is 0.
    pub(super) fn expect(
        &mut self,
        count: Unacknowledged,
        positions: BTreeMap<(Topic, i32), Offset>,
    ) {
        self.open.push_back(Expected { count, positions });
        // Keeps the queue as short as what is under way.
        self.settle();
    }

    /// Finds out what has become ready.
    pub(super) fn settle(&mut self) {
        while let Some(Expected { count, positions }) = self.open.front() {
            if count.load(Ordering::Acquire) > 0 {
                return;
            }
            for ((topic, partition), offset) in positions {
                self.ready.insert((topic.as_str().to_owned(), *partition), offset.0);
            }
            self.open.pop_front();
        }
    }

    /// Forgets a topic whose offsets mean nothing any more.
    pub(super) fn forget(&mut self, topic: &Topic) {
        self.ready.retain(|(name, _), _| name != topic.as_str());
        for expected in &mut self.open {
            expected.positions.retain(|(name, _), _| name != topic);
        }
    }
}

/// What becomes true with the last acknowledgement of one call.
#[derive(Debug)]
struct Expected {
    count: Unacknowledged,
    positions: BTreeMap<(Topic, i32), Offset>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn positions(offset: i64) -> BTreeMap<(Topic, i32), Offset> {
        let topic = Topic::new("shop.orders").expect("a topic");
        BTreeMap::from([((topic, 0), Offset(offset))])
    }

    fn ready(settlement: &mut Settlement) -> Option<i64> {
        settlement.settle();
        settlement.ready.get(&("shop.orders".to_owned(), 0)).copied()
    }

    #[test]
    fn offsets_wait_for_everything_before_them() {
        let mut settlement = Settlement::default();
        let (first, second) = (Unacknowledged::default(), Unacknowledged::default());
        first.store(1, Ordering::Release);
        second.store(1, Ordering::Release);
        settlement.expect(Arc::clone(&first), positions(10));
        settlement.expect(Arc::clone(&second), positions(20));
        second.store(0, Ordering::Release);
        assert_eq!(ready(&mut settlement), None);
        first.store(0, Ordering::Release);
        assert_eq!(ready(&mut settlement), Some(20));
        settlement.expect(Unacknowledged::default(), positions(30));
        assert_eq!(ready(&mut settlement), Some(30), "nothing was made of these records");
    }

    #[test]
    fn nothing_of_a_topic_that_is_forgotten_becomes_ready() {
        let mut settlement = Settlement::default();
        let under_way = Unacknowledged::default();
        settlement.expect(Unacknowledged::default(), positions(5));
        under_way.store(1, Ordering::Release);
        settlement.expect(Arc::clone(&under_way), positions(10));
        settlement.forget(&Topic::new("shop.orders").expect("a topic"));
        under_way.store(0, Ordering::Release);
        assert_eq!(ready(&mut settlement), None);
    }
}

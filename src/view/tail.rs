use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use super::{Entry, Position};
use crate::message::Offset;

/// The most entries that wait for one who reads; who is slower is dropped.
pub const TAIL_ENTRIES_MAX: usize = 1_000;

/// Transitions as the view meets them, from the moment on at which it was asked for.
#[derive(Debug)]
pub struct Tail {
    read: Receiver<Arc<Entry>>,
    from: Position,
}

/// What comes next of a tail.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A transition.
    Entry(Arc<Entry>),
    /// Nothing has come in time.
    Nothing,
    /// There is nothing more: whoever reads was too slow, or the view has ended.
    Dropped,
}

impl Tail {
    /// The place in the history from which on it tells everything.
    #[must_use]
    pub fn from(&self) -> &Position {
        &self.from
    }

    /// What comes next, waiting at most `limit`.
    #[must_use]
    pub fn next(&self, limit: Duration) -> Next {
        match self.read.recv_timeout(limit) {
            Ok(entry) => Next::Entry(entry),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::Dropped,
        }
    }
}

/// Those who read transitions as they come, and how far the history was read.
#[derive(Debug, Default)]
pub(super) struct Tails {
    readers: Vec<SyncSender<Arc<Entry>>>,
    position: Position,
}

impl Tails {
    pub fn add(&mut self) -> Tail {
        let (tell, read) = sync_channel(TAIL_ENTRIES_MAX);
        self.readers.push(tell);
        Tail { read, from: self.position.clone() }
    }

    pub fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// How far the history was read.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The history is read from there on.
    pub fn begin(&mut self, position: Position) {
        self.position = position;
    }

    /// A partition of the history was read to there.
    pub fn reach(&mut self, partition: i32, next: Offset) {
        self.position.reach(partition, next);
    }

    /// Tells a transition to all; who is gone or too slow is told nothing more.
    pub fn tell(&mut self, entry: &Arc<Entry>) {
        self.readers.retain(|tell| match tell.try_send(Arc::clone(entry)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Timestamp;
    use crate::status::Moment;
    use crate::view::Coordinates;

    fn entry(transition: u64) -> Arc<Entry> {
        let place = Coordinates { topic: "t".to_owned(), partition: 0, offset: 0 };
        Arc::new(Entry {
            saga: "order".to_owned(),
            key: "o-1".to_owned(),
            life: "1".to_owned(),
            transition,
            at: Moment(Timestamp(0)),
            status: "running".to_owned(),
            stored: place.clone(),
            input: place,
            notes: Vec::new(),
        })
    }

    #[test]
    fn who_reads_gets_each_entry_once_and_in_order() {
        let mut tails = Tails::default();
        tails.tell(&entry(1));
        tails.reach(0, Offset(1));
        let tail = tails.add();
        assert_eq!(tail.from().to_string(), "0-1", "it says from where on it tells");
        assert_eq!(tail.next(Duration::ZERO), Next::Nothing, "what was told before is not told");
        tails.tell(&entry(2));
        tails.tell(&entry(3));
        assert_eq!(tail.next(Duration::ZERO), Next::Entry(entry(2)));
        assert_eq!(tail.next(Duration::ZERO), Next::Entry(entry(3)));
        drop(tails);
        assert_eq!(tail.next(Duration::ZERO), Next::Dropped);
    }

    #[test]
    fn who_is_too_slow_is_dropped_behind_what_it_has_and_the_others_are_not() {
        let mut tails = Tails::default();
        let slow = tails.add();
        let most = u64::try_from(TAIL_ENTRIES_MAX).expect("small");
        for transition in 0..=most {
            if transition == most {
                let quick = tails.add();
                tails.tell(&entry(transition));
                assert_eq!(quick.next(Duration::ZERO), Next::Entry(entry(transition)));
            } else {
                tails.tell(&entry(transition));
            }
        }
        for transition in 0..most {
            assert_eq!(slow.next(Duration::ZERO), Next::Entry(entry(transition)));
        }
        assert_eq!(slow.next(Duration::ZERO), Next::Dropped);
        tails.tell(&entry(0));
        assert!(tails.is_empty(), "who is gone is not kept");
    }
}

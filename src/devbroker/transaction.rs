//! The transaction coordinator: who may write under a transactional id, and what it has touched.
//!
//! ```text
//!  InitProducerId          AddPartitions, AddOffsets         EndTxn
//!  ───────────────▶ Idle ──────────────────────────▶ Open ───────────▶ Ended
//!                     ▲                               │ timeout,         │
//!                     └────────── next epoch ◀────────┴─ InitProducerId ─┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, Bytes};
use kafka_protocol::ResponseError;

use super::stored::Stored;
use super::topics::Place;

/// Longest transaction that a producer may ask for.
pub(super) const TIMEOUT_MS_MAX: i32 = 900_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Idle,
    Open { since_ms: i64 },
    Ended { committed: bool },
}

/// A producer as it names itself in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Producer {
    pub id: i64,
    pub epoch: i16,
}

/// What the end of a transaction has to be told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub producer: Producer,
    pub committed: bool,
    pub places: BTreeSet<Place>,
    pub groups: BTreeSet<String>,
}

/// The state of one transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction {
    producer: Producer,
    timeout_ms: i32,
    status: Status,
    places: BTreeSet<Place>,
    groups: BTreeSet<String>,
}

impl Transaction {
    fn check(&self, producer: Producer) -> Result<(), ResponseError> {
        if producer.id != self.producer.id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if producer.epoch != self.producer.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        Ok(())
    }

    fn open(&mut self, now_ms: i64) {
        if !matches!(self.status, Status::Open { .. }) {
            self.status = Status::Open { since_ms: now_ms };
        }
    }

    fn end(&mut self, committed: bool) -> Ending {
        self.status = Status::Ended { committed };
        Ending {
            producer: self.producer,
            committed,
            places: std::mem::take(&mut self.places),
            groups: std::mem::take(&mut self.groups),
        }
    }

    /// Fences whoever holds the present epoch; the marker of an abort carries the new one.
    fn fence(&mut self, next_id: &mut i64) -> Option<Ending> {
        let was_open = matches!(self.status, Status::Open { .. });
        if self.producer.epoch >= i16::MAX - 1 {
            let ending = was_open.then(|| {
                self.producer.epoch = i16::MAX;
                self.end(false)
            });
            self.producer = Producer { id: *next_id, epoch: 0 };
            *next_id += 1;
            return ending;
        }
        self.producer.epoch += 1;
        was_open.then(|| self.end(false))
    }
}

/// All transactional ids.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    next_id: i64,
    by_id: BTreeMap<String, Transaction>,
}

impl Transactions {
    /// Gives a new id to a producer that is idempotent only.
    pub fn idempotent(&mut self) -> Producer {
        let id = self.next_id;
        self.next_id += 1;
        Producer { id, epoch: 0 }
    }

    /// Gives the next epoch to a transactional producer; its predecessor's transaction ends.
    pub fn init(
        &mut self,
        name: &str,
        timeout_ms: i32,
        known: Option<Producer>,
    ) -> Result<(Producer, Option<Ending>), ResponseError> {
        if name.is_empty() {
            return Err(ResponseError::InvalidRequest);
        }
        if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
            return Err(ResponseError::InvalidTransactionTimeout);
        }
        let Some(transaction) = self.by_id.get_mut(name) else {
            let producer = self.idempotent();
            let transaction = Transaction {
                producer,
                timeout_ms,
                status: Status::Idle,
                places: BTreeSet::new(),
                groups: BTreeSet::new(),
            };
            self.by_id.insert(name.to_owned(), transaction);
            return Ok((producer, None));
        };
        if known.is_some_and(|k| k != transaction.producer) {
            return Err(ResponseError::ProducerFenced);
        }
        let ending = transaction.fence(&mut self.next_id);
        transaction.status = Status::Idle;
        transaction.timeout_ms = timeout_ms;
        Ok((transaction.producer, ending))
    }

    fn transaction(&mut self, name: &str) -> Result<&mut Transaction, ResponseError> {
        self.by_id.get_mut(name).ok_or(ResponseError::InvalidProducerIdMapping)
    }

    /// Lets a transaction write to partitions.
    pub fn add_places(
        &mut self,
        name: &str,
        producer: Producer,
        places: impl IntoIterator<Item = Place>,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        let transaction = self.transaction(name)?;
        transaction.check(producer)?;
        transaction.open(now_ms);
        transaction.places.extend(places);
        Ok(())
    }

    /// Lets a transaction commit offsets of a group.
    pub fn add_group(
        &mut self,
        name: &str,
        producer: Producer,
        group: &str,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        let transaction = self.transaction(name)?;
        transaction.check(producer)?;
        transaction.open(now_ms);
        transaction.groups.insert(group.to_owned());
        Ok(())
    }

    /// Refuses a batch of a transaction that has not named its partition or is over.
    pub fn check_write(
        &self,
        name: &str,
        producer: Producer,
        place: &Place,
    ) -> Result<(), ResponseError> {
        let named = self.opened(name, producer)?.places.contains(place);
        if named { Ok(()) } else { Err(ResponseError::InvalidTxnState) }
    }

    /// Refuses offsets of a transaction that has not named the group or is over.
    pub fn check_offsets(
        &self,
        name: &str,
        producer: Producer,
        group: &str,
    ) -> Result<(), ResponseError> {
        let named = self.opened(name, producer)?.groups.contains(group);
        if named { Ok(()) } else { Err(ResponseError::InvalidTxnState) }
    }

    /// The open transaction of a producer.
    fn opened(&self, name: &str, producer: Producer) -> Result<&Transaction, ResponseError> {
        let unknown = ResponseError::InvalidProducerIdMapping;
        let transaction = self.by_id.get(name).ok_or(unknown)?;
        if producer.id == transaction.producer.id && producer.epoch < transaction.producer.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        transaction.check(producer)?;
        match transaction.status {
            Status::Open { .. } => Ok(transaction),
            Status::Idle | Status::Ended { .. } => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Ends a transaction; a repeated request is answered as the first one was.
    pub fn end(
        &mut self,
        name: &str,
        producer: Producer,
        committed: bool,
    ) -> Result<Option<Ending>, ResponseError> {
        let transaction = self.transaction(name)?;
        transaction.check(producer)?;
        match transaction.status {
            Status::Open { .. } => Ok(Some(transaction.end(committed))),
            Status::Ended { committed: before } if before == committed => Ok(None),
            Status::Idle | Status::Ended { .. } => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Aborts what has been open for longer than its timeout, and fences its producer.
    pub fn expire(&mut self, now_ms: i64) -> Vec<(String, Ending)> {
        let next_id = &mut self.next_id;
        let over = |t: &Transaction| match t.status {
            Status::Open { since_ms } => now_ms - since_ms >= i64::from(t.timeout_ms),
            Status::Idle | Status::Ended { .. } => false,
        };
        let over = self.by_id.iter_mut().filter(|(_, t)| over(t));
        over.filter_map(|(name, t)| Some((name.clone(), t.fence(next_id)?))).collect()
    }

    /// The id that the next new producer gets.
    pub fn next_id(&self) -> i64 {
        self.next_id
    }

    pub fn set_next_id(&mut self, next_id: i64) {
        self.next_id = next_id;
    }

    pub fn get(&self, name: &str) -> Option<&Transaction> {
        self.by_id.get(name)
    }

    pub fn set(&mut self, name: String, transaction: Transaction) {
        self.by_id.insert(name, transaction);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Transaction)> {
        self.by_id.iter()
    }
}

const IDLE: u8 = 0;
const OPEN: u8 = 1;
const COMMITTED: u8 = 2;
const ABORTED: u8 = 3;

impl Stored for Status {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Idle => out.push(IDLE),
            Self::Open { since_ms } => {
                out.push(OPEN);
                since_ms.put(out);
            }
            Self::Ended { committed } => out.push(if *committed { COMMITTED } else { ABORTED }),
        }
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        match from.try_get_u8().ok()? {
            IDLE => Some(Self::Idle),
            OPEN => Some(Self::Open { since_ms: Stored::take(from)? }),
            COMMITTED => Some(Self::Ended { committed: true }),
            ABORTED => Some(Self::Ended { committed: false }),
            _ => None,
        }
    }
}

impl Stored for Producer {
    fn put(&self, out: &mut Vec<u8>) {
        self.id.put(out);
        self.epoch.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self { id: Stored::take(from)?, epoch: Stored::take(from)? })
    }
}

impl Stored for Ending {
    fn put(&self, out: &mut Vec<u8>) {
        self.producer.put(out);
        self.committed.put(out);
        self.places.put(out);
        self.groups.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            producer: Stored::take(from)?,
            committed: Stored::take(from)?,
            places: Stored::take(from)?,
            groups: Stored::take(from)?,
        })
    }
}

impl Stored for Transaction {
    fn put(&self, out: &mut Vec<u8>) {
        self.producer.put(out);
        self.timeout_ms.put(out);
        self.status.put(out);
        self.places.put(out);
        self.groups.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            producer: Stored::take(from)?,
            timeout_ms: Stored::take(from)?,
            status: Stored::take(from)?,
            places: Stored::take(from)?,
            groups: Stored::take(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (Transactions, Producer) {
        let mut transactions = Transactions::default();
        let (producer, ending) = transactions.init("t", 1_000, None).expect("a producer");
        assert_eq!(ending, None);
        let places = [Place::new("orders", 0)];
        transactions.add_places("t", producer, places, 0).expect("added");
        (transactions, producer)
    }

    #[test]
    fn a_successor_gets_the_next_epoch_and_the_predecessors_end() {
        let (mut transactions, old) = open();
        let (new, ending) = transactions.init("t", 1_000, None).expect("a producer");
        assert_eq!(new, Producer { id: old.id, epoch: old.epoch + 1 });
        let ending = ending.expect("it was open");
        assert_eq!((ending.producer, ending.committed), (new, false));
        let fenced = transactions.end("t", old, true);
        assert_eq!(fenced, Err(ResponseError::ProducerFenced));
        let late = transactions.check_write("t", old, &Place::new("orders", 0));
        assert_eq!(late, Err(ResponseError::InvalidProducerEpoch));
    }

    #[test]
    fn what_lasts_too_long_is_undone_and_fenced() {
        let (mut transactions, producer) = open();
        assert_eq!(transactions.expire(999), []);
        let endings = transactions.expire(1_000);
        assert_eq!(endings.len(), 1);
        assert!(!endings[0].1.committed);
        assert_eq!(transactions.expire(5_000), []);
        let fenced = transactions.end("t", producer, true);
        assert_eq!(fenced, Err(ResponseError::ProducerFenced));
    }

    #[test]
    fn a_repeated_end_is_answered_alike_and_a_contrary_one_refused() {
        let (mut transactions, producer) = open();
        let ending = transactions.end("t", producer, true).expect("ended").expect("it was open");
        assert_eq!(ending.places, BTreeSet::from([Place::new("orders", 0)]));
        assert_eq!(transactions.end("t", producer, true), Ok(None));
        let contrary = transactions.end("t", producer, false);
        assert_eq!(contrary, Err(ResponseError::InvalidTxnState));
    }

    #[test]
    fn a_partition_that_was_not_named_takes_no_batch() {
        let (transactions, producer) = open();
        let other = transactions.check_write("t", producer, &Place::new("orders", 1));
        assert_eq!(other, Err(ResponseError::InvalidTxnState));
    }
}

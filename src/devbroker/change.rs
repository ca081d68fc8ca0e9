//! What the journal keeps: every change of the cluster that a restart must not undo.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use super::log::Past;
use super::offsets::Committed;
use super::stored::Stored;
use super::topics::{Place, Topic};
use super::transaction::{Ending, Transaction};
use crate::message::TopicId;

/// One change; what follows from it by the rules of the broker is not written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A topic came into being, grew or got other settings.
    TopicSet {
        name: String,
        partitions: i32,
        settings: BTreeMap<String, String>,
    },
    TopicDeleted {
        name: String,
    },
    /// A topic that has come into being has this id.
    TopicNumbered {
        name: String,
        id: TopicId,
    },
    /// A producer's batch, as it stands in the log.
    Appended {
        place: Place,
        batch: Bytes,
    },
    /// An operator deleted everything in front of an offset.
    Trimmed {
        place: Place,
        until: i64,
    },
    /// No producer has this id or a larger one.
    ProducersNumbered {
        next: i64,
    },
    TransactionSet {
        name: String,
        transaction: Transaction,
    },
    /// The markers of a transaction were written and its offsets settled.
    Ended {
        ending: Ending,
        now_ms: i64,
    },
    OffsetCommitted {
        group: String,
        place: Place,
        committed: Committed,
    },
    OffsetHeld {
        group: String,
        producer_id: i64,
        place: Place,
        committed: Committed,
    },
    OffsetForgotten {
        group: String,
        place: Place,
    },
    GroupDeleted {
        group: String,
    },
    /// A batch or marker that a rewritten journal carries over, followed by `PastSet`.
    Kept {
        place: Place,
        batch: Bytes,
    },
    /// What a log knows beside its batches.
    PastSet {
        place: Place,
        past: Past,
    },
}

const TOPIC_SET: u8 = 1;
const TOPIC_DELETED: u8 = 2;
const APPENDED: u8 = 3;
const TRIMMED: u8 = 4;
const PRODUCERS_NUMBERED: u8 = 5;
const TRANSACTION_SET: u8 = 6;
const ENDED: u8 = 7;
const OFFSET_COMMITTED: u8 = 8;
const OFFSET_HELD: u8 = 9;
const OFFSET_FORGOTTEN: u8 = 10;
const GROUP_DELETED: u8 = 11;
const KEPT: u8 = 12;
const PAST_SET: u8 = 13;
const TOPIC_NUMBERED: u8 = 14;

impl Change {
    /// The change that makes a topic look like this one.
    pub fn topic_set(name: &str, topic: &Topic) -> Self {
        Self::TopicSet {
            name: name.to_owned(),
            partitions: topic.partition_count(),
            settings: topic.settings.clone(),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::TopicSet { .. } => TOPIC_SET,
            Self::TopicDeleted { .. } => TOPIC_DELETED,
            Self::TopicNumbered { .. } => TOPIC_NUMBERED,
            Self::Appended { .. } => APPENDED,
            Self::Trimmed { .. } => TRIMMED,
            Self::ProducersNumbered { .. } => PRODUCERS_NUMBERED,
            Self::TransactionSet { .. } => TRANSACTION_SET,
            Self::Ended { .. } => ENDED,
            Self::OffsetCommitted { .. } => OFFSET_COMMITTED,
            Self::OffsetHeld { .. } => OFFSET_HELD,
            Self::OffsetForgotten { .. } => OFFSET_FORGOTTEN,
            Self::GroupDeleted { .. } => GROUP_DELETED,
            Self::Kept { .. } => KEPT,
            Self::PastSet { .. } => PAST_SET,
        }
    }
}

impl Stored for Change {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.kind());
        match self {
            Self::TopicSet { name, partitions, settings } => {
                name.put(out);
                partitions.put(out);
                settings.put(out);
            }
            Self::TopicDeleted { name } => name.put(out),
            Self::TopicNumbered { name, id } => {
                name.put(out);
                id.put(out);
            }
            Self::Appended { place, batch } | Self::Kept { place, batch } => {
                place.put(out);
                batch.put(out);
            }
            Self::Trimmed { place, until } => {
                place.put(out);
                until.put(out);
            }
            Self::ProducersNumbered { next } => next.put(out),
            Self::TransactionSet { name, transaction } => {
                name.put(out);
                transaction.put(out);
            }
            Self::Ended { ending, now_ms } => {
                ending.put(out);
                now_ms.put(out);
            }
            Self::OffsetCommitted { group, place, committed } => {
                group.put(out);
                place.put(out);
                committed.put(out);
            }
            Self::OffsetHeld { group, producer_id, place, committed } => {
                group.put(out);
                producer_id.put(out);
                place.put(out);
                committed.put(out);
            }
            Self::OffsetForgotten { group, place } => {
                group.put(out);
                place.put(out);
            }
            Self::GroupDeleted { group } => group.put(out),
            Self::PastSet { place, past } => {
                place.put(out);
                past.put(out);
            }
        }
    }

    // Fields are read in the order in which they are named here, which is that of writing.
    fn take(from: &mut Bytes) -> Option<Self> {
        let f = from;
        Some(match f.try_get_u8().ok()? {
            TOPIC_SET => Self::TopicSet {
                name: Stored::take(f)?,
                partitions: Stored::take(f)?,
                settings: Stored::take(f)?,
            },
            TOPIC_DELETED => Self::TopicDeleted { name: Stored::take(f)? },
            TOPIC_NUMBERED => Self::TopicNumbered { name: Stored::take(f)?, id: Stored::take(f)? },
            APPENDED => Self::Appended { place: Stored::take(f)?, batch: Stored::take(f)? },
            TRIMMED => Self::Trimmed { place: Stored::take(f)?, until: Stored::take(f)? },
            PRODUCERS_NUMBERED => Self::ProducersNumbered { next: Stored::take(f)? },
            TRANSACTION_SET => {
                Self::TransactionSet { name: Stored::take(f)?, transaction: Stored::take(f)? }
            }
            ENDED => Self::Ended { ending: Stored::take(f)?, now_ms: Stored::take(f)? },
            OFFSET_COMMITTED => Self::OffsetCommitted {
                group: Stored::take(f)?,
                place: Stored::take(f)?,
                committed: Stored::take(f)?,
            },
            OFFSET_HELD => Self::OffsetHeld {
                group: Stored::take(f)?,
                producer_id: Stored::take(f)?,
                place: Stored::take(f)?,
                committed: Stored::take(f)?,
            },
            OFFSET_FORGOTTEN => {
                Self::OffsetForgotten { group: Stored::take(f)?, place: Stored::take(f)? }
            }
            GROUP_DELETED => Self::GroupDeleted { group: Stored::take(f)? },
            KEPT => Self::Kept { place: Stored::take(f)?, batch: Stored::take(f)? },
            PAST_SET => Self::PastSet { place: Stored::take(f)?, past: Stored::take(f)? },
            _ => return None,
        })
    }
}

impl Stored for TopicId {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        let mut bytes = [0; Self::BYTES];
        from.try_copy_to_slice(&mut bytes).ok()?;
        Self::of_bytes(&bytes)
    }
}

impl Stored for Place {
    fn put(&self, out: &mut Vec<u8>) {
        self.topic.put(out);
        self.partition.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self { topic: Stored::take(from)?, partition: Stored::take(from)? })
    }
}

impl Stored for Committed {
    fn put(&self, out: &mut Vec<u8>) {
        self.offset.put(out);
        self.leader_epoch.put(out);
        self.metadata.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some(Self {
            offset: Stored::take(from)?,
            leader_epoch: Stored::take(from)?,
            metadata: Stored::take(from)?,
        })
    }
}

use std::collections::BTreeMap;

use bytes::Bytes;

use super::held::{Held, shown};
use super::ports::{Broker, Change, ChangelogReader, Lost, Store, StoreFault};
use super::position::Position;
use super::schedule::Schedule;
use super::shard::{Fault, ShardState, started_as};
use crate::definition::Catalog;
use crate::engine::{self, Instance};
use crate::format::changelog::{is_instance, position_key};
use crate::message::{Offset, Shard, Timestamp};

/// How many bytes of restored values are gathered before they go to the store.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A restored shard and how many changelog records that took.
pub(super) struct Restored {
    pub state: ShardState,
    pub records: u64,
}

/// Catches up with a shard's changelog, from its checkpoint or, if there is none that can be
/// trusted, from the beginning.
///
/// # Errors
/// When broker or store fail.
pub(super) fn restore<B: Broker, S: Store>(
    shard: Shard,
    catalog: &Catalog,
    broker: &mut B,
    store: &mut S,
) -> Result<Restored, Failed> {
    let from = store.open(shard)?.map_or(Offset(0), |checkpoint| checkpoint.changelog);
    let (mut end, mut records) = catch_up(shard, from, broker, store)?;
    if end < from {
        // The changelog ends before the checkpoint: it is another changelog than the one that
        // the checkpoint was made from, or what that one said last was taken back.
        store.discard(shard)?;
        (end, records) = catch_up(shard, Offset(0), broker, store)?;
    }
    let position = match store.load(shard, &position_key(shard))? {
        Some(stored) => Position::decode(&stored)
            .map_err(|e| StoreFault { shard, reason: format!("its position: {e}") })?,
        None => Position::default(),
    };
    let sealed = position.encode();
    let catalog = started_as(catalog, position.starts.as_ref())?;
    let (held, schedule) = (Held::default(), Schedule::default());
    let current_since = Timestamp(i64::MIN);
    let state = ShardState {
        shard,
        position,
        catalog,
        held,
        schedule,
        kept_from: Some(engine::WHEN_ACTIVE),
        sealed,
        changelog: end,
        current_since,
    };
    Ok(Restored { state, records })
}

fn catch_up<B: Broker, S: Store>(
    shard: Shard,
    from: Offset,
    broker: &mut B,
    store: &mut S,
) -> Result<(Offset, u64), Failed> {
    let mut reader = broker.changelog(shard, from)?;
    if !reader.stands() {
        tracing::warn!(%shard, "shard.taken_back: the cluster lost what it had confirmed");
        return Ok((Offset(0), 0));
    }
    let mut latest: BTreeMap<Bytes, Option<Bytes>> = BTreeMap::new();
    let (mut bytes, mut count) = (0, 0);
    loop {
        let records = reader.next()?;
        if records.is_empty() {
            break;
        }
        count += records.len() as u64;
        for record in records {
            bytes += record.key.len() + record.value.as_ref().map_or(0, Bytes::len);
            latest.insert(record.key, record.value);
        }
        if bytes > BYTES_MAX {
            save(shard, std::mem::take(&mut latest), reader.position(), store)?;
            bytes = 0;
        }
    }
    if reader.position() > from {
        save(shard, latest, reader.position(), store)?;
    }
    Ok((reader.position(), count))
}

fn save<S: Store>(
    shard: Shard,
    latest: BTreeMap<Bytes, Option<Bytes>>,
    reached: Offset,
    store: &mut S,
) -> Result<(), Failed> {
    let mut changes = Vec::with_capacity(latest.len());
    for (key, value) in latest {
        let due = due(&key, value.as_ref())?;
        changes.push(Change { key, value, due });
    }
    store.checkpoint(shard, changes, reached)?;
    Ok(())
}

fn due(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Timestamp>, Failed> {
    let Some(value) = value.filter(|_| is_instance(key)) else {
        return Ok(None);
    };
    let instance = Instance::decode(value).map_err(|e| {
        let reason = format!(
            "the changelog's value of {} cannot be read: {e}; \
             run the segue that wrote it, or newer",
            shown(key)
        );
        Failed::Lost(Lost { reason, fatal: true })
    })?;
    Ok(engine::next_due(&instance))
}

/// Why a shard could not be restored.
#[derive(Debug)]
pub(super) enum Failed {
    Lost(Lost),
    Fault(Fault),
}

impl From<Lost> for Failed {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl From<StoreFault> for Failed {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(Fault::Store(fault))
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Failed> for Lost {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Lost(lost) => lost,
            Failed::Fault(fault) => fault.into(),
        }
    }
}

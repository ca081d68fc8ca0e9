//! Keeps the last value of each key in the closed part of a compacted partition.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::batch::Batch;
use super::log::Log;

/// Compaction waits until this much has come, and until that is half of the log.
const DIRTY_BYTES_MIN: usize = 1024 * 1024;

/// Compacts a log if enough has come since the last time.
pub(super) fn run_when_due(log: &mut Log, tombstones_since_ms: i64) {
    if log.dirty_bytes >= DIRTY_BYTES_MIN && log.dirty_bytes * 2 >= log.bytes {
        run(log, tombstones_since_ms);
    }
}

/// Compacts everything below the last stable offset except the newest batch.
pub(super) fn run(log: &mut Log, tombstones_since_ms: i64) {
    log.dirty_bytes = 0;
    let stable = log.last_stable();
    let newest = log.batches.back().map_or(0, |b| b.base_offset);
    let closed = log.batches.partition_point(|b| b.last_offset < stable.min(newest));
    let open = log.batches.split_off(closed);
    let head = std::mem::replace(&mut log.batches, open);
    let dropped = undone(log, &head);
    let Ok(latest) = latest_offsets(head.iter().chain(&log.batches), &dropped, stable) else {
        put_back(log, head);
        return;
    };
    let mut kept = VecDeque::new();
    for batch in head {
        if batch.is_control() || dropped.contains(&batch.base_offset) {
            continue;
        }
        match survivors(&batch, &latest, tombstones_since_ms) {
            Ok(batches) => kept.extend(batches),
            Err(_) => kept.push_back(batch),
        }
    }
    let closed_until = stable.min(newest);
    log.aborted.retain(|a| a.last_offset >= closed_until);
    put_back(log, kept);
}

fn put_back(log: &mut Log, head: VecDeque<Batch>) {
    let tail = std::mem::replace(&mut log.batches, head);
    log.batches.extend(tail);
    log.bytes = log.batches.iter().map(|b| b.bytes.len()).sum();
}

/// Base offsets of the batches in the closed part that belong to aborted transactions.
fn undone(log: &Log, head: &VecDeque<Batch>) -> BTreeSet<i64> {
    let is_undone = |batch: &&Batch| {
        batch.is_transactional()
            && log.aborted.iter().any(|a| {
                a.producer_id == batch.producer_id
                    && (a.first_offset..a.last_offset).contains(&batch.base_offset)
            })
    };
    head.iter().chain(&log.batches).filter(is_undone).map(|b| b.base_offset).collect()
}

/// The newest stable offset of every key.
fn latest_offsets<'a>(
    batches: impl Iterator<Item = &'a Batch>,
    dropped: &BTreeSet<i64>,
    stable: i64,
) -> Result<BTreeMap<Bytes, i64>, ResponseError> {
    let mut latest = BTreeMap::new();
    let data = batches.filter(|b| !b.is_control() && !dropped.contains(&b.base_offset));
    for batch in data.take_while(|b| b.last_offset < stable) {
        for record in batch.records()? {
            if let Some(key) = record.key {
                latest.insert(key, record.offset);
            }
        }
    }
    Ok(latest)
}

fn survivors(
    batch: &Batch,
    latest: &BTreeMap<Bytes, i64>,
    tombstones_since_ms: i64,
) -> Result<Vec<Batch>, ResponseError> {
    let mut records = batch.records()?;
    let before = records.len();
    records.retain(|record| {
        let last = record.key.as_ref().and_then(|key| latest.get(key));
        let current = last.is_none_or(|offset| *offset == record.offset);
        let stale = record.value.is_none() && record.timestamp < tombstones_since_ms;
        current && !stale
    });
    if records.len() == before {
        return Ok(vec![batch.clone()]);
    }
    batch.keep(&records)
}

//! Acts on many instances, as `<app>.operator` tells them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::index::Batch;
use super::{Error, Signatures};
use crate::message::{BulkRecord, read_json};
use crate::runtime::SourceRecord;
use crate::status::Moment;

/// An act on many instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct BulkRow {
    /// Its own id; those of its members are `id/0`, `id/1`, and so on.
    pub id: String,
    /// When it began.
    pub at: Moment,
    /// Who acts.
    pub by: String,
    /// Why.
    pub why: String,
    /// What is done about each instance.
    pub verb: String,
    /// Which instances were asked for.
    pub filter: String,
    /// How many these were.
    pub members: u64,
    /// How many of them were written.
    pub written: u64,
    /// How and when it ended; none if nothing tells of an end.
    pub ended: Option<BulkEndTold>,
}

/// The end of an act on many instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct BulkEndTold {
    /// `done`, `stopped` or `failed`.
    pub how: String,
    /// When.
    pub at: Moment,
    /// Who has stopped it, or what went wrong.
    pub reason: String,
}

/// The instances that the record of an act on many names, in their order.
pub(super) fn members(record: &SourceRecord) -> Option<Vec<String>> {
    let body = read_json(record.body.as_deref()?).ok()?;
    match BulkRecord::read(&body)? {
        BulkRecord::Begun(bulk) => Some(bulk.instances),
        BulkRecord::Ended(_) => None,
    }
}

/// A record of `<app>.operator`: of all acts only those on many instances are kept. What the
/// gateways refuse, because it is not signed as it must be, is none: it stands in the dead letters.
pub(super) fn take(
    batch: &mut Batch<'_>,
    record: &SourceRecord,
    signatures: &Signatures,
) -> Result<(), Error> {
    let body = record.body.as_deref().unwrap_or_default();
    let Ok(body) = read_json(body) else { return Ok(()) };
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
    let (is_bulk, member) = (BulkRecord::is(&body), BulkRecord::of_member(id));
    if !is_bulk && member.is_none() {
        return Ok(());
    }
    if let Err(reason) = signatures.check(record) {
        tracing::warn!(place = ?record.origin, reason, "view.bulk_refused");
        return Ok(());
    }
    if is_bulk {
        let Some(told) = BulkRecord::read(&body) else {
            tracing::warn!(place = ?record.origin, "view.bulk_unread");
            return Ok(());
        };
        return batch.bulk(&told, &record.origin, record.timestamp);
    }
    member.map_or(Ok(()), |(bulk, number)| batch.bulk_member(bulk, number))
}

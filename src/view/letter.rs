//! A dead letter as people read it.

use serde_json::Value;

use super::{DeadLetterDetail, DeadLetterRow};
use crate::broker::dead_letter;
use crate::message::read_json;
use crate::runtime::SourceRecord;

/// A dead letter with everything: what the record was, without what was added when it was put
/// aside, which the row says.
pub(super) fn detail(row: DeadLetterRow, record: &SourceRecord) -> DeadLetterDetail {
    let added = [dead_letter::REASON, dead_letter::ORIGIN, dead_letter::INSTANCE];
    let own = record.headers.0.iter().filter(|(name, _)| !added.contains(&name.as_str()));
    DeadLetterDetail {
        row,
        key: record.key.as_deref().map(text),
        headers: own.map(|(name, value)| (name.clone(), text(value))).collect(),
        body: body(record.body.as_deref()),
    }
}

fn body(bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else { return Value::Null };
    read_json(bytes).unwrap_or_else(|_| Value::from(text(bytes)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! A dead letter as it is taken into the index, and as people read it.

use serde_json::Value;

use super::index::Batch;
use super::{DeadLetterDetail, DeadLetterRow, Error};
use crate::definition::Catalog;
use crate::message::{Disposal, EngineTopics, EventType, Topic, header, read_json};
use crate::runtime::SourceRecord;
use crate::status::{Masks, Moment, act_shown, event_shown};

/// A record of the dead letters: one of them, or what was done with one.
pub(super) fn take(batch: &mut Batch<'_>, record: &SourceRecord) -> Result<(), Error> {
    if !Disposal::is_told_by(&record.headers) {
        return batch.dead_letter(&row(record));
    }
    let Some(disposal) = Disposal::read(&record.headers) else {
        tracing::warn!(place = ?record.origin, "view.disposal_unread");
        return Ok(());
    };
    batch.dispose(&disposal, record.timestamp)
}

/// What the list says of a dead letter.
pub(super) fn row(record: &SourceRecord) -> DeadLetterRow {
    let text = |name: &str| record.headers.text(name).map(ToOwned::to_owned);
    DeadLetterRow {
        partition: record.origin.partition,
        offset: record.origin.offset.0,
        at: Moment(record.timestamp),
        reason: text(header::REASON).unwrap_or_default(),
        origin: text(header::ORIGIN),
        instance: text(header::INSTANCE),
        event_type: text(header::TYPE),
        disposal: None,
    }
}

/// A dead letter with everything: what the record was, without what was added when it was put
/// aside, which the row says.
pub(super) fn detail(
    row: DeadLetterRow,
    record: &SourceRecord,
    (catalog, topics): (&Catalog, &EngineTopics),
    masks: Masks,
) -> DeadLetterDetail {
    let added = [header::REASON, header::ORIGIN, header::INSTANCE, header::CUT];
    let own = record.headers.0.iter().filter(|(name, _)| !added.contains(&name.as_str()));
    let body = body(record.body.as_deref());
    let (body, is_masked) = shown(&row, &body, (catalog, topics), masks);
    DeadLetterDetail {
        row,
        key: record.key.as_deref().map(text),
        headers: own.map(|(name, value)| (name.clone(), text(value))).collect(),
        body,
        is_masked,
    }
}

/// The body without what a definition calls sensitive. What stood in the engine's own inbox is not
/// looked into, so it is masked whole.
fn shown(
    row: &DeadLetterRow,
    body: &Value,
    (catalog, topics): (&Catalog, &EngineTopics),
    masks: Masks,
) -> (Value, bool) {
    let definitions = catalog.definitions().map(|definition| &**definition);
    let origin = row.origin.as_deref().and_then(|origin| origin.rsplit_once('['));
    let topic = origin.and_then(|(topic, _)| Topic::new(topic).ok());
    match topic {
        Some(topic) if topic == topics.operator => act_shown(definitions, body, masks),
        Some(topic) if topic != topics.inbox => {
            let event_type = row.event_type.as_deref().map(EventType::new);
            event_shown(definitions, &topic, event_type.as_ref(), body, masks)
        }
        Some(_) | None if masks == Masks::Off => (body.clone(), false),
        Some(_) | None => (Value::from("***"), true),
    }
}

fn body(bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else { return Value::Null };
    read_json(bytes).unwrap_or_else(|_| Value::from(text(bytes)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

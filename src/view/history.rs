//! Entries of the history as people read them.

use serde_json::{Map, Value};

use super::{Coordinates, Entry, Error, NoteTold};
use crate::engine::What;
use crate::format::{open, wire};
use crate::message::{Coordinate, EngineTopics, InstanceId, LifeId, Timestamp, read_json};
use crate::runtime::SourceRecord;
use crate::status::Moment;

/// An entry that was read back.
///
/// # Errors
/// When it is no entry of this build.
pub(super) fn entry(record: &SourceRecord, topics: &EngineTopics) -> Result<Entry, Error> {
    let body = record.body.as_deref().unwrap_or_default();
    let entry: wire::Entry = open(body).map_err(|reason| Error::Foreign {
        place: format!(
            "{}[{}]@{}",
            record.origin.topic, record.origin.partition, record.origin.offset
        ),
        reason: reason.to_string(),
    })?;
    Ok(Entry {
        life: LifeId { number: entry.life, mark: entry.mark }.to_string(),
        transition: entry.transition,
        at: Moment(Timestamp(entry.at_ms)),
        stored: Coordinates {
            topic: record.origin.topic.to_string(),
            partition: record.origin.partition,
            offset: record.origin.offset.0,
        },
        input: Coordinates {
            topic: topics.inbox.to_string(),
            partition: entry.shard,
            offset: entry.inbox,
        },
        notes: entry.notes.iter().map(note).collect(),
        saga: entry.saga,
        key: entry.key,
        status: entry.status,
    })
}

/// What stands in the place of an entry that cannot be read, so that the others are.
pub(super) fn unread(id: &InstanceId, record: &SourceRecord, reason: &Error) -> Entry {
    let stored = Coordinates {
        topic: record.origin.topic.to_string(),
        partition: record.origin.partition,
        offset: record.origin.offset.0,
    };
    Entry {
        saga: id.saga.to_string(),
        key: id.key.to_string(),
        life: String::new(),
        transition: 0,
        at: Moment(record.timestamp),
        status: UNREAD.to_owned(),
        input: stored.clone(),
        stored,
        notes: vec![NoteTold {
            kind: UNREAD.to_owned(),
            step: None,
            words: format!("this entry cannot be read: {reason}"),
            data: Value::Object(Map::new()),
        }],
    }
}

/// The status of an entry that cannot be read, and the kind of the note that says so.
pub(super) const UNREAD: &str = "unread";

/// A note as people read it.
pub(super) fn note(note: &wire::Note) -> NoteTold {
    NoteTold {
        kind: note.kind.clone(),
        step: Some(note.step.clone()).filter(|step| !step.is_empty()),
        words: note.text(),
        data: Value::Object(fields(note)),
    }
}

/// The fields of a note that are set, under the names that `proto/segue.proto` gives them.
fn fields(note: &wire::Note) -> Map<String, Value> {
    let texts = [
        ("to", &note.to),
        ("topic", &note.topic),
        ("event_type", &note.event_type),
        ("id", &note.id),
        ("reason", &note.reason),
        ("name", &note.name),
        ("by", &note.by),
        ("verb", &note.verb),
        ("claim_step", &note.claim_step),
        ("proof", &note.proof),
    ];
    let mut fields = Map::new();
    for (name, text) in texts {
        if !text.is_empty() {
            fields.insert(name.to_owned(), Value::from(text.as_str()));
        }
    }
    if note.attempt > 0 {
        fields.insert("attempt".to_owned(), Value::from(note.attempt));
    }
    if note.token > 0 {
        fields.insert("token".to_owned(), Value::from(note.token));
    }
    if note.until_ms != 0 {
        let until = Timestamp(note.until_ms).to_string();
        fields.insert("until".to_owned(), Value::from(until));
    }
    if note.within_ms != 0 {
        fields.insert("within_ms".to_owned(), Value::from(note.within_ms));
    }
    for (name, is_set) in [("happened", note.happened), ("by_probe", note.by_probe)] {
        if is_set {
            fields.insert(name.to_owned(), Value::from(true));
        }
    }
    if !note.facts.is_empty() {
        fields.insert("facts".to_owned(), Value::from(note.facts.clone()));
    }
    if !note.changes.is_empty() {
        let changes: Vec<Value> = note.changes.iter().map(change).collect();
        fields.insert("changes".to_owned(), Value::from(changes));
    }
    if let Some(instance) = &note.instance {
        let name = format!("{}/{}", instance.saga, instance.key);
        fields.insert("instance".to_owned(), Value::from(name));
    }
    if let Ok(What::WentBack(failure)) = note.read() {
        let told = serde_json::json!({
            "step": Coordinate::text(failure.step.as_ref()),
            "kind": failure.kind.text(),
            "reason": failure.reason,
        });
        fields.insert("failure".to_owned(), told);
    }
    fields
}

/// What a person has made of a field; of one that is sensitive only that it was set.
fn change(change: &wire::DataChange) -> Value {
    let value =
        |json: &Option<String>| json.as_ref().and_then(|json| read_json(json.as_bytes()).ok());
    serde_json::json!({
        "field": change.field,
        "before": value(&change.before),
        "after": value(&change.after),
        "hidden": change.hidden,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_has_set_is_told_as_data() {
        let set = |field: &str, hidden: bool| wire::DataChange {
            field: field.to_owned(),
            before: None,
            after: Some("12.50".to_owned()).filter(|_| !hidden),
            hidden,
        };
        let changes = vec![set("fee", false), set("card", true)];
        let told = fields(&wire::Note { changes, ..wire::Note::default() });
        let json = r#"[{"field":"fee","before":null,"after":12.50,"hidden":false},
                       {"field":"card","before":null,"after":null,"hidden":true}]"#;
        assert_eq!(told.get("changes"), read_json(json.as_bytes()).ok().as_ref());
    }
}

//! Keeps which users' topics are read and from where on: `<app>.sources`, topic to JSON.
//!
//! The last record of a topic counts, for everybody who reads to the end. Two nodes that start at
//! once may both write one, a moment apart; a partition is begun by one of them alone, its owner,
//! who commits the place before the first record is read. From then on that commit says where the
//! partition is, whatever is written here, and both records name the same topic.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::whole_topic::read_whole;
use super::{Connection, Error, Writer};
use crate::message::{EngineTopics, Headers, Incarnation, Outgoing, Topic, TopicId, header};
use crate::runtime::SourceRecord;

const WRITE_MAX: Duration = Duration::from_secs(30);

/// The users' topics that an application reads.
pub(super) type Register = BTreeMap<Topic, Entry>;

/// A users' topic as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Entry {
    /// Kafka's id of it; none where the cluster tells none.
    pub kafka_id: Option<TopicId>,
    /// The cluster that it is in.
    pub cluster: String,
    /// The id that offsets of partitions belong to which are not among `partitions`.
    pub id: TopicId,
    /// Whether a person has accepted it in the place of an earlier one.
    pub accepted: bool,
    /// The partitions that there were when it was written down; one that is added later is read
    /// from its beginning.
    pub partitions: BTreeMap<i32, Begin>,
    /// The partitions that were found to end before what was read of them, and how.
    #[serde(default)]
    pub cut_off: BTreeMap<i32, String>,
    /// The act of a person that wrote it.
    #[serde(default)]
    pub act: Option<String>,
    /// Who wrote it.
    pub by: String,
    /// The reason.
    pub why: String,
    /// When.
    pub at: String,
}

/// Where a partition is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Begin {
    /// The first offset that is read.
    pub start: i64,
    /// The id that its offsets belong to: the topic's, or a derived one since a person has accepted
    /// that it was cut off.
    pub id: TopicId,
    /// Whether a person has accepted it.
    pub accepted: bool,
}

impl Entry {
    /// What the offsets of a partition belong to.
    pub(super) fn incarnation(&self, partition: i32) -> Incarnation {
        match self.partitions.get(&partition) {
            Some(begin) => Incarnation { id: begin.id, accepted: begin.accepted },
            None => Incarnation { id: self.id, accepted: self.accepted },
        }
    }
}

/// Reads the register to its end.
///
/// # Errors
/// When the cluster does not answer, or something there is no entry.
pub(super) fn read(connection: &Connection, app: &str) -> Result<Register, Error> {
    let topic = topics(app)?.sources;
    let client = format!("{app}.sources");
    let mut register = Register::new();
    read_whole(connection, &client, &topic, |record| {
        let (name, entry) = parse(record)?;
        match entry {
            Some(entry) => register.insert(name, entry),
            None => register.remove(&name),
        };
        Ok(())
    })?;
    Ok(register)
}

/// Writes entries; returns when all are acknowledged.
///
/// # Errors
/// When the cluster does not acknowledge them.
pub(super) fn write(connection: &Connection, app: &str, entries: &Register) -> Result<(), Error> {
    let topic = topics(app)?.sources;
    let writer = Writer::open(connection, &format!("{app}.sources"))?;
    for (name, entry) in entries {
        let mut headers = Headers::default();
        headers.push(header::CONTENT_TYPE, "application/json");
        let body = serde_json::to_vec(entry).expect("an entry has only names for keys");
        let (topic, key) = (topic.clone(), name.to_string());
        writer.send(&Outgoing { topic, key, headers, body: body.into() }, None)?;
    }
    writer.flush(WRITE_MAX)
}

fn parse(record: &SourceRecord) -> Result<(Topic, Option<Entry>), Error> {
    let foreign = |reason: String| Error::Foreign {
        place: format!("{}[0] at {}", record.origin.topic, record.origin.offset),
        reason,
    };
    let key = std::str::from_utf8(record.key.as_deref().unwrap_or_default());
    let key = key.map_err(|_| foreign("its key is not UTF-8 text".to_owned()))?;
    let name = Topic::new(key).map_err(|e| foreign(e.to_string()))?;
    let Some(body) = &record.body else { return Ok((name, None)) };
    let entry = serde_json::from_slice(body).map_err(|e| foreign(e.to_string()))?;
    Ok((name, Some(entry)))
}

fn topics(app: &str) -> Result<EngineTopics, Error> {
    EngineTopics::new(app).map_err(|e| Error::Topics(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_json_that_any_tool_reads() {
        let id = TopicId::derived(&["a"]);
        let begin = Begin { start: 17, id, accepted: false };
        let entry = Entry {
            kafka_id: Some(id),
            cluster: "c".to_owned(),
            id,
            accepted: false,
            partitions: BTreeMap::from([(2, begin)]),
            cut_off: BTreeMap::new(),
            act: None,
            by: "node-1".to_owned(),
            why: "latest".to_owned(),
            at: "2026-11-01T00:00:00.000Z".to_owned(),
        };
        let text = serde_json::to_string(&entry).expect("JSON");
        let begin = format!(r#"{{"2":{{"start":17,"id":"{id}","accepted":false}}}}"#);
        assert!(text.contains(&begin), "{text}");
        let again: Entry = serde_json::from_str(&text).expect("an entry");
        assert_eq!(again, entry);
        assert_eq!(entry.incarnation(2), entry.incarnation(7));
    }
}

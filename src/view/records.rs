//! What records of the topics say: pure.

use std::collections::BTreeMap;

use super::fold::subject;
use super::pending::Entries;
use crate::engine::Instance;
use crate::format::changelog;
use crate::message::{EngineTopics, InstanceId, Key, SagaName};
use crate::runtime::SourceRecord;

/// What a record of the changelog says of an instance.
pub(super) struct Changed<'r> {
    pub id: InstanceId,
    pub record: &'r SourceRecord,
    /// None if it is forgotten.
    pub instance: Option<Instance>,
    /// Whether what stands there cannot be read: what is known of the instance stays as it is.
    pub is_unread: bool,
}

/// What the changelog says: the last record of each instance counts.
pub(super) fn changed<'r>(records: &'r [SourceRecord], topics: &EngineTopics) -> Vec<Changed<'r>> {
    let mut found = BTreeMap::new();
    for record in records.iter().filter(|record| record.origin.topic == topics.changelog) {
        if let Some(id) = subject(record) {
            found.insert(id, record);
        }
    }
    let read = |(id, record): (InstanceId, &'r SourceRecord)| {
        let read = record.body.as_ref().map(|body| Instance::decode(body)).transpose();
        let is_unread = read.is_err();
        let instance = read.unwrap_or_else(|reason| {
            tracing::warn!(place = ?record.origin, %reason, "view.record_unread");
            None
        });
        Changed { id, record, instance, is_unread }
    };
    found.into_iter().map(read).collect()
}

/// Whether a record should name an instance and does not.
pub(super) fn is_nameless(record: &SourceRecord, topics: &EngineTopics) -> bool {
    let topic = &record.origin.topic;
    let of_instance = || record.key.as_ref().is_some_and(|key| changelog::is_instance(key));
    (*topic == topics.changelog && of_instance() && subject(record).is_none())
        || (*topic == topics.history && named(record).is_none())
}

/// The entries of the history: the key of each record names its instance.
pub(super) fn entries(records: &[SourceRecord], topics: &EngineTopics) -> Entries {
    let mut entries = Entries::new();
    for record in records.iter().filter(|record| record.origin.topic == topics.history) {
        let Some(id) = named(record) else { continue };
        let (_, offsets) = entries.entry(id).or_insert((record.origin.partition, Vec::new()));
        offsets.push(record.origin.offset);
    }
    entries
}

/// The instance that the key of an entry names.
fn named(entry: &SourceRecord) -> Option<InstanceId> {
    let key = std::str::from_utf8(entry.key.as_deref()?).ok()?;
    let (saga, key) = key.split_once('/')?;
    Some(InstanceId { saga: SagaName::new(saga).ok()?, key: Key::new(key).ok()? })
}

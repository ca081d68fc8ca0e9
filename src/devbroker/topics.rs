//! Topics: their partitions and settings.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use kafka_protocol::ResponseError;

use super::log::Log;
use crate::message::TopicId;

/// Largest number of partitions of one topic.
pub(super) const PARTITIONS_MAX: i32 = 1_024;
const NAME_CHARS_MAX: usize = 249;
const DAY_MS: i64 = 86_400_000;

/// The settings that a topic may carry, with what holds when it is silent.
pub(super) const SETTINGS: [(&str, &str); 12] = [
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("delete.retention.ms", "86400000"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.type", "CreateTime"),
    ("min.cleanable.dirty.ratio", "0.5"),
    ("min.compaction.lag.ms", "0"),
    ("min.insync.replicas", "1"),
    ("retention.bytes", "-1"),
    ("retention.ms", "604800000"),
    ("segment.bytes", "1073741824"),
    ("segment.ms", "604800000"),
];

/// Names one partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub topic: String,
    pub partition: i32,
}

impl Place {
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: topic.to_owned(), partition }
    }
}

/// One topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// None for a topic that an older segue made.
    pub id: Option<TopicId>,
    pub partitions: Vec<Log>,
    pub settings: BTreeMap<String, String>,
}

impl Topic {
    pub fn new(partitions: i32, settings: BTreeMap<String, String>) -> Self {
        let partitions = (0..partitions).map(|_| Log::default()).collect();
        Self { id: None, partitions, settings }
    }

    pub fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }

    /// A setting as it holds: the topic's own, else the default.
    pub fn setting(&self, name: &str) -> &str {
        let default = SETTINGS.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| *v);
        self.settings.get(name).map_or(default, String::as_str)
    }

    fn number(&self, name: &str) -> i64 {
        self.setting(name).parse().unwrap_or(-1)
    }

    pub fn message_bytes_max(&self) -> usize {
        usize::try_from(self.number("max.message.bytes")).unwrap_or(usize::MAX)
    }

    pub fn retention_ms(&self) -> Option<i64> {
        Some(self.number("retention.ms")).filter(|ms| *ms >= 0)
    }

    pub fn retention_bytes(&self) -> Option<usize> {
        usize::try_from(self.number("retention.bytes")).ok()
    }

    pub fn delete_retention_ms(&self) -> i64 {
        Some(self.number("delete.retention.ms")).filter(|ms| *ms >= 0).unwrap_or(DAY_MS)
    }

    pub fn is_compacted(&self) -> bool {
        self.setting("cleanup.policy").split(',').any(|p| p.trim() == "compact")
    }

    pub fn is_deleted(&self) -> bool {
        self.setting("cleanup.policy").split(',').any(|p| p.trim() == "delete")
    }
}

/// All topics by name.
#[derive(Debug, Default)]
pub(super) struct Topics {
    topics: BTreeMap<String, Topic>,
}

impl Topics {
    pub fn create(
        &mut self,
        name: &str,
        partitions: i32,
        settings: BTreeMap<String, String>,
    ) -> Result<(), ResponseError> {
        self.check_new(name, partitions, &settings)?;
        self.topics.insert(name.to_owned(), Topic::new(partitions, settings));
        Ok(())
    }

    /// Says whether a topic could be created.
    pub fn check_new(
        &self,
        name: &str,
        partitions: i32,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), ResponseError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty()
            || name.len() > NAME_CHARS_MAX
            || name == "."
            || name == ".."
            || !name.chars().all(legal)
        {
            return Err(ResponseError::InvalidTopicException);
        }
        if self.topics.contains_key(name) {
            return Err(ResponseError::TopicAlreadyExists);
        }
        if !(1..=PARTITIONS_MAX).contains(&partitions) {
            return Err(ResponseError::InvalidPartitions);
        }
        settings.iter().try_for_each(|(key, value)| check_setting(key, value))
    }

    pub fn delete(&mut self, name: &str) -> Result<Topic, ResponseError> {
        self.topics.remove(name).ok_or(ResponseError::UnknownTopicOrPartition)
    }

    pub fn topic(&self, name: &str) -> Result<&Topic, ResponseError> {
        self.topics.get(name).ok_or(ResponseError::UnknownTopicOrPartition)
    }

    pub fn topic_mut(&mut self, name: &str) -> Result<&mut Topic, ResponseError> {
        self.topics.get_mut(name).ok_or(ResponseError::UnknownTopicOrPartition)
    }

    pub fn log(&self, topic: &str, partition: i32) -> Result<&Log, ResponseError> {
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        let log = self.topic(topic)?.partitions.get(index);
        log.ok_or(ResponseError::UnknownTopicOrPartition)
    }

    pub fn log_mut(&mut self, place: &Place) -> Result<&mut Log, ResponseError> {
        let index = usize::try_from(place.partition).unwrap_or(usize::MAX);
        let log = self.topic_mut(&place.topic)?.partitions.get_mut(index);
        log.ok_or(ResponseError::UnknownTopicOrPartition)
    }

    /// Raises the number of partitions of a topic.
    pub fn grow(&mut self, name: &str, count: i32, try_only: bool) -> Result<(), ResponseError> {
        let topic = self.topic_mut(name)?;
        if count <= topic.partition_count() || count > PARTITIONS_MAX {
            return Err(ResponseError::InvalidPartitions);
        }
        if !try_only {
            topic.partitions.resize_with(usize::try_from(count).unwrap_or(0), Log::default);
        }
        Ok(())
    }

    /// Makes a topic look like this, whether it is there or not.
    pub fn set(
        &mut self,
        name: &str,
        partitions: i32,
        settings: BTreeMap<String, String>,
    ) -> Result<(), ResponseError> {
        let Some(topic) = self.topics.get_mut(name) else {
            return self.create(name, partitions, settings);
        };
        topic.settings = settings;
        if partitions == topic.partition_count() {
            return Ok(());
        }
        self.grow(name, partitions, false)
    }

    /// Gives a topic an id that no other has or had.
    pub fn number(&mut self, name: &str) -> Result<TopicId, ResponseError> {
        // The standard library draws its hashers' keys from the system.
        let draw = || RandomState::new().hash_one(name).to_be_bytes();
        let drawn = TopicId::of_bytes(&[draw(), draw()].concat());
        let id = drawn.ok_or(ResponseError::UnknownServerError)?;
        self.topic_mut(name)?.id = Some(id);
        Ok(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Topic)> {
        self.topics.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut Topic)> {
        self.topics.iter_mut()
    }
}

/// Refuses a setting whose value could not hold; unknown names are kept as they are.
pub(super) fn check_setting(name: &str, value: &str) -> Result<(), ResponseError> {
    let Some((_, default)) = SETTINGS.iter().find(|(n, _)| *n == name) else { return Ok(()) };
    let valid = match name {
        "cleanup.policy" => value.split(',').all(|p| matches!(p.trim(), "compact" | "delete")),
        _ if default.parse::<i64>().is_ok() => value.parse::<i64>().is_ok_and(|n| n >= -1),
        _ if default.parse::<f64>().is_ok() => value.parse::<f64>().is_ok(),
        _ => true,
    };
    if valid { Ok(()) } else { Err(ResponseError::InvalidConfig) }
}

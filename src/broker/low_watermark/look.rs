use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::decide::{Found, Part, Question, Reading, Target};
use crate::broker::connection::describe;
use crate::broker::first_record::FirstRecord;
use crate::broker::membership::Membership;
use crate::broker::{Connection, Error, Isolation, asking::Asking};
use crate::message::{Offset, Timestamp, Topic};

/// How long one question may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// The longest time that one look may add to a standstill.
const PASSED_MAX: Duration = Duration::from_secs(1);
/// How long a reader may take to find a record or the end.
const READ_MAX: Duration = Duration::from_secs(3);
/// After how long it is asked again how many partitions a topic has.
const PARTITIONS_FOR: Duration = Duration::from_secs(30);

/// Asks the cluster where topics end and how far the gateways' group is.
pub(super) struct Look {
    /// In the gateways' group by name only: it asks for the group's offsets and never joins.
    asking: BaseConsumer<Asking>,
    /// Finds out whether anything is left to be read.
    reader: FirstRecord,
    partitions: BTreeMap<Topic, (i32, Instant)>,
    looked: Instant,
    /// Topics whose stalled partitions were told.
    told: BTreeSet<Topic>,
}

impl Look {
    pub fn open(connection: &Connection, membership: &Membership) -> Result<Self, Error> {
        let client = format!("{}.watermark", membership.client());
        let group = format!("{}.gateway", membership.app);
        let mut config = connection.consumer(&client, &group, Isolation::Committed)?;
        // Nobody polls it, so what it logs would gather for ever; its failures are asked for.
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        let asking = BaseConsumer::from_config_and_context(&config, Asking::default());
        let name = format!("{client}.reader");
        let reader = FirstRecord::new(connection, name, Isolation::Committed, READ_MAX);
        Ok(Self {
            asking: asking.map_err(|e| Error::Client(e.to_string()))?,
            reader,
            partitions: BTreeMap::new(),
            looked: Instant::now(),
            told: BTreeSet::new(),
        })
    }

    /// Looks how far each of the topics is read.
    ///
    /// # Errors
    /// When the cluster does not answer, in words; what was found before stands.
    pub fn at(
        &mut self,
        readings: &mut BTreeMap<Topic, Reading>,
        now: Timestamp,
    ) -> Result<(), String> {
        // Between two looks nobody may have asked for long.
        let passed = std::mem::replace(&mut self.looked, Instant::now()).elapsed().min(PASSED_MAX);
        self.aim(readings, now).map_err(|e| describe(&e))?;
        let committed = self.committed(readings).map_err(|e| describe(&e))?;
        for (topic, reading) in readings {
            let Some(target) = &mut reading.target else {
                continue;
            };
            let own = committed.get(topic).cloned().unwrap_or_default();
            target.advance(&own, passed);
            for (partition, Question::Readable(from)) in target.questions() {
                let found = self.reader.find(topic, partition, Offset(from));
                let clear = found.map_err(|e| describe(&e))?;
                target.answer(partition, clear.map_or(i64::MAX, |offset| offset.0));
            }
            if target.is_reached() {
                reading.until = target.at;
                reading.stalled = std::mem::take(&mut target.partitions);
                reading.target = None;
                self.tell(topic, &reading.stalled);
            }
        }
        Ok(())
    }

    /// Gives every topic without a target one: its end as of now.
    fn aim(&mut self, readings: &mut BTreeMap<Topic, Reading>, now: Timestamp) -> KafkaResult<()> {
        let mut asked = TopicPartitionList::new();
        for (topic, _) in readings.iter().filter(|(_, reading)| reading.target.is_none()) {
            for partition in 0..self.partitions_of(topic)? {
                asked.add_partition_offset(topic.as_str(), partition, Place::End)?;
            }
        }
        if asked.count() == 0 {
            return Ok(());
        }
        let found = self.asking.offsets_for_times(asked, ANSWER_MAX)?;
        let mut ends: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
        for element in found.elements() {
            element.error()?;
            let end = match element.offset() {
                Place::Offset(end) => end,
                _ => 0,
            };
            let own = ends.entry(element.topic().to_owned()).or_default();
            own.insert(element.partition(), end);
        }
        for (topic, reading) in readings.iter_mut().filter(|(_, r)| r.target.is_none()) {
            let own = ends.remove(topic.as_str()).unwrap_or_default();
            reading.target = Some(Target::new(now, &own, &reading.stalled));
        }
        Ok(())
    }

    fn partitions_of(&mut self, topic: &Topic) -> KafkaResult<i32> {
        if let Some((count, at)) = self.partitions.get(topic)
            && at.elapsed() < PARTITIONS_FOR
        {
            return Ok(*count);
        }
        let metadata = self.asking.fetch_metadata(Some(topic.as_str()), ANSWER_MAX)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic.as_str());
        let count = found.map_or(0, |found| found.partitions().len());
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        self.partitions.insert(topic.clone(), (count, Instant::now()));
        Ok(count)
    }

    /// Where the gateways' group is in the partitions that targets wait for.
    fn committed(
        &self,
        readings: &BTreeMap<Topic, Reading>,
    ) -> KafkaResult<BTreeMap<Topic, BTreeMap<i32, Found>>> {
        let mut asked = TopicPartitionList::new();
        for (topic, reading) in readings {
            for partition in reading.target.iter().flat_map(|target| target.partitions.keys()) {
                asked.add_partition(topic.as_str(), *partition);
            }
        }
        let mut all = BTreeMap::new();
        if asked.count() == 0 {
            return Ok(all);
        }
        let found = self.asking.committed_offsets(asked, ANSWER_MAX)?;
        for element in found.elements() {
            element.error()?;
            let committed = match element.offset() {
                Place::Offset(at) => Some(at),
                _ => None,
            };
            let Some(topic) = readings.keys().find(|topic| topic.as_str() == element.topic())
            else {
                continue;
            };
            let own: &mut BTreeMap<i32, Found> = all.entry(topic.clone()).or_default();
            own.insert(element.partition(), Found { committed });
        }
        Ok(all)
    }

    fn tell(&mut self, topic: &Topic, stalled: &BTreeMap<i32, Part>) {
        if stalled.is_empty() {
            self.told.remove(topic);
        } else if self.told.insert(topic.clone()) {
            tracing::warn!(
                %topic,
                partitions = ?stalled.keys().collect::<Vec<_>>(),
                "timers.strike_unread: no gateway reads this topic; deadlines of its sagas no \
                 longer wait for it"
            );
        }
    }
}

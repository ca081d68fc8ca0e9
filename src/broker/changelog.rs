use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;

use super::asking::{Asking, end_finder};
use super::assign::read_from;
use super::closing::close_aside;
use super::connection::{Quiet, is_passing};
use super::faults::{lost, passing, unread};
use super::hanging::Looker;
use super::reader::made;
use super::record::partition;
use super::retry::insist;
use super::{Connection, Error, Isolation};
use crate::message::{Offset, Shard, Topic};
use crate::runtime::{ChangelogReader, ChangelogRecord, Lost};

/// How many records one call hands out.
const RECORDS_MAX: usize = 8192;
/// For how long the cluster may be silent in the middle of a restore.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Sees where logs end, open transactions included.
pub(super) struct Ends(BaseConsumer<Asking>);

impl Ends {
    pub(super) fn open(connection: &Connection, client: &str) -> Result<Self, Error> {
        Ok(Self(end_finder(connection, client)?))
    }

    /// The client that asks.
    pub(super) fn client(&self) -> &BaseConsumer<Asking> {
        &self.0
    }

    /// The first offset of a partition's log, and the one behind its last.
    pub(super) fn of(&self, topic: &str, partition: i32) -> Result<(i64, i64), Lost> {
        let asked = insist(|wait| self.0.fetch_watermarks(topic, partition, wait));
        asked.map_err(|e| unread(&format!("asking for the end of {topic}[{partition}]"), &e))
    }
}

/// Reads one shard's changelog to the end that it had when the reader was made.
///
/// The end is the high watermark, so that a transaction which is committed but whose markers are
/// not written yet is waited for (R3). With every transaction before that end decided, the
/// client's own end-of-partition event says that all of it was read, even where only aborted
/// records and markers are left.
pub struct Changelog {
    consumer: Option<BaseConsumer<Quiet>>,
    /// The record that was met when the one in front of the start was looked for.
    ahead: Option<ChangelogRecord>,
    name: String,
    position: Offset,
    end: Offset,
    stands: bool,
}

/// Why a changelog cannot be read.
pub(super) enum Unopened {
    /// A transaction in front of its end is open for longer than was waited; in words.
    Undecided(String),
    Lost(Lost),
}

impl From<Lost> for Unopened {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl Changelog {
    pub(super) fn open(
        connection: &Connection,
        client: &str,
        (ends, looker): (&Ends, &mut Looker),
        (topic, shard): (&Topic, Shard),
        from: Offset,
        limit: Duration,
    ) -> Result<Self, Unopened> {
        let name = format!("{topic}[{shard}]");
        let partition = partition(shard);
        let (low, high) = ends.of(topic.as_str(), partition)?;
        // A place outside the log is of another log: everything is read instead.
        let start = if (low..=high).contains(&from.0) { from } else { Offset(low) };
        let end = Offset(high);
        let mut reader =
            Self { consumer: None, ahead: None, name, position: start, end, stands: true };
        if low < high {
            let consumer = consumer(connection, client).map_err(|e| passing(e.to_string()))?;
            reader.wait_for_decisions(&consumer, topic, partition, limit)?;
            // The record in front of the start is looked at in passing.
            let before = (start.0 > low).then(|| Offset(start.0 - 1));
            let begun = read_from(&consumer, topic, partition, before.unwrap_or(start));
            begun.map_err(|e| reader.unread(&e))?;
            reader.consumer = Some(consumer);
            if let Some(before) = before {
                let met = reader.meet()?;
                if met.as_ref().map(|record| record.offset) != Some(before) {
                    // It was compacted, a marker stands in its place, or it was taken back.
                    let at = (partition, before);
                    reader.stands = !looker.is_seen(Isolation::Uncommitted, topic, at)?;
                    reader.ahead = met;
                }
            }
        }
        Ok(reader)
    }

    /// The first record that is there; none if there is none up to the end.
    fn meet(&mut self) -> Result<Option<ChangelogRecord>, Lost> {
        let silence = Instant::now();
        while silence.elapsed() < SILENCE_MAX {
            match self.polled(Duration::from_secs(1)) {
                Some(Ok(record)) => return Ok(Some(record)),
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.finish();
                    return Ok(None);
                }
                Some(Err(error)) if !error.rdkafka_error_code().is_some_and(is_passing) => {
                    return Err(self.unread(&error));
                }
                Some(Err(_)) | None => {}
            }
        }
        Err(self.silent())
    }

    fn unread(&self, error: &KafkaError) -> Lost {
        lost(&format!("reading {}", self.name), error)
    }

    fn silent(&self) -> Lost {
        passing(format!("{} was silent for too long", self.name))
    }

    /// Waits until every transaction in front of the end is committed or aborted.
    fn wait_for_decisions(
        &self,
        consumer: &BaseConsumer<Quiet>,
        topic: &Topic,
        partition: i32,
        limit: Duration,
    ) -> Result<(), Unopened> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            let asked = insist(|wait| consumer.fetch_watermarks(topic.as_str(), partition, wait));
            let doing = || format!("asking how far {} is decided", self.name);
            let (_, stable) = asked.map_err(|e| lost(&doing(), &e))?;
            if stable >= self.end.0 {
                return Ok(());
            }
            if start.elapsed() >= limit {
                let seconds = limit.as_secs();
                let reason = format!(
                    "a transaction in {name} is still open after {seconds} s, longer than Kafka \
                     lets one be: it hangs in the cluster. Look at it with `kafka-transactions.sh \
                     --bootstrap-server … describe-producers --topic {topic} --partition \
                     {partition}`, end it with `kafka-transactions.sh --bootstrap-server … abort \
                     --topic {topic} --partition {partition} --start-offset {stable}`",
                    name = self.name,
                );
                return Err(Unopened::Undecided(reason));
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(100));
        }
    }

    fn read(&mut self) -> Result<Vec<ChangelogRecord>, Lost> {
        let mut found = Vec::new();
        let silence = Instant::now();
        while self.consumer.is_some() && found.len() < RECORDS_MAX {
            let wait = if found.is_empty() { Duration::from_secs(1) } else { Duration::ZERO };
            match self.polled(wait) {
                Some(Ok(record)) if record.offset < self.end => {
                    self.position = record.offset.next();
                    found.push(record);
                    if self.position == self.end {
                        self.finish();
                    }
                }
                Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => self.finish(),
                Some(Err(error)) if !error.rdkafka_error_code().is_some_and(is_passing) => {
                    return Err(self.unread(&error));
                }
                None if !found.is_empty() => break,
                None if silence.elapsed() >= SILENCE_MAX => return Err(self.silent()),
                Some(Err(_)) | None => {}
            }
        }
        Ok(found)
    }

    /// Copies what the client lends: closing a consumer while one of its records is alive waits
    /// for that record for ever.
    fn polled(&mut self, wait: Duration) -> Option<Result<ChangelogRecord, KafkaError>> {
        if let Some(record) = self.ahead.take() {
            return Some(Ok(record));
        }
        let lent = self.consumer.as_ref()?.poll(wait)?;
        Some(lent.map(|record| ChangelogRecord {
            offset: Offset(record.offset()),
            key: record.key().map(Bytes::copy_from_slice).unwrap_or_default(),
            value: record.payload().map(Bytes::copy_from_slice),
        }))
    }

    fn finish(&mut self) {
        self.position = self.end.max(self.position);
        if let Some(consumer) = self.consumer.take() {
            close_aside(consumer);
        }
    }
}

impl ChangelogReader for Changelog {
    fn next(&mut self) -> Result<Vec<ChangelogRecord>, Lost> {
        self.read()
    }

    fn position(&self) -> Offset {
        self.position
    }

    fn stands(&self) -> bool {
        self.stands
    }
}

fn consumer(connection: &Connection, client: &str) -> Result<BaseConsumer<Quiet>, Error> {
    let mut config = connection.log_reader(client)?;
    config.set("auto.offset.reset", "error");
    // Followers may lag behind the end that the leader told.
    config.remove("client.rack");
    made(&config)
}

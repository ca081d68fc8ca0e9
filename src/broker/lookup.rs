use std::time::{Duration, Instant};

use rdkafka::consumer::BaseConsumer;

use super::asking::{Asking, edges, end_finder};
use super::assign::{read_from, unassign};
use super::connection::{ANSWER_MAX, Quiet};
use super::poll::records;
use super::reader::made;
use super::{Connection, Error, Isolation};
use crate::message::{Offset, Topic};
use crate::runtime::SourceRecord;

/// Records that lie no further apart are read through; a seek costs about as much.
const GAP_MAX: i64 = 2_000;
const POLL_WAIT: Duration = Duration::from_millis(50);

/// Reads single records back by their places, in no group; sees committed records.
pub struct Lookup {
    connection: Connection,
    consumer: BaseConsumer<Quiet>,
    ends: BaseConsumer<Asking>,
}

impl Lookup {
    /// Makes the client.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(connection: &Connection, client: &str) -> Result<Self, Error> {
        let group = format!("{client}.lookup");
        let mut config = connection.consumer(client, &group, Isolation::Committed)?;
        // What is asked for is a few records: nothing is fetched ahead of them.
        config.set("queued.min.messages", "1").set("fetch.wait.max.ms", "10");
        config.set("fetch.message.max.bytes", "262144");
        let (connection, ends) = (connection.clone(), end_finder(connection, client)?);
        Ok(Self { connection, consumer: made(&config)?, ends })
    }

    /// The records at these offsets of one partition, in the order of the offsets; those that are
    /// not kept any more are left out.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn read(
        &mut self,
        topic: &Topic,
        partition: i32,
        offsets: &[Offset],
    ) -> Result<Vec<SourceRecord>, Error> {
        let mut wanted: Vec<Offset> = offsets.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let (low, high) = edges(&self.connection, &self.ends, topic.as_str(), partition)?;
        wanted.retain(|offset| (low..high).contains(&offset.0));
        let mut found = Vec::new();
        let read = self.seek_and_read(topic, partition, &wanted, &mut found);
        // Nothing is fetched between two questions.
        let released = unassign(&self.consumer);
        read?;
        released.map_err(|e| self.connection.unanswered("reading", &e))?;
        Ok(found)
    }

    fn seek_and_read(
        &mut self,
        topic: &Topic,
        partition: i32,
        wanted: &[Offset],
        found: &mut Vec<SourceRecord>,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let mut rest = wanted;
        // The next record that the client hands out, if it was told where to read.
        let mut reading: Option<Offset> = None;
        while let Some(next) = rest.first().copied() {
            let from = reading.filter(|at| *at <= next && next.0 - at.0 <= GAP_MAX);
            if from.is_none() {
                self.assign(topic, partition, next)?;
            }
            // No more than lie between: what is behind the one that is wanted is not looked at.
            let at = from.unwrap_or(next);
            reading = Some(at);
            for record in self.poll(next.0 - at.0 + 1)? {
                let at = record.origin.offset;
                reading = Some(at.next());
                // What lies before it and was not handed out is not there any more.
                rest = &rest[rest.partition_point(|offset| *offset < at)..];
                if rest.first() == Some(&at) {
                    rest = &rest[1..];
                    found.push(record);
                }
            }
            if start.elapsed() >= ANSWER_MAX {
                return Err(Error::Unanswered {
                    brokers: self.connection.brokers.clone(),
                    doing: format!("reading {topic}[{partition}]@{next}"),
                    reason: format!("it did not come within {} s", ANSWER_MAX.as_secs()),
                });
            }
        }
        Ok(())
    }

    fn assign(&self, topic: &Topic, partition: i32, at: Offset) -> Result<(), Error> {
        let begun = read_from(&self.consumer, topic, partition, at);
        begun.map_err(|e| self.connection.unanswered("assigning a partition", &e))
    }

    fn poll(&self, max: i64) -> Result<Vec<SourceRecord>, Error> {
        let max = usize::try_from(max).unwrap_or(1);
        records(&self.connection, &self.consumer, POLL_WAIT, max, "a topic of the engine")
    }
}

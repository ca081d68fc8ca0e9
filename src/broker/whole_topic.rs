//! Reads one of the engine's own small topics from its beginning to its end.

use std::time::{Duration, Instant};

use super::closing::close_aside;
use super::{Connection, Error, Isolation, Reader};
use crate::message::Topic;
use crate::runtime::SourceRecord;

const POLL_WAIT: Duration = Duration::from_millis(50);
const READ_MAX: Duration = Duration::from_secs(60);
const RECORDS_MAX: usize = 1000;

/// Gives every committed record of a topic to `take`, in the order of each partition.
///
/// # Errors
/// When the cluster does not answer, when the end of the topic is not reached in a minute, or when
/// `take` refuses a record.
pub(super) fn read_whole(
    connection: &Connection,
    client: &str,
    topic: &Topic,
    mut take: impl FnMut(&SourceRecord) -> Result<(), Error>,
) -> Result<(), Error> {
    let topics = std::slice::from_ref(topic);
    let mut reader = Reader::all(connection, client, topics, Isolation::Committed)?;
    let start = Instant::now();
    loop {
        for record in reader.poll(POLL_WAIT, RECORDS_MAX)? {
            take(&record)?;
        }
        if reader.is_at_end()? {
            close_aside(reader);
            return Ok(());
        }
        if start.elapsed() >= READ_MAX {
            return Err(Error::Unanswered {
                brokers: connection.brokers.clone(),
                doing: format!("reading {topic}"),
                reason: format!("its end was not reached in {} s", READ_MAX.as_secs()),
            });
        }
    }
}

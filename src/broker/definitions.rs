//! Keeps every version of a definition that ever ran, and what starts now: `<app>.definitions`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::whole_topic::read_whole;
use super::{Connection, Error, Isolation, Reader, Writer};
use crate::definition::Starts;
use crate::format::wire;
use crate::message::{EngineTopics, Headers, Offset, Outgoing};
use crate::runtime::SourceRecord;

const WRITE_MAX: Duration = Duration::from_secs(30);
const RECORDS_MAX: usize = 1_000;
/// The key of the record that says what starts; no definition has it, for theirs have a slash.
const STARTS: &[u8] = b"starts";

/// What the topic holds.
#[derive(Debug, Default)]
pub struct Stored {
    /// The text of each definition, under `<saga>/<version>`.
    pub texts: BTreeMap<String, String>,
    /// What starts, if a node has ever said so: the newest record.
    pub starts: Option<Starts>,
}

/// Reads all definitions and what starts. Of two texts under one key the first counts.
///
/// # Errors
/// When the cluster does not answer, or something there cannot be read.
pub fn read(connection: &Connection, app: &str) -> Result<Stored, Error> {
    let topic = topics(app)?.definitions;
    let client = format!("{app}.definitions");
    let mut found = Stored::default();
    read_whole(connection, &client, &topic, |record| {
        let foreign = |reason: String| Error::Foreign {
            place: format!("{topic}[0] at {}", record.origin.offset),
            reason,
        };
        if is_starts(record) {
            let body = record.body.as_deref().unwrap_or_default();
            let starts = wire::Starts::opened(body, record.origin.offset);
            found.starts = Some(starts.map_err(|e| foreign(e.to_string()))?);
            return Ok(());
        }
        let text = |bytes: Option<&[u8]>| {
            String::from_utf8(bytes.unwrap_or_default().to_vec())
                .map_err(|_| foreign("it is not UTF-8 text".to_owned()))
        };
        let key = text(record.key.as_deref())?;
        match &record.body {
            Some(body) => drop(found.texts.entry(key).or_insert(text(Some(body))?)),
            None => drop(found.texts.remove(&key)),
        }
        Ok(())
    })?;
    Ok(found)
}

/// Writes texts under their keys; returns when all are acknowledged.
///
/// # Errors
/// When the cluster does not acknowledge them.
pub fn publish(
    connection: &Connection,
    app: &str,
    texts: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let bodies = texts.iter().map(|(key, text)| (key.as_str(), text.as_bytes().to_vec()));
    write(connection, app, bodies)
}

/// Says what starts from now on; returns when it is acknowledged.
///
/// # Errors
/// When the cluster does not acknowledge it.
pub fn announce(connection: &Connection, app: &str, starts: &Starts) -> Result<(), Error> {
    let key = std::str::from_utf8(STARTS).expect("it is text");
    write(connection, app, [(key, wire::Starts::sealed(starts))].into_iter())
}

fn write<'a>(
    connection: &Connection,
    app: &str,
    bodies: impl Iterator<Item = (&'a str, Vec<u8>)>,
) -> Result<(), Error> {
    let topic = topics(app)?.definitions;
    let writer = Writer::open(connection, &format!("{app}.definitions"))?;
    for (key, body) in bodies {
        let headers = Headers::default();
        let (topic, key) = (topic.clone(), key.to_owned());
        writer.send(&Outgoing { topic, key, headers, body: body.into() }, None)?;
    }
    writer.flush(WRITE_MAX)
}

/// Sees what other nodes say starts.
pub struct Watch {
    reader: Reader,
}

impl Watch {
    /// Begins to watch, from the beginning of the topic.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn open(connection: &Connection, app: &str) -> Result<Self, Error> {
        let topic = topics(app)?.definitions;
        let client = format!("{app}.definitions.watch");
        let topics = std::slice::from_ref(&topic);
        let reader = Reader::all(connection, &client, topics, Isolation::Committed)?;
        Ok(Self { reader })
    }

    /// Where the newest record stands that says what starts, if one comes within `wait`.
    ///
    /// # Errors
    /// When the connection cannot be trusted any more.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Offset>, Error> {
        let records = self.reader.poll(wait, RECORDS_MAX)?;
        let said = records.iter().filter(|record| is_starts(record));
        Ok(said.map(|record| record.origin.offset).max())
    }
}

fn is_starts(record: &SourceRecord) -> bool {
    record.key.as_deref() == Some(STARTS)
}

fn topics(app: &str) -> Result<EngineTopics, Error> {
    EngineTopics::new(app).map_err(|e| Error::Topics(e.to_string()))
}

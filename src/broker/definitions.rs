//! Keeps every version of a definition that ever ran, what starts now as files say, and what people
//! have said of it since: `<app>.definitions`.
//!
//! A person's word stands under a key of its own, so no node that starts overwrites it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::whole_topic::read_whole;
use super::{Connection, Error, Isolation, Reader, Writer};
use crate::definition::{Starts, StartsWord};
use crate::format::wire;
use crate::message::{EngineTopics, Headers, Offset, Outgoing, SagaName, Timestamp};
use crate::runtime::SourceRecord;

const WRITE_MAX: Duration = Duration::from_secs(30);
const RECORDS_MAX: usize = 1_000;
/// The key of the record that says what starts; no definition has it, for theirs have a slash.
const STARTS: &[u8] = b"starts";
/// What the key of a person's word begins with; no saga has a colon in its name.
const WORD: &str = "starts:";

/// What the topic holds.
#[derive(Debug, Default)]
pub struct Stored {
    /// The text of each definition, under `<saga>/<version>`.
    pub texts: BTreeMap<String, String>,
    /// What starts as files say, if a node has ever said so: the newest record.
    pub said: Option<Starts>,
    /// The last word of people about the starts of each saga.
    pub words: BTreeMap<SagaName, StartsWord>,
}

impl Stored {
    /// What starts.
    #[must_use]
    pub fn starts(&self) -> Option<Starts> {
        self.said.clone().map(|said| said.with_words(&self.words))
    }
}

/// A person's word as it is written: JSON that any tool reads.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WordNotation {
    paused: bool,
    id: String,
    by: String,
    why: String,
    at: String,
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
            found.said = Some(starts.map_err(|e| foreign(e.to_string()))?);
            return Ok(());
        }
        if let Some(saga) = word_about(record) {
            let saga = SagaName::new(saga).map_err(|e| foreign(e.to_string()))?;
            match &record.body {
                Some(body) => {
                    let word = word_in(body, record.origin.offset).map_err(foreign)?;
                    found.words.insert(saga, word);
                }
                None => drop(found.words.remove(&saga)),
            }
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

/// Writes a person's word about the starts of a saga; where it stands is told by who reads it.
///
/// # Errors
/// When the cluster does not acknowledge it.
pub fn say(
    connection: &Connection,
    app: &str,
    saga: &SagaName,
    word: &StartsWord,
) -> Result<(), Error> {
    let notation = WordNotation {
        paused: word.is_paused,
        id: word.id.clone(),
        by: word.by.clone(),
        why: word.why.clone(),
        at: word.at.to_string(),
    };
    let body = serde_json::to_vec(&notation).expect("it is made of texts");
    write(connection, app, [(format!("{WORD}{saga}").as_str(), body)].into_iter())
}

fn word_in(body: &[u8], offset: Offset) -> Result<StartsWord, String> {
    let word: WordNotation = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    let WordNotation { paused: is_paused, id, by, why, at } = word;
    let at = Timestamp::parse(&at).ok_or_else(|| format!("`{at}` is no moment"))?;
    Ok(StartsWord { is_paused, id, by, why, at, offset })
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

    /// Where the newest record stands that says what starts, of a node or a person, if one comes
    /// within `wait`.
    ///
    /// # Errors
    /// When the connection cannot be trusted any more.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Offset>, Error> {
        let records = self.reader.poll(wait, RECORDS_MAX)?;
        // A word that somebody takes out by hand is followed with the next one.
        let is_word = |record: &SourceRecord| word_about(record).is_some() && record.body.is_some();
        let said = records.iter().filter(|record| is_starts(record) || is_word(record));
        Ok(said.map(|record| record.origin.offset).max())
    }
}

fn is_starts(record: &SourceRecord) -> bool {
    record.key.as_deref() == Some(STARTS)
}

/// The saga that a person's word is about; none if the record is none.
fn word_about(record: &SourceRecord) -> Option<&str> {
    std::str::from_utf8(record.key.as_deref()?).ok()?.strip_prefix(WORD)
}

fn topics(app: &str) -> Result<EngineTopics, Error> {
    EngineTopics::new(app).map_err(|e| Error::Topics(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_word_reads_back_from_json_that_any_tool_writes() {
        let body = br#"{"paused":true,"id":"w-1","by":"ana","why":"the bank is down",
                        "at":"2026-11-01T00:00:00Z"}"#;
        let word = word_in(body, Offset(9)).expect("a word");
        assert_eq!((word.is_paused, word.by.as_str(), word.offset), (true, "ana", Offset(9)));
        assert_eq!(word.at.to_string(), "2026-11-01T00:00:00.000Z");
        for body in [&b"{}"[..], b"", br#"{"paused":1,"id":"","by":"","why":"","at":""}"#] {
            assert!(word_in(body, Offset(9)).is_err(), "{body:?}");
        }
        let late = br#"{"paused":true,"id":"","by":"","why":"","at":"soon"}"#;
        assert_eq!(word_in(late, Offset(9)), Err("`soon` is no moment".to_owned()));
    }
}

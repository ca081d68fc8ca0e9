//! Keeps every version of a definition that ever ran: `<app>.definitions`, key to text.

use std::collections::BTreeMap;
use std::time::Duration;

use super::whole_topic::read_whole;
use super::{Connection, Error, Writer};
use crate::message::{EngineTopics, Headers, Outgoing};

const WRITE_MAX: Duration = Duration::from_secs(30);

/// Reads all definitions: the text under each key, `<saga>/<version>`.
///
/// # Errors
/// When the cluster does not answer, or something there is not text.
pub fn read(connection: &Connection, app: &str) -> Result<BTreeMap<String, String>, Error> {
    let topic = topics(app)?.definitions;
    let client = format!("{app}.definitions");
    let mut found = BTreeMap::new();
    read_whole(connection, &client, &topic, |record| {
        let text = |bytes: Option<&[u8]>| {
            String::from_utf8(bytes.unwrap_or_default().to_vec()).map_err(|_| Error::Foreign {
                place: format!("{topic}[0] at {}", record.origin.offset),
                reason: "it is not UTF-8 text".to_owned(),
            })
        };
        let key = text(record.key.as_deref())?;
        match &record.body {
            Some(body) => found.insert(key, text(Some(body))?),
            None => found.remove(&key),
        };
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
    let topic = topics(app)?.definitions;
    let writer = Writer::open(connection, &format!("{app}.definitions"))?;
    for (key, text) in texts {
        let body = text.clone().into_bytes().into();
        let headers = Headers::default();
        let message = Outgoing { topic: topic.clone(), key: key.clone(), headers, body };
        writer.send(&message, None)?;
    }
    writer.flush(WRITE_MAX)
}

fn topics(app: &str) -> Result<EngineTopics, Error> {
    EngineTopics::new(app).map_err(|e| Error::Topics(e.to_string()))
}

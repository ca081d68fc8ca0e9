use std::collections::BTreeSet;
use std::time::Duration;

use super::Error;
use crate::books::{Books, Delivery, Options, Record, Report};
use crate::broker::{Connection, Isolation, Reader};
use crate::definition::Definition;
use crate::message::{EngineTopics, Topic};

const WAIT: Duration = Duration::from_millis(50);
const RECORDS_MAX: usize = 5_000;

/// Reads users' topics, history, dead letters, and what people are asked and do, from their
/// beginning, and checks the books.
pub(super) fn reckon(
    connection: &Connection,
    app: &str,
    definitions: &[Definition],
    topics: &BTreeSet<Topic>,
) -> Result<Report, Error> {
    let engine = EngineTopics::new(app).map_err(crate::node::Error::Name)?;
    let mut all: Vec<Topic> = topics.iter().cloned().collect();
    all.extend([engine.history, engine.questions, engine.operator, engine.dead_letters]);
    let options = Options { app: app.to_owned(), delivery: Delivery::ExactlyOnce, ended: false };
    let mut books = Books::new(definitions, options);
    let mut reader = Reader::all(connection, "books", &all, Isolation::Committed)?;
    while !reader.is_at_end()? {
        for record in reader.poll(WAIT, RECORDS_MAX)? {
            books.read(&Record {
                topic: &record.origin.topic,
                partition: record.origin.partition,
                offset: record.origin.offset,
                key: record.key.as_deref(),
                headers: &record.headers,
                body: record.body.as_ref(),
                timestamp: record.timestamp,
            });
        }
    }
    Ok(books.close())
}

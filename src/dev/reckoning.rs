use std::collections::BTreeSet;
use std::time::Duration;

use super::Error;
use crate::books::{Books, Delivery, Options, Record, Report};
use crate::broker::{Connection, EngineTopics, Isolation, Reader};
use crate::definition::{Definition, Step, StepKind};
use crate::message::{SagaName, Topic};

const WAIT: Duration = Duration::from_millis(50);
const RECORDS_MAX: usize = 5_000;

/// The sagas that the books do not follow: they know commands, facts, data and `fail`, and no
/// child, which may be taken back after its end.
pub(super) fn unfollowed(definitions: &[Definition]) -> Vec<SagaName> {
    let others = definitions.iter().filter(|definition| !is_followed(definition));
    others.map(|definition| definition.saga.clone()).collect()
}

fn is_followed(definition: &Definition) -> bool {
    let known = |step: &Step| match &step.kind {
        StepKind::Command(command) => command.probe.is_none(),
        StepKind::Emit(_) | StepKind::Set | StepKind::Fail(_) => true,
        StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => false,
    };
    !definition.by_parent && definition.steps.iter().all(known)
}

/// Reads users' topics, history and dead letters from their beginning, and checks the books.
pub(super) fn reckon(
    connection: &Connection,
    app: &str,
    definitions: &[Definition],
    topics: &BTreeSet<Topic>,
) -> Result<Report, Error> {
    let engine = EngineTopics::new(app).map_err(crate::node::Error::Name)?;
    let mut all: Vec<Topic> = topics.iter().cloned().collect();
    all.extend([engine.history, engine.dead_letters]);
    let options = Options { app: app.to_owned(), delivery: Delivery::ExactlyOnce, ended: false };
    let followed: Vec<_> = definitions.iter().filter(|d| is_followed(d)).cloned().collect();
    let mut books = Books::new(&followed, options);
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

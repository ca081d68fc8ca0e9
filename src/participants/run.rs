#![allow(clippy::disallowed_methods, reason = "participants live at the edge, by the wall clock")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::waiting::Waiting;
use super::{Command, Participants, Question};
use crate::broker::{Connection, Error, Isolation, Reader, Writer};
use crate::message::{Timestamp, Topic};
use crate::runtime::SourceRecord;

const RECORDS_MAX: usize = 2_000;
const COMMIT_EVERY: Duration = Duration::from_secs(1);
const FLUSH_MAX: Duration = Duration::from_secs(10);
const COMPLAINTS_MAX: usize = 100;

/// What participants did until they were stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    /// Commands that were read.
    pub commands: u64,
    /// Questions to people that were read.
    pub questions: u64,
    /// Answers that were sent, duplicates too.
    pub answers: u64,
    /// Answers that were still to come when it was stopped.
    pub unsent: u64,
    /// Why commands had no answer, each reason with its number; at most 100 reasons.
    pub complaints: BTreeMap<String, u64>,
}

/// Obeys commands and answers questions in the group `<name>.participants` until `stop` is set.
///
/// An answer without a delay is sent as soon as its command is read; the others wait in memory,
/// so those of a process that dies are as lost as those of a service that dies.
///
/// # Errors
/// When the cluster refuses or is lost for good.
pub fn run(
    connection: &Connection,
    name: &str,
    mut participants: Participants,
    stop: &AtomicBool,
) -> Result<Answered, Error> {
    let group = format!("{name}.participants");
    let mut topics = participants.topics();
    let people = Asking::of(name, &participants)?;
    topics.extend(people.iter().map(|asking| asking.questions.clone()));
    let mut reader = Reader::member(connection, &group, &group, &topics, Isolation::Committed)?;
    let writer = Writer::open(connection, &group)?;
    let mut answered = Answered::default();
    let mut waiting = Waiting::default();
    let mut committed = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let records = reader.poll(waiting.pause(now()), RECORDS_MAX)?;
        for record in &records {
            match people.as_ref().filter(|asking| asking.questions == record.origin.topic) {
                Some(asking) => asking.answer(&participants, record, &mut waiting, &mut answered),
                None => obey(&mut participants, record, &mut waiting, &mut answered),
            }
        }
        for message in waiting.due(now()) {
            writer.send(&message, None)?;
            answered.answers += 1;
        }
        if committed.elapsed() >= COMMIT_EVERY {
            reader.commit()?;
            committed = Instant::now();
        }
    }
    writer.flush(FLUSH_MAX)?;
    reader.commit()?;
    answered.unsent = waiting.len();
    Ok(answered)
}

/// The wall clock.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn obey(
    participants: &mut Participants,
    record: &SourceRecord,
    waiting: &mut Waiting,
    answered: &mut Answered,
) {
    answered.commands += 1;
    let command = Command {
        topic: &record.origin.topic,
        key: record.key.as_deref().unwrap_or_default(),
        headers: &record.headers,
        body: record.body.as_deref().unwrap_or_default(),
    };
    match participants.decide(&command, now()) {
        Ok(answers) => {
            for answer in answers {
                waiting.add(answer.at, answer.message);
            }
        }
        Err(reason) => answered.complain(&record.origin.topic, reason.to_string()),
    }
}

impl Answered {
    fn complain(&mut self, topic: &Topic, reason: String) {
        tracing::warn!(%topic, %reason, "command.unanswered");
        if self.complaints.len() < COMPLAINTS_MAX {
            *self.complaints.entry(reason).or_default() += 1;
        }
    }
}

/// Where people are asked and where they answer.
struct Asking {
    questions: Topic,
    operator: Topic,
}

impl Asking {
    /// None if nobody answers questions.
    fn of(name: &str, participants: &Participants) -> Result<Option<Self>, Error> {
        if participants.people().is_empty() {
            return Ok(None);
        }
        let topic = |what: &str| {
            Topic::new(&format!("{name}.{what}")).map_err(|e| Error::Client(e.to_string()))
        };
        Ok(Some(Self { questions: topic("questions")?, operator: topic("operator")? }))
    }

    fn answer(
        &self,
        participants: &Participants,
        record: &SourceRecord,
        waiting: &mut Waiting,
        answered: &mut Answered,
    ) {
        answered.questions += 1;
        let question: Question =
            match serde_json::from_slice(record.body.as_deref().unwrap_or_default()) {
                Ok(question) => question,
                Err(e) => return answered.complain(&self.questions, format!("no question: {e}")),
            };
        match participants.people().decide(&question, now()) {
            Ok(None) => {}
            Ok(Some((at, said))) => waiting.add(at, said.message(&self.operator)),
            Err(reason) => answered.complain(&self.questions, reason),
        }
    }
}

#![allow(clippy::disallowed_methods, reason = "participants live at the edge, by the wall clock")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Command, Participants};
use crate::broker::retry::{Patience, patiently};
use crate::broker::{Connection, Error, Isolation, Reader, Writer, await_topics};
use crate::message::{Outgoing, Timestamp};
use crate::runtime::SourceRecord;

const RECORDS_MAX: usize = 2_000;
const IDLE_MAX: Duration = Duration::from_millis(50);
const COMMIT_EVERY: Duration = Duration::from_secs(1);
const FLUSH_MAX: Duration = Duration::from_secs(10);
const COMPLAINTS_MAX: usize = 100;

/// What participants did until they were stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    /// Commands that were read.
    pub commands: u64,
    /// Answers that were sent, duplicates too.
    pub answers: u64,
    /// Answers that were still to come when it was stopped.
    pub unsent: u64,
    /// Why commands had no answer, each reason with its number; at most 100 reasons.
    pub complaints: BTreeMap<String, u64>,
}

/// Obeys commands in the group `<name>.participants` until `stop` is set; waits a minute for
/// topics that are not there yet.
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
    let topics = participants.topics();
    let join = || {
        await_topics(connection, &topics, stop)?;
        Reader::member(connection, &group, &group, &topics, Isolation::Committed)
    };
    let mut reader = match join() {
        Err(Error::Stopped) => return Ok(Answered::default()),
        joined => joined?,
    };
    let writer = Writer::open(connection, &group)?;
    let mut answered = Answered::default();
    let mut waiting = Waiting::default();
    let mut committed = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let records = match reader.poll(waiting.pause(now()), RECORDS_MAX) {
            Err(error @ Error::Unanswered { .. }) => {
                tracing::warn!(%error, "participants.lost");
                match join() {
                    Err(Error::Stopped) => break,
                    joined => reader = joined?,
                }
                continue;
            }
            polled => polled?,
        };
        for record in &records {
            answered.commands += 1;
            obey(&mut participants, record, &mut waiting, &mut answered);
        }
        for message in waiting.due(now()) {
            writer.send(&message, None)?;
            answered.answers += 1;
        }
        if committed.elapsed() >= COMMIT_EVERY {
            match reader.commit() {
                // What is not committed now is committed with what comes after it.
                Err(error @ Error::Unanswered { .. }) => {
                    tracing::warn!(%error, "offsets.not_committed");
                }
                done => done?,
            }
            committed = Instant::now();
        }
    }
    writer.flush(FLUSH_MAX)?;
    let patience = Patience { whole: FLUSH_MAX, ..Patience::default() };
    let never = AtomicBool::new(false);
    patiently("committing offsets", patience, &never, || reader.commit())?;
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
        Err(reason) => {
            let reason = reason.to_string();
            tracing::warn!(topic = %record.origin.topic, %reason, "command.unanswered");
            if answered.complaints.len() < COMPLAINTS_MAX {
                *answered.complaints.entry(reason).or_default() += 1;
            }
        }
    }
}

/// Answers whose time has not come; those of one moment leave in the order of their making.
#[derive(Default)]
struct Waiting {
    order: BinaryHeap<Reverse<(Timestamp, u64)>>,
    messages: BTreeMap<u64, Outgoing>,
    made: u64,
}

impl Waiting {
    fn add(&mut self, at: Timestamp, message: Outgoing) {
        self.made += 1;
        self.order.push(Reverse((at, self.made)));
        self.messages.insert(self.made, message);
    }

    /// How long nothing is due.
    fn pause(&self, now: Timestamp) -> Duration {
        match self.order.peek() {
            Some(Reverse((at, _))) => Duration::from_millis(at.since(now).0).min(IDLE_MAX),
            None => IDLE_MAX,
        }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut due = Vec::new();
        while let Some(Reverse((at, number))) = self.order.peek().copied() {
            if at > now {
                break;
            }
            self.order.pop();
            due.extend(self.messages.remove(&number));
        }
        due
    }

    fn len(&self) -> u64 {
        self.messages.len() as u64
    }
}

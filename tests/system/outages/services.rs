use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use segue::broker::{Connection, Isolation, Reader, Writer};
use segue::message::{Outgoing, Timestamp};
use segue::participants::{Command, Participants};

use crate::watch::{PATIENCE, until};

const WAIT: Duration = Duration::from_millis(10);
const FLUSH_MAX: Duration = Duration::from_secs(30);
const RECORDS_MAX: usize = 2_000;

/// Runs services that outlive whatever the cluster does to them, until `stop` is set: they are in no
/// group, so no coordinator keeps them from their commands, and what they read last they remember.
pub fn run(connection: &Connection, mut services: Participants, stop: &AtomicBool) {
    let topics = services.topics();
    let reader = || Reader::all(connection, "services", &topics, Isolation::Committed).ok();
    let mut reader = until("the topics of the services", PATIENCE, reader);
    let writer = Writer::open(connection, "services").expect("a writer");
    // By the time when they are due, and by how many came before.
    let mut waiting: BTreeMap<(Timestamp, usize), Outgoing> = BTreeMap::new();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        // A reader whose broker is away finds it again by itself.
        for record in reader.poll(WAIT, RECORDS_MAX).unwrap_or_default() {
            let command = Command {
                topic: &record.origin.topic,
                key: record.key.as_deref().unwrap_or_default(),
                headers: &record.headers,
                body: record.body.as_deref().unwrap_or_default(),
            };
            for answer in services.decide(&command, now()).expect("the scripts know it") {
                count += 1;
                waiting.insert((answer.at, count), answer.message);
            }
        }
        let later = waiting.split_off(&(now(), usize::MAX));
        for message in std::mem::replace(&mut waiting, later).into_values() {
            writer.send(&message, None).expect("queued");
        }
    }
    writer.flush(FLUSH_MAX).expect("acknowledged");
}

/// The wall clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp(i64::try_from(since.as_millis()).expect("a time of these days"))
}

#![allow(clippy::disallowed_methods, reason = "load is placed at the edge, by the wall clock")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::draw::digest;
use super::run::now;
use super::waiting::Waiting;
use super::{Starts, Unanswered};
use crate::broker::{Connection, Error, Isolation, Reader, Writer};
use crate::message::{Address, Outgoing, header};
use crate::runtime::SourceRecord;

const RECORDS_MAX: usize = 2_000;
const WAIT_MAX: Duration = Duration::from_millis(20);
const FLUSH_MAX: Duration = Duration::from_secs(30);

/// Places start events, as fast as told.
#[derive(Debug, Clone)]
pub struct Load {
    /// What is placed.
    pub starts: Starts,
    /// How many; none means until stopped.
    pub orders: Option<u64>,
    /// How fast.
    pub pace: Pace,
}

/// How fast start events are placed.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// So many a second; 0 means as fast as the cluster takes them.
    Rate(f64),
    /// A new one whenever fewer than `most` are open: closed loop.
    Open {
        /// The most that are open at once.
        most: u64,
        /// The facts that say that a saga has ended, or that it is stuck.
        ends: Vec<Address>,
    },
}

/// What was placed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// Start events that were placed.
    pub orders: u64,
    /// Sagas that were seen to end; only a closed loop looks.
    pub ended: u64,
}

impl Load {
    /// Places start events until all are placed or `stop` is set; `seen` is told each of them.
    ///
    /// # Errors
    /// When the cluster refuses, or a start event cannot be filled.
    pub fn place(
        &self,
        connection: &Connection,
        client: &str,
        stop: &AtomicBool,
        mut seen: impl FnMut(&Outgoing),
    ) -> Result<Placed, Error> {
        let writer = Writer::open(connection, client)?;
        let mut gate = Gate::open(&self.pace, connection, client)?;
        let mut placed = Placed::default();
        let mut waiting = Waiting::default();
        while !stop.load(Ordering::Relaxed) && self.orders.is_none_or(|all| placed.orders < all) {
            let left = self.orders.map_or(u64::MAX, |all| all - placed.orders);
            let allowed = gate.allowed(&mut placed)?.min(left).min(RECORDS_MAX as u64);
            for _ in 0..allowed {
                let (n, now) = (placed.orders + 1, now());
                let message = self.starts.make(n, now).map_err(refused)?;
                if let Some(follow) = self.starts.follow(n, now).map_err(refused)? {
                    waiting.add(follow.at, follow.message);
                }
                writer.send(&message, None)?;
                placed.orders += 1;
                seen(&message);
            }
            send_due(&mut waiting, &writer)?;
        }
        while !stop.load(Ordering::Relaxed) && waiting.len() > 0 {
            std::thread::sleep(waiting.pause(now()));
            send_due(&mut waiting, &writer)?;
        }
        writer.flush(FLUSH_MAX)?;
        Ok(placed)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn refused(why: Unanswered) -> Error {
    Error::Refused { doing: "placing a start event".to_owned(), reason: why.to_string() }
}

fn send_due(waiting: &mut Waiting, writer: &Writer) -> Result<(), Error> {
    for message in waiting.due(now()) {
        writer.send(&message, None)?;
    }
    Ok(())
}

/// Lets start events through.
enum Gate<'a> {
    Wide,
    Rate { since: Instant, rate: f64 },
    Open { most: u64, ends: &'a [Address], reader: Box<Reader>, seen: BTreeSet<u128> },
}

impl<'a> Gate<'a> {
    fn open(pace: &'a Pace, connection: &Connection, client: &str) -> Result<Self, Error> {
        Ok(match pace {
            Pace::Rate(rate) if *rate <= 0.0 => Self::Wide,
            Pace::Rate(rate) => Self::Rate { since: Instant::now(), rate: *rate },
            Pace::Open { most, ends } => {
                let mut topics: Vec<_> = ends.iter().map(|a| a.topic.clone()).collect();
                topics.sort();
                topics.dedup();
                let client = format!("{client}.ends");
                let reader = Reader::all(connection, &client, &topics, Isolation::Committed)?;
                let (reader, seen) = (Box::new(reader), BTreeSet::new());
                Self::Open { most: *most, ends, reader, seen }
            }
        })
    }

    /// How many may be placed now; waits a little if none may.
    fn allowed(&mut self, placed: &mut Placed) -> Result<u64, Error> {
        match self {
            Self::Wide => Ok(u64::MAX),
            Self::Rate { since, rate } => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let due = (since.elapsed().as_secs_f64() * *rate) as u64 + 1;
                let allowed = due.saturating_sub(placed.orders);
                if allowed == 0 {
                    std::thread::sleep(Duration::from_secs_f64(1.0 / *rate).min(WAIT_MAX) / 2);
                }
                Ok(allowed)
            }
            Self::Open { most, ends, reader, seen } => {
                let open = placed.orders.saturating_sub(seen.len() as u64);
                let wait = if open < *most { Duration::ZERO } else { WAIT_MAX };
                for record in &reader.poll(wait, RECORDS_MAX)? {
                    let word = record.headers.text(header::TYPE);
                    let is_end = ends.iter().any(|end| {
                        end.topic == record.origin.topic && word == Some(end.event_type.as_str())
                    });
                    if is_end {
                        seen.insert(digest(&saga(record)));
                    }
                }
                placed.ended = seen.len() as u64;
                Ok(most.saturating_sub(placed.orders.saturating_sub(placed.ended)))
            }
        }
    }
}

/// Which saga a fact tells of: the instance that it names, else its record's key.
fn saga(fact: &SourceRecord) -> String {
    match fact.headers.text(header::CORRELATION) {
        Some(instance) => instance.to_owned(),
        None => String::from_utf8_lossy(fact.key.as_deref().unwrap_or_default()).into_owned(),
    }
}

//! The thread that follows the topics.
//!
//! The changelog goes first: an entry of the history belongs to an instance that the changelog
//! knows, and is dropped if it does not. Both stand in one transaction, but one topic may be read
//! before the other. So while an entry has no instance, the history pauses until the changelog is
//! read to where it ended when the entry was seen; whoever is not known then is forgotten.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::fold::{definitions, folded};
use super::index::{Batch, File, Index, MADE_ANEW, Put};
use super::pending::Pending;
use super::records::{Changed, changed, entries, is_nameless};
use super::shared::Shared;
use super::{Error, bulk, letter};
use crate::broker::{self, Follower, Places};
use crate::definition::Catalog;
use crate::message::{EngineTopics, Hash, Offset, Span, Timestamp, Topic};
use crate::runtime::SourceRecord;

/// How long a poll waits when nothing comes.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// The most records of one poll, and of one batch.
const POLLED_MAX: usize = 2_000;
const RECORDS_MAX: usize = 20_000;
/// When a poll finds so many records, a batch gathers for a while: of each instance only the last
/// state is folded and written, so that under load a life costs little more than one row.
const BUSY_RECORDS: usize = 200;
const GATHER: Duration = Duration::from_millis(300);
/// How often it is looked where the topics end.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is asked whether the topics are still the same.
const COMPARE_EVERY: Duration = Duration::from_secs(3);
/// The pause before the cluster is tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How often what was kept long enough is taken out, and the index is marked as in use.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
const PAUSE_STEP: Duration = Duration::from_millis(100);

/// Follows the topics until `stop` is set.
pub(super) fn run(shared: &Shared, mut index: Index, stop: &AtomicBool) {
    let mut pause = PAUSES.0;
    while !stop.load(Ordering::Relaxed) {
        let mut told = false;
        let ended = follow(shared, &mut index, stop, &mut || {
            pause = PAUSES.0;
            told = true;
        });
        let error = match ended {
            Ok(Ended::Stopped) => return,
            Ok(Ended::Again(reason)) => {
                tracing::info!(reason, "view.begun_again");
                wait(PAUSES.0, stop);
                continue;
            }
            Err(error) => error,
        };
        shared.note(|reached| reached.trouble = Some(error.to_string()));
        if pause == PAUSES.0 || told {
            tracing::warn!(reason = %error, "view.waits: it is tried again");
        }
        if matches!(error, Error::Damaged(_)) || shared.is_damaged() {
            renew(shared, &mut index, &error.to_string());
        }
        wait(pause, stop);
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn wait(pause: Duration, stop: &AtomicBool) {
    let start = Instant::now();
    while start.elapsed() < pause && !stop.load(Ordering::Relaxed) {
        thread::sleep(PAUSE_STEP.min(pause));
    }
}

/// Throws the index away and makes an empty one.
fn renew(shared: &Shared, index: &mut Index, reason: &str) {
    tracing::warn!(reason, "{MADE_ANEW}");
    match Index::make(&shared.file, &shared.settings.app.to_string()) {
        Ok(made) => {
            *index = made;
            shared.renewed();
        }
        Err(error) => shared.note(|reached| reached.trouble = Some(error.to_string())),
    }
}

/// Why the topics are not followed on.
enum Ended {
    /// Nobody asks any more.
    Stopped,
    /// They are not what they were when they were opened: why, in words.
    Again(&'static str),
}

/// Follows the topics until `stop` is set, they change or something fails.
fn follow(
    shared: &Shared,
    index: &mut Index,
    stop: &AtomicBool,
    gets_on: &mut impl FnMut(),
) -> Result<Ended, Error> {
    let connection = &shared.settings.connection;
    let cluster = broker::cluster_id(connection)?;
    if !index.is_of(&cluster)? {
        renew(shared, index, &format!("it is of another cluster than {cluster}"));
        index.is_of(&cluster)?;
    }
    if index.is_older_than(shared.settings.age_max, now())? {
        renew(shared, index, "it was not written for too long");
        index.is_of(&cluster)?;
    }
    shared.set_catalog(catalog(shared)?);
    let topics = &shared.topics;
    let client = format!("{}.view", shared.settings.app);
    let state = [&topics.changelog, &topics.history, &topics.definitions];
    let all = [&state[..], &[&topics.dead_letters, &topics.operator]].concat();
    let all: Vec<Topic> = all.into_iter().cloned().collect();
    let open = |from: &Places| Follower::open(connection, &client, &all, from);
    let mut from = index.positions()?;
    // What starts may be said anew while nobody looks; the topic is small.
    from.retain(|(topic, _), _| *topic != topics.definitions);
    let mut follower = open(&from)?;
    let ids = follower.ids()?;
    if follower.is_misplaced() || !index.is_from(&ids)? {
        renew(shared, index, "the topics are not those that it was read from");
        index.is_of(&cluster)?;
        index.is_from(&ids)?;
        follower = open(&Places::new())?;
    }
    cut(index, topics, follower.lows())?;
    shared.read_from(&follower.positions()?);
    let ends = follower.ends()?;
    let pending = Pending::until(ends.clone());
    let (unknown, looked, swept, compared) = (BTreeSet::new(), None, None, Instant::now());
    let mut following =
        Following { shared, index, follower, ends, pending, unknown, looked, swept, compared };
    following.hold_back()?;
    while !stop.load(Ordering::Relaxed) {
        if shared.is_damaged() {
            return Err(Error::Damaged("somebody who read it has found that".to_owned()));
        }
        if let Some(reason) = following.turn()? {
            return Ok(Ended::Again(reason));
        }
        gets_on();
    }
    Ok(Ended::Stopped)
}

/// Takes out what the topics do not keep any more.
fn cut(index: &mut Index, topics: &EngineTopics, lows: &Places) -> Result<(), Error> {
    index.write(now(), |batch| {
        for ((topic, partition), low) in lows {
            if *topic == topics.dead_letters {
                batch.cut_dead_letters(*partition, *low)?;
            } else if *topic == topics.operator {
                batch.cut_bulks(*partition, *low)?;
            }
        }
        Ok(())
    })
}

/// Every definition that is stored, and what starts.
fn catalog(shared: &Shared) -> Result<Catalog, Error> {
    let app = shared.settings.app.to_string();
    let stored = broker::definitions::read(&shared.settings.connection, &app)?;
    let (mut catalog, starts) = (Catalog::with(shared.settings.limits.clone()), stored.starts());
    for (key, text) in stored.texts {
        let place = format!("{app}.definitions/{key}");
        match crate::definition::parse_stored(&place, &text) {
            // Of two texts under one version the first counts, as for the engine.
            Ok(definition) => drop(catalog.add(definition)),
            Err(wrong) => tracing::warn!(place, reason = %wrong, "view.definition_unread"),
        }
    }
    shared.set_words(stored.words);
    Ok(catalog.starting_as(starts.map(Arc::new)))
}

/// The topics while they are followed.
struct Following<'s> {
    shared: &'s Shared,
    index: &'s mut Index,
    follower: Follower,
    /// Where the topics ended at the beginning.
    ends: Places,
    pending: Pending,
    /// Definitions that instances run on and that are not stored.
    unknown: BTreeSet<Hash>,
    /// When it was last looked where the topics end.
    looked: Option<Instant>,
    /// When what was kept long enough was last taken out.
    swept: Option<Instant>,
    /// When it was last asked whether the topics are still the same.
    compared: Instant,
}

impl Following<'_> {
    /// Only the changelog is read until it is where the history may be.
    fn hold_back(&self) -> Result<(), Error> {
        self.follower.pause(&self.shared.topics.history)?;
        Ok(())
    }

    /// Takes what there is; says why the topics must be opened again, if they must.
    fn turn(&mut self) -> Result<Option<&'static str>, Error> {
        let records = self.gather()?;
        let topics = &self.shared.topics;
        let of = |record: &&SourceRecord| record.origin.topic == topics.definitions;
        if records.iter().any(|record| of(&record)) {
            self.shared.set_catalog(catalog(self.shared)?);
        }
        let changed = changed(&records, topics);
        self.meet_definitions(&changed)?;
        self.write(&records, &changed)?;
        self.shared.tell(&records);
        self.note_newest(&records);
        self.note_unread(&records, &changed);
        self.look()
    }

    /// How new what was read is, and how much of it there is lately.
    fn note_newest(&self, records: &[SourceRecord]) {
        let Some(newest) = records.iter().map(|record| record.timestamp).max() else { return };
        let (now, history) = (now(), &self.shared.topics.history);
        self.shared.note(|reached| {
            reached.newest = reached.newest.max(Some(newest));
            for record in records.iter().filter(|record| record.origin.topic == *history) {
                reached.throughput.add(record.timestamp, now);
            }
        });
    }

    /// What cannot be read is passed over, and said with every answer.
    fn note_unread(&self, records: &[SourceRecord], changed: &[Changed<'_>]) {
        let topics = &self.shared.topics;
        let states = changed.iter().filter(|changed| changed.is_unread).count();
        let names = records.iter().filter(|record| is_nameless(record, topics));
        let names = names.inspect(|record| {
            tracing::warn!(place = ?record.origin, "view.record_unread: its key names no instance");
        });
        let unread = u64::try_from(states + names.count()).unwrap_or(u64::MAX);
        if unread > 0 {
            self.shared.note(|reached| reached.unread += unread);
        }
    }

    /// What there is; under load, what comes within a while.
    fn gather(&mut self) -> Result<Vec<SourceRecord>, Error> {
        let mut records = self.follower.poll(POLL_WAIT, POLLED_MAX)?;
        let start = Instant::now();
        while records.len() >= BUSY_RECORDS && records.len() < RECORDS_MAX {
            let rest = GATHER.saturating_sub(start.elapsed());
            if rest.is_zero() {
                break;
            }
            records.extend(self.follower.poll(rest, POLLED_MAX)?);
        }
        Ok(records)
    }

    /// An instance may run on a definition that was stored after those were read.
    fn meet_definitions(&mut self, changed: &[Changed<'_>]) -> Result<(), Error> {
        let known = self.shared.catalog();
        let instances = changed.iter().filter_map(|changed| changed.instance.as_ref());
        let is_new = |hash: &Hash| known.by_hash(*hash).is_none() && !self.unknown.contains(hash);
        let new: BTreeSet<Hash> = instances.flat_map(definitions).filter(is_new).collect();
        if !new.is_empty() {
            self.shared.set_catalog(catalog(self.shared)?);
            self.unknown.extend(new);
        }
        Ok(())
    }

    fn write(&mut self, records: &[SourceRecord], changed: &[Changed<'_>]) -> Result<(), Error> {
        let (shared, pending) = (self.shared, &mut self.pending);
        let positions = self.follower.positions()?;
        let entries = entries(records, &shared.topics);
        let is_reached = pending.is_reached(&positions, &shared.topics.changelog);
        let is_new = !records.is_empty() || (pending.is_waiting() && is_reached);
        let keep = shared.settings.keep;
        let catalog = shared.catalog();
        if is_new {
            self.index.write(now(), |batch| {
                for change in changed {
                    take(batch, &catalog, change, keep)?;
                }
                pending.take(batch, entries, is_reached)?;
                for record in records {
                    if record.origin.topic == shared.topics.dead_letters {
                        letter::take(batch, record)?;
                    } else if record.origin.topic == shared.topics.operator {
                        bulk::take(batch, record, &shared.settings.signatures)?;
                    }
                }
                batch.positions(&pending.positions(&positions, &shared.topics.history))
            })?;
        } else if self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY) {
            self.swept = Some(Instant::now());
            let kept = keep.unwrap_or_default();
            let before = Timestamp(now().0.saturating_sub_unsigned(kept.0));
            self.index.write(now(), |batch| batch.forget_before(before).map(|_| ()))?;
        }
        self.hold_or_go_on(is_reached)
    }

    /// The history waits while there are entries without an instance.
    fn hold_or_go_on(&mut self, is_reached: bool) -> Result<(), Error> {
        let history = &self.shared.topics.history;
        if self.pending.wants_ends() {
            self.follower.pause(history)?;
            self.pending.wait_for(self.follower.ends()?);
        } else if is_reached && self.pending.goes_on() {
            self.follower.resume(history)?;
        }
        Ok(())
    }

    /// Looks where the topics end, now and then, and whether they are still the same.
    fn look(&mut self) -> Result<Option<&'static str>, Error> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return Ok(None);
        }
        self.looked = Some(Instant::now());
        let (ends, positions) = (self.follower.ends()?, self.follower.positions()?);
        let is_ahead =
            |(place, end): (&_, &Offset)| positions.get(place).is_some_and(|at| at > end);
        if ends.iter().any(is_ahead) {
            return Ok(Some("a topic ends before what was read of it: it was made anew"));
        }
        if self.compared.elapsed() >= COMPARE_EVERY {
            self.compared = Instant::now();
            if !self.index.is_from(&self.follower.ids()?)? {
                return Ok(Some("a topic was made anew"));
            }
            if self.follower.has_grown()? {
                return Ok(Some("a topic has more partitions than before"));
            }
        }
        let rest = |(place, end): (&_, &Offset)| {
            let at = positions.get(place).map_or(0, |at| at.0);
            u64::try_from(end.0 - at).unwrap_or_default()
        };
        let behind = ends.iter().map(rest).sum();
        let mut first = self.ends.iter();
        let is_whole = self.pending.has_begun()
            && first.all(|(place, end)| positions.get(place).is_some_and(|at| at >= end));
        let heard = (now(), Instant::now());
        self.shared.note(|reached| {
            reached.heard = Some(heard);
            reached.behind = behind;
            reached.is_whole |= is_whole;
            reached.trouble = None;
        });
        Ok(None)
    }
}

fn take(
    batch: &mut Batch<'_>,
    catalog: &Catalog,
    changed: &Changed<'_>,
    keep: Option<Span>,
) -> Result<(), Error> {
    let Changed { id, record, instance, is_unread } = changed;
    if *is_unread {
        return Ok(());
    }
    let at = record.timestamp;
    let told = instance.as_ref().and_then(|instance| folded(catalog, id, instance, at));
    let Some(folded) = told else { return batch.gone(id, at, keep) };
    let (partition, place) = (record.origin.partition, record.origin.offset);
    batch.put(&Put { id, folded: &folded, partition, place, changed: at })
}

/// The machine's time.
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map(|since| since.as_millis()).unwrap_or_default();
    Timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// The index of a view, opened before anybody asks.
pub(super) fn opened(shared: &Shared) -> Result<Index, Error> {
    let app = shared.settings.app.to_string();
    Index::open(&shared.file, &app, shared.settings.age_max, now())
}

/// Takes the folder of the index.
pub(super) fn folder(folder: &std::path::Path) -> Result<File, Error> {
    File::take(folder)
}

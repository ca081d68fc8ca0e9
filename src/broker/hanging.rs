//! What is left of a transaction whose end Kafka has confirmed and then forgotten.
//!
//! A coordinator skips the markers of partitions that have no leader at that moment (KAFKA-20734),
//! as all of a single broker's have while it stops, and still answers that the transaction is
//! committed. Its records then stand undecided, and the next end of a transaction of the same
//! producer there decides of them too, whichever it is. So they are taken back, all of them, and
//! what they said is decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::asking::Asking;
use super::changelog::Ends;
use super::faults::{passing, unread};
use super::first_record::{FirstRecord, unheard};
use super::reader::partitions;
use super::record::partition;
use super::retry::insist;
use super::{Connection, Isolation};
use crate::message::{Offset, Shard, Topic};
use crate::runtime::Lost;

/// A transaction that is under way is over before that; one that is not may hang.
pub(super) const HANGS_AFTER: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);
/// How often it is looked back, and how long an answer to that may take.
const LOOK_BACK: Duration = Duration::from_secs(1);
/// For how long the cluster may be silent when a record is looked for.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Up to where each shard's changelog was written by the last commit that the cluster has confirmed
/// to a process. It outlives pipelines: what the next one restores must have it.
#[derive(Debug, Clone, Default)]
pub struct Confirmed(Arc<Mutex<BTreeMap<Shard, Offset>>>);

impl Confirmed {
    pub(super) fn note(&self, behind: BTreeMap<Shard, Offset>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = behind;
    }

    pub(super) fn all(&self) -> BTreeMap<Shard, Offset> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The partitions in which something was written that is still undecided after a while: by a
/// transaction that hangs, or by one of somebody else that takes long.
pub(super) fn undecided(
    connection: &Connection,
    client: &str,
    ends: &Ends,
    wanted: &BTreeSet<(Topic, i32)>,
) -> Result<Vec<(Topic, i32)>, Lost> {
    let stable = stable(connection, client)?;
    let mut open = Vec::new();
    for (topic, partition) in wanted {
        open.push((topic.clone(), *partition, ends.of(topic.as_str(), *partition)?.1));
    }
    let begun = Instant::now();
    loop {
        let mut left = Vec::new();
        for (topic, partition, end) in open {
            let asked = insist(|wait| stable.fetch_watermarks(topic.as_str(), partition, wait));
            let doing = || format!("asking how far {topic}[{partition}] is decided");
            let (_, decided) = asked.map_err(|e| unread(&doing(), &e))?;
            if decided < end {
                left.push((topic, partition, end));
            }
        }
        open = left;
        if open.is_empty() || begun.elapsed() >= HANGS_AFTER {
            return Ok(open.into_iter().map(|(topic, partition, _)| (topic, partition)).collect());
        }
        std::thread::sleep(LOOK);
    }
}

/// A client that is told how far partitions are decided.
fn stable(connection: &Connection, client: &str) -> Result<BaseConsumer<Asking>, Lost> {
    let mut config = connection.asker(&format!("{client}.stable")).map_err(|e| unopened(&e))?;
    config.set("isolation.level", Isolation::Committed.as_str());
    let made = BaseConsumer::from_config_and_context(&config, Asking::default());
    made.map_err(|e| passing(e.to_string()))
}

/// Looks whether the last commit that was confirmed is decided, once a connection was lost: a
/// broker that stops confirms what it loses, and goes away. What hangs is known before anything is
/// committed behind it, and also where nothing more is to be committed.
pub(super) struct LookBack {
    at: Arc<LookedAt>,
    stable: Option<BaseConsumer<Asking>>,
    looked: Option<Instant>,
    /// Since when it is known not to be decided.
    undecided: Option<Instant>,
    is_decided: bool,
}

/// What is looked at, and by whom.
struct LookedAt {
    connection: Connection,
    client: String,
    changelog: Topic,
    confirmed: Confirmed,
}

impl LookBack {
    pub fn new(
        connection: &Connection,
        client: &str,
        changelog: &Topic,
        confirmed: &Confirmed,
    ) -> Self {
        let at = LookedAt {
            connection: connection.clone(),
            client: client.to_owned(),
            changelog: changelog.clone(),
            confirmed: confirmed.clone(),
        };
        Self::at(Arc::new(at))
    }

    fn at(at: Arc<LookedAt>) -> Self {
        Self { at, stable: None, looked: None, undecided: None, is_decided: false }
    }

    /// The same, where nothing is known yet.
    pub fn afresh(&self) -> Self {
        Self::at(Arc::clone(&self.at))
    }

    pub fn is_due(&self) -> bool {
        !self.is_decided && self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_BACK)
    }

    /// Looks once; a cluster that does not answer is asked again later.
    ///
    /// # Errors
    /// When it stays undecided.
    pub fn look(&mut self) -> Result<(), Lost> {
        self.looked = Some(Instant::now());
        let LookedAt { connection, client, changelog, confirmed } = &*self.at;
        let stable = match &mut self.stable {
            Some(stable) => stable,
            none => none.insert(stable(connection, client)?),
        };
        for (shard, behind) in confirmed.all() {
            let partition = partition(shard);
            let asked = stable.fetch_watermarks(changelog.as_str(), partition, LOOK_BACK);
            let Ok((_, decided)) = asked else { return Ok(()) };
            if decided < behind.0 {
                let since = self.undecided.get_or_insert_with(Instant::now);
                if since.elapsed() >= HANGS_AFTER {
                    let name = format!("{changelog}[{partition}]");
                    return Err(passing(format!("{name}: the end of a commit did not come")));
                }
                return Ok(());
            }
        }
        (self.is_decided, self.stable) = (true, None);
        Ok(())
    }

    /// Looks until it is known, for no longer than that takes to be known.
    ///
    /// # Errors
    /// As [`LookBack::look`].
    pub fn until_known(&mut self) -> Result<(), Lost> {
        let begun = Instant::now();
        while !self.is_decided && begun.elapsed() < HANGS_AFTER + LOOK_BACK {
            self.look()?;
            if !self.is_decided {
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }
}

/// All partitions of those of these topics that there are.
pub(super) fn all_partitions(
    connection: &Connection,
    ends: &Ends,
    topics: &BTreeSet<Topic>,
) -> BTreeSet<(Topic, i32)> {
    let mut found = BTreeSet::new();
    for topic in topics {
        match partitions(connection, ends.client(), topic) {
            Ok(count) => found.extend((0..count).map(|partition| (topic.clone(), partition))),
            Err(error) => tracing::debug!(%topic, %error, "not looked at for what hangs"),
        }
    }
    found
}

/// Looks at single records.
pub(super) struct Looker {
    committed: FirstRecord,
    uncommitted: FirstRecord,
}

impl Looker {
    pub(super) fn new(connection: &Connection, client: &str) -> Self {
        let first =
            |isolation| FirstRecord::new(connection, client.to_owned(), isolation, SILENCE_MAX);
        Self { committed: first(Isolation::Committed), uncommitted: first(Isolation::Uncommitted) }
    }

    /// Whether a record was written and is not there for readers of what is committed: it was
    /// taken back. One that is not there at all, such as a marker or one that was compacted, was
    /// not.
    pub(super) fn is_taken_back(&mut self, topic: &Topic, at: (i32, Offset)) -> Result<bool, Lost> {
        let is_there = self.is_seen(Isolation::Committed, topic, at)?;
        Ok(!is_there && self.is_seen(Isolation::Uncommitted, topic, at)?)
    }

    /// Whether a record is there for readers of an isolation.
    pub(super) fn is_seen(
        &mut self,
        isolation: Isolation,
        topic: &Topic,
        (partition, offset): (i32, Offset),
    ) -> Result<bool, Lost> {
        let first = match isolation {
            Isolation::Committed => &mut self.committed,
            Isolation::Uncommitted => &mut self.uncommitted,
        };
        let found = insist(|_| first.find(topic, partition, offset));
        let found = found.map_err(|e| unheard(&format!("{topic}[{partition}]"), &e))?;
        Ok(found == Some(offset))
    }
}

fn unopened(error: &super::Error) -> Lost {
    passing(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_commit_that_was_confirmed_is_kept() {
        let confirmed = Confirmed::default();
        let other = confirmed.clone();
        confirmed.note(BTreeMap::from([(Shard(0), Offset(7)), (Shard(1), Offset(3))]));
        confirmed.note(BTreeMap::from([(Shard(0), Offset(9))]));
        assert_eq!(other.all(), BTreeMap::from([(Shard(0), Offset(9))]));
    }
}

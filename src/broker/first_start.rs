//! Writes down each users' topic that an application meets for the first time, before anything of
//! it is read: its id, and where each of its partitions is begun.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::register::{self, Begin, Entry, Register};
use super::source_asker::{Log, SourceAsker};
use super::source_start::Committed;
use super::{Connection, Error};
use crate::message::{StartFrom, Timestamp, Topic, TopicId};

/// How long the topics' ids are waited for.
const IDS_MAX: Duration = Duration::from_secs(10);

/// Where topics are begun that were not read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRules {
    /// Unless the topic says otherwise.
    pub default: StartFrom,
    /// By topic.
    pub topics: BTreeMap<Topic, StartFrom>,
}

impl StartRules {
    fn of(&self, topic: &Topic) -> StartFrom {
        self.topics.get(topic).copied().unwrap_or(self.default)
    }
}

/// Writes down the topics that are not written down yet; returns when the cluster has them.
///
/// The topics in `known` were read before there was a register, by an older segue: they go on from
/// the offsets of the gateways' group, and a partition of them that has none begins at its
/// beginning, as it did there. All others are begun as the rules say.
///
/// A definition is published only after its topics are written down. So a topic that a published
/// definition reads, and that is not written down, is one of an older segue.
///
/// # Errors
/// When the cluster does not answer.
pub fn meet(
    connection: &Connection,
    app: &str,
    topics: &BTreeSet<Topic>,
    known: &BTreeSet<Topic>,
    rules: &StartRules,
) -> Result<(), Error> {
    let register = register::read(connection, app)?;
    let is_new = |t: &&Topic| register.get(*t).is_none_or(|entry| entry.kafka_id.is_none());
    let asked: BTreeSet<Topic> = topics.iter().filter(is_new).cloned().collect();
    if asked.is_empty() {
        return Ok(());
    }
    let asker = SourceAsker::open(connection, app)?;
    let cluster = asker.cluster()?;
    let (mut written, mut met) = (Register::new(), BTreeSet::new());
    for (topic, described) in asker.ids(&asked, IDS_MAX)? {
        // A topic that is not there is met when it comes.
        let Ok(kafka_id) = described else { continue };
        if let Some(entry) = register.get(&topic) {
            if kafka_id.is_some() && entry.cluster == cluster {
                // The cluster has learned to tell ids.
                written.insert(topic, Entry { kafka_id, ..entry.clone() });
            }
            continue;
        }
        let older = known.contains(&topic);
        let from = if older { StartFrom::Earliest } else { rules.of(&topic) };
        let since = match from {
            StartFrom::Time(moment) => Some(moment),
            StartFrom::Earliest | StartFrom::Latest => None,
        };
        let logs = asker.logs(&topic, since)?;
        let committed =
            if older { asker.committed(&topic, logs.keys().copied())? } else { BTreeMap::new() };
        let entry = first(&topic, kafka_id, &cluster, &Found { from, older, logs, committed });
        met.insert(topic.clone());
        written.insert(topic, entry);
    }
    register::write(connection, app, &written)?;
    for topic in met {
        say(&topic, &written[&topic]);
    }
    Ok(())
}

/// What was found of a topic that is met.
struct Found {
    from: StartFrom,
    /// Whether an older segue has read it.
    older: bool,
    logs: BTreeMap<i32, Log>,
    committed: BTreeMap<i32, Committed>,
}

/// The first entry of a topic.
fn first(topic: &Topic, kafka_id: Option<TopicId>, cluster: &str, found: &Found) -> Entry {
    let id = kafka_id.unwrap_or_else(|| TopicId::derived(&[cluster, topic.as_str()]));
    let begin = |(partition, log): (&i32, &Log)| {
        let committed = found.committed.get(partition).map(|committed| committed.offset);
        let start = committed.unwrap_or_else(|| log.begin(found.from));
        (*partition, Begin { start, id, accepted: false })
    };
    Entry {
        kafka_id,
        cluster: cluster.to_owned(),
        id,
        accepted: false,
        partitions: found.logs.iter().map(begin).collect(),
        cut_off: BTreeMap::new(),
        act: None,
        by: "segue".to_owned(),
        why: if found.older {
            "read by an older segue, whose offsets it goes on from".to_owned()
        } else {
            format!("met for the first time, start-from {}", found.from)
        },
        at: now().to_string(),
    }
}

fn say(topic: &Topic, entry: &Entry) {
    let starts: Vec<String> =
        entry.partitions.iter().map(|(p, begin)| format!("{p}: {}", begin.start)).collect();
    let (why, offsets) = (&entry.why, starts.join(", "));
    tracing::info!(%topic, why, offsets, "source.begun");
}

/// The wall clock's time.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(from: StartFrom, older: bool, committed: &[(i32, i64)]) -> Vec<i64> {
        let topic = Topic::new("shop.orders").expect("a topic");
        let log = |low, end, since| Log { low, end, since };
        let logs = BTreeMap::from([(0, log(2, 9, Some(5))), (1, log(0, 4, None))]);
        let committed = committed
            .iter()
            .map(|(p, offset)| (*p, Committed { offset: *offset, of: String::new() }))
            .collect();
        let entry = first(&topic, None, "c", &Found { from, older, logs, committed });
        assert_eq!(entry.id, TopicId::derived(&["c", "shop.orders"]), "the same on every node");
        entry.partitions.values().map(|begin| begin.start).collect()
    }

    #[test]
    fn a_topic_is_begun_as_the_rule_says() {
        assert_eq!(begun(StartFrom::Latest, false, &[]), [9, 4]);
        assert_eq!(begun(StartFrom::Earliest, false, &[]), [2, 0]);
        assert_eq!(begun(StartFrom::Time(Timestamp(1)), false, &[]), [5, 4]);
    }

    #[test]
    fn a_topic_of_an_older_segue_goes_on_from_its_offsets() {
        assert_eq!(begun(StartFrom::Earliest, true, &[(0, 7)]), [7, 0]);
    }

    #[test]
    fn a_topic_has_its_own_rule_or_that_of_all() {
        let (orders, other) = ("shop.orders", "shop.facts");
        let topic = |name| Topic::new(name).expect("a topic");
        let topics = BTreeMap::from([(topic(orders), StartFrom::Earliest)]);
        let rules = StartRules { default: StartFrom::Latest, topics };
        assert_eq!(rules.of(&topic(orders)), StartFrom::Earliest);
        assert_eq!(rules.of(&topic(other)), StartFrom::Latest);
    }
}

//! Obeys a person who accepts a topic that is stopped: writes down which topic is read from now
//! on, and from where. Every gateway sees it within seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::first_start::now;
use super::native::Described;
use super::register::{self, Begin, Entry, Register};
use super::source_asker::{Log, SourceAsker};
use super::source_start::{Committed, Start, Stop, start, stop};
use super::{Connection, Error};
use crate::message::{StartFrom, Timestamp, TopicId};
use crate::runtime::{Acceptance, Accepted};

/// How long the topic's id is waited for.
const IDS_MAX: Duration = Duration::from_secs(10);

/// What is known of a topic that a person accepts.
struct Found<'a> {
    entry: &'a Entry,
    described: Option<&'a Described>,
    cluster: &'a str,
    logs: BTreeMap<i32, Log>,
    committed: BTreeMap<i32, Committed>,
}

/// Obeys an acceptance.
///
/// # Errors
/// When the cluster does not answer; it is then not certain whether it is obeyed.
pub(super) fn accept(
    connection: &Connection,
    app: &str,
    cluster: &str,
    acceptance: &Acceptance,
) -> Result<Accepted, Error> {
    let topic = &acceptance.topic;
    let register = register::read(connection, app)?;
    let Some(entry) = register.get(topic) else {
        return Ok(Accepted::Refused(format!("no definition reads a topic {topic}")));
    };
    // Between its being written and the commit of the act's offset a node may have crashed.
    if entry.act.as_ref() == Some(&acceptance.id) {
        return Ok(Accepted::Done);
    }
    let asker = SourceAsker::open(connection, app)?;
    let described = asker.ids(&BTreeSet::from([topic.clone()]), IDS_MAX)?;
    let described = described.get(topic);
    let since = match acceptance.from {
        Some(StartFrom::Time(moment)) => Some(moment),
        Some(StartFrom::Earliest | StartFrom::Latest) | None => None,
    };
    let logs = match described {
        Some(Ok(_)) => asker.logs(topic, since)?,
        Some(Err(_)) | None => BTreeMap::new(),
    };
    let committed = asker.committed(topic, logs.keys().copied())?;
    let found = Found { entry, described, cluster, logs, committed };
    match decide(acceptance, &found) {
        Ok(entry) => {
            register::write(connection, app, &Register::from([(topic.clone(), entry)]))?;
            let (by, why) = (&acceptance.by, &acceptance.why);
            tracing::info!(%topic, by, why, "source.accepted");
            Ok(Accepted::Done)
        }
        Err(reason) => Ok(Accepted::Refused(reason)),
    }
}

/// The entry of a topic that is accepted, or why it is not.
fn decide(acceptance: &Acceptance, found: &Found<'_>) -> Result<Entry, String> {
    let topic = &acceptance.topic;
    if let (Some(signed), Some(at)) = (acceptance.signed, Timestamp::parse(&found.entry.at))
        && signed < at
    {
        return Err(format!("{topic} was written down at {at}, after this was signed; act again"));
    }
    let cut_off = cut_off(found);
    let stop = match stop(found.entry, found.described, found.cluster) {
        Some(stop) => stop,
        None if cut_off.is_empty() => {
            return Err(format!("{topic} is read; there is nothing to accept"));
        }
        None => Stop::CutOff(String::new()),
    };
    if stop == Stop::Gone {
        return Err(format!("there is no topic {topic}; create it, then accept it"));
    }
    let from = match acceptance.from {
        Some(from) => from,
        None if stop.needs_from() => {
            return Err(format!(
                "{topic} may hold what was taken before; say from where it is read: --from \
                 latest, earliest or a moment"
            ));
        }
        None => StartFrom::Earliest,
    };
    let entry = found.entry;
    let mut accepted = Entry {
        cluster: found.cluster.to_owned(),
        cut_off: BTreeMap::new(),
        act: Some(acceptance.id.clone()),
        by: acceptance.by.clone(),
        why: acceptance.why.clone(),
        at: now().to_string(),
        ..entry.clone()
    };
    // A partition that was cut off has its topic's id still, so its offsets get one of their own;
    // the topic's other partitions are read on as they were.
    let only_cut_off = matches!(stop, Stop::CutOff(_)) && is_same_topic(found);
    if !only_cut_off {
        let present = found.described.and_then(|d| d.as_ref().ok().copied().flatten());
        accepted.kafka_id = present;
        let derived = || TopicId::derived(&[&entry.id.to_string(), &acceptance.id]);
        accepted.id = present.filter(|id| *id != entry.id).unwrap_or_else(derived);
        accepted.accepted = true;
        accepted.partitions.clear();
    }
    for (partition, log) in &found.logs {
        if only_cut_off && !cut_off.contains(partition) {
            continue;
        }
        let before = entry.incarnation(*partition).id.to_string();
        let id = if only_cut_off {
            TopicId::derived(&[&before, &acceptance.id, &partition.to_string()])
        } else {
            accepted.id
        };
        let begin = Begin { start: log.begin(from), id, accepted: true };
        accepted.partitions.insert(*partition, begin);
    }
    Ok(accepted)
}

/// The partitions that end, or ended when that was noticed, before what was read of them.
fn cut_off(found: &Found<'_>) -> BTreeSet<i32> {
    let mut cut_off: BTreeSet<i32> = found.entry.cut_off.keys().copied().collect();
    for (partition, log) in &found.logs {
        let committed = found.committed.get(partition);
        let start = start(found.entry, *partition, committed, (log.low, log.end));
        if matches!(start, Start::CutOff(_)) {
            cut_off.insert(*partition);
        }
    }
    cut_off
}

/// Whether the topic is the one that was read before, but for what was cut off of it.
fn is_same_topic(found: &Found<'_>) -> bool {
    let uncut = Entry { cut_off: BTreeMap::new(), ..found.entry.clone() };
    stop(&uncut, found.described, found.cluster).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Topic;

    fn id(name: &str) -> TopicId {
        TopicId::derived(&[name])
    }

    fn entry() -> Entry {
        let begin = Begin { start: 0, id: id("old"), accepted: false };
        Entry {
            kafka_id: Some(id("old")),
            cluster: "c".to_owned(),
            id: id("old"),
            accepted: false,
            partitions: BTreeMap::from([(0, begin), (1, begin)]),
            cut_off: BTreeMap::new(),
            act: None,
            by: "segue".to_owned(),
            why: String::new(),
            at: String::new(),
        }
    }

    fn act(from: Option<StartFrom>) -> Acceptance {
        Acceptance {
            id: "act-1".to_owned(),
            topic: Topic::new("shop.orders").expect("a topic"),
            from,
            by: "ana".to_owned(),
            why: "restored".to_owned(),
            signed: None,
        }
    }

    /// Both partitions end at 5; the first was read up to `read`.
    fn decided(
        entry: &Entry,
        described: &Described,
        read: i64,
        from: Option<StartFrom>,
    ) -> Result<Entry, String> {
        let log = Log { low: 1, end: 5, since: Some(3) };
        let of = entry.incarnation(0).id.to_string();
        let found = Found {
            entry,
            described: Some(described),
            cluster: "c",
            logs: BTreeMap::from([(0, log), (1, log)]),
            committed: BTreeMap::from([(0, Committed { offset: read, of })]),
        };
        decide(&act(from), &found)
    }

    #[test]
    fn a_topic_that_was_made_anew_is_taken_from_its_beginning() {
        let new = Ok(Some(id("new")));
        let accepted = decided(&entry(), &new, 2, None).expect("it is stopped");
        let begin = Begin { start: 1, id: id("new"), accepted: true };
        assert_eq!(accepted.partitions, BTreeMap::from([(0, begin), (1, begin)]));
        assert_eq!((accepted.kafka_id, accepted.id), (Some(id("new")), id("new")));
        assert_eq!(accepted.act.as_deref(), Some("act-1"));
        let latest = decided(&entry(), &new, 9, Some(StartFrom::Latest)).expect("it is stopped");
        assert_eq!(latest.partitions[&0].start, 5);
    }

    #[test]
    fn a_partition_that_was_cut_off_gets_an_id_and_the_others_are_read_on() {
        let same = Ok(Some(id("old")));
        let refused = decided(&entry(), &same, 9, None).expect_err("from where?");
        assert!(refused.contains("say from where it is read"), "{refused}");
        let accepted = decided(&entry(), &same, 9, Some(StartFrom::Latest)).expect("it is cut off");
        assert_eq!(accepted.partitions[&1], entry().partitions[&1]);
        let begin = accepted.partitions[&0];
        assert!(begin.start == 5 && begin.accepted && begin.id != id("old"), "{begin:?}");
        let again = decided(&entry(), &same, 9, Some(StartFrom::Latest)).expect("it is cut off");
        assert_eq!(again.partitions, accepted.partitions, "whoever obeys the act writes the same");
    }

    #[test]
    fn a_partition_that_has_grown_since_it_was_cut_off_is_accepted_too() {
        let mut entry = entry();
        entry.cut_off.insert(0, "it ended at 1".to_owned());
        let same = Ok(Some(id("old")));
        let from = Some(StartFrom::Time(crate::message::Timestamp(7)));
        let accepted = decided(&entry, &same, 2, from).expect("it was cut off");
        assert!(accepted.cut_off.is_empty());
        assert_eq!(accepted.partitions[&0].start, 3);
    }

    #[test]
    fn without_ids_a_topic_that_is_accepted_still_gets_another() {
        let unnumbered = Entry { kafka_id: None, ..entry() };
        let accepted = decided(&unnumbered, &Ok(None), 9, Some(StartFrom::Earliest));
        let begin = accepted.expect("it is cut off").partitions[&0];
        assert!(begin.accepted && begin.id != id("old"));
    }

    #[test]
    fn what_is_read_or_not_there_is_not_accepted() {
        let read = decided(&entry(), &Ok(Some(id("old"))), 2, None);
        assert_eq!(read, Err("shop.orders is read; there is nothing to accept".to_owned()));
        let code = rdkafka::error::RDKafkaErrorCode::UnknownTopicOrPartition;
        let gone = decided(&entry(), &Err(code), 2, None).expect_err("it is not there");
        assert!(gone.starts_with("there is no topic shop.orders"), "{gone}");
    }
}

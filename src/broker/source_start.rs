//! Decides where a partition of a users' topic is started, and whether the topic is still the one
//! that was read before. No question to the cluster is asked here.

use std::fmt;

use super::connection::is_unknown_topic;
use super::native::Described;
use super::register::Entry;
use crate::message::Topic;

/// Why a topic is not read any more; a person has to accept it, unless it only is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is no topic of that name at the moment.
    Gone,
    /// It was deleted and created again.
    Anew,
    /// It is that of another cluster.
    Elsewhere,
    /// A partition ends before what was read of it.
    CutOff(String),
}

impl Stop {
    /// What to do about it.
    pub(super) fn cure(&self, topic: &Topic) -> String {
        match self {
            Self::Gone => format!("create {topic} again, or take it out of the definitions"),
            Self::Anew => format!(
                "segue act accept-topic {topic} --why '…' takes it from its beginning; with \
                 --from latest, from now on"
            ),
            Self::Elsewhere | Self::CutOff(_) => format!(
                "segue act accept-topic {topic} --why '…' --from latest takes it from now on, \
                 --from earliest all that is in it once more, --from 2026-11-01T00:00:00Z from \
                 that moment on"
            ),
        }
    }

    /// Whether a person has to say where the topic is read from: it may hold what was taken
    /// before.
    pub(super) fn needs_from(&self) -> bool {
        match self {
            Self::Anew => false,
            Self::Gone | Self::Elsewhere | Self::CutOff(_) => true,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("it does not exist any more"),
            Self::Anew => f.write_str("it was deleted and created again"),
            Self::Elsewhere => f.write_str("it is the topic of another cluster"),
            Self::CutOff(how) => f.write_str(how),
        }
    }
}

/// Whether a topic is the one that is written down; what the cluster does not tell stops nothing.
pub(super) fn stop(entry: &Entry, described: Option<&Described>, cluster: &str) -> Option<Stop> {
    let another = match described {
        None => None,
        Some(Err(code)) => is_unknown_topic(*code).then_some(Stop::Gone),
        Some(Ok(_)) if entry.cluster != cluster => Some(Stop::Elsewhere),
        Some(Ok(present)) => match (entry.kafka_id, present) {
            (Some(known), Some(present)) if known != *present => Some(Stop::Anew),
            (Some(_) | None, Some(_) | None) => None,
        },
    };
    // A topic that was made anew is shorter too; that it was cut off is said of the same one only.
    another.or_else(|| entry.cut_off.values().next().map(|how| Stop::CutOff(how.clone())))
}

/// An offset that the gateways' group has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committed {
    pub offset: i64,
    /// The id that it belongs to; empty when an older segue, or a person, has committed it.
    pub of: String,
}

/// Where a partition is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// There, as the group's offsets say.
    Committed(i64),
    /// There, as the register says; this is yet to be committed.
    Begun(i64),
    /// At the beginning of its log, behind so many records that were deleted unread.
    Unread {
        /// The first offset of the log.
        at: i64,
        /// How many are gone.
        records: i64,
    },
    /// Nowhere: its log ends before what was read of it.
    CutOff(String),
}

/// The committed offset, if it is one in the topic that is read now.
pub(super) fn fitting(entry: &Entry, partition: i32, committed: Option<&Committed>) -> Option<i64> {
    let now = entry.incarnation(partition);
    let fits = |committed: &&Committed| match committed.of.as_str() {
        "" => !now.accepted,
        of => of == now.id.to_string(),
    };
    committed.filter(fits).map(|committed| committed.offset)
}

/// Where to start a partition whose log reaches from `low` to before `high`.
pub(super) fn start(
    entry: &Entry,
    partition: i32,
    committed: Option<&Committed>,
    (low, high): (i64, i64),
) -> Start {
    let fitting = fitting(entry, partition, committed);
    let begun = entry.partitions.get(&partition).map_or(low, |begin| begin.start);
    let wanted = fitting.unwrap_or(begun);
    if wanted > high {
        Start::CutOff(cut_off(partition, wanted, high))
    } else if wanted < low {
        Start::Unread { at: low, records: low - wanted }
    } else if fitting.is_some() {
        Start::Committed(wanted)
    } else {
        Start::Begun(wanted)
    }
}

/// How a partition was cut off, in words.
pub(super) fn cut_off(partition: i32, read: i64, end: i64) -> String {
    format!("partition {partition} ends at {end}, but was read up to {read}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rdkafka::error::RDKafkaErrorCode;

    use super::super::register::Begin;
    use super::*;
    use crate::message::TopicId;

    fn id(name: &str) -> TopicId {
        TopicId::derived(&[name])
    }

    /// Partition 0 is begun at 3.
    fn entry(accepted: bool) -> Entry {
        let begin = Begin { start: 3, id: id("now"), accepted };
        Entry {
            kafka_id: Some(id("now")),
            cluster: "c".to_owned(),
            id: id("now"),
            accepted,
            partitions: BTreeMap::from([(0, begin)]),
            cut_off: BTreeMap::new(),
            act: None,
            by: String::new(),
            why: String::new(),
            at: String::new(),
        }
    }

    fn committed(offset: i64, of: &str) -> Committed {
        Committed { offset, of: of.to_owned() }
    }

    #[test]
    fn reading_starts_where_it_stopped_or_was_begun() {
        let now = id("now").to_string();
        let unread = |at, records| Start::Unread { at, records };
        for (committed, log, expected) in [
            (Some(committed(4, &now)), (0, 5), Start::Committed(4)),
            (Some(committed(5, &now)), (0, 5), Start::Committed(5)),
            (Some(committed(1, &now)), (3, 5), unread(3, 2)),
            (Some(committed(4, "")), (0, 5), Start::Committed(4)),
            (Some(committed(4, "another topic's")), (0, 5), Start::Begun(3)),
            (None, (0, 5), Start::Begun(3)),
            (None, (3, 3), Start::Begun(3)),
            (None, (4, 5), unread(4, 1)),
        ] {
            let shown = format!("{committed:?} {log:?}");
            assert_eq!(start(&entry(false), 0, committed.as_ref(), log), expected, "{shown}");
        }
        assert_eq!(start(&entry(false), 1, None, (2, 5)), Start::Begun(2), "a partition added");
        let older = committed(4, "");
        assert_eq!(start(&entry(true), 0, Some(&older), (0, 5)), Start::Begun(3), "it is accepted");
    }

    #[test]
    fn a_log_that_ends_before_what_was_read_is_not_read() {
        let beyond = committed(6, &id("now").to_string());
        let how = "partition 0 ends at 5, but was read up to 6".to_owned();
        assert_eq!(start(&entry(false), 0, Some(&beyond), (0, 5)), Start::CutOff(how));
        let how = "partition 0 ends at 2, but was read up to 3".to_owned();
        assert_eq!(start(&entry(false), 0, None, (0, 2)), Start::CutOff(how));
    }

    #[test]
    fn only_what_the_cluster_surely_tells_stops_a_topic() {
        let unknown = Err(RDKafkaErrorCode::UnknownTopicOrPartition);
        for (described, cluster, expected) in [
            (None, "c", None),
            (Some(Ok(Some(id("now")))), "c", None),
            (Some(Ok(None)), "c", None),
            (Some(Err(RDKafkaErrorCode::LeaderNotAvailable)), "c", None),
            (Some(unknown), "c", Some(Stop::Gone)),
            (Some(Ok(Some(id("new")))), "c", Some(Stop::Anew)),
            (Some(Ok(Some(id("new")))), "d", Some(Stop::Elsewhere)),
            (Some(Ok(None)), "d", Some(Stop::Elsewhere)),
        ] {
            assert_eq!(stop(&entry(false), described.as_ref(), cluster), expected, "{described:?}");
        }
        let unnumbered = Entry { kafka_id: None, ..entry(false) };
        assert_eq!(stop(&unnumbered, Some(&Ok(Some(id("now")))), "c"), None);
        let mut cut = entry(false);
        cut.cut_off.insert(2, "shorter".to_owned());
        assert_eq!(stop(&cut, None, "c"), Some(Stop::CutOff("shorter".to_owned())));
        assert_eq!(stop(&cut, Some(&Ok(Some(id("new")))), "c"), Some(Stop::Anew));
    }
}

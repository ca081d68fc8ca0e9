//! Begins partitions, stops topics that are not the same any more, and goes on with them once a
//! person has accepted them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::KafkaSource;
use crate::broker::assign::assign;
use crate::broker::assignments::Partition;
use crate::broker::connection::ANSWER_MAX;
use crate::broker::faults::{lost, passing, unread};
use crate::broker::native::{Described, topic_ids};
use crate::broker::reading::{Progress, topics_of};
use crate::broker::register::{self, Entry, Register};
use crate::broker::retry::insist;
use crate::broker::source_asker::committed;
use crate::broker::source_start::{Committed, Start, Stop, cut_off, start, stop};
use crate::broker::source_watch::CutOff;
use crate::message::Topic;
use crate::runtime::Lost;

/// How often it is said that a topic is stopped.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// What the cluster says about partitions that are to be begun.
struct Answers {
    register: Register,
    described: BTreeMap<Topic, Described>,
    committed: BTreeMap<Partition, Committed>,
}

impl KafkaSource {
    /// Begins partitions that the group has given to this node, but for those of stopped topics.
    pub(super) fn begin(&mut self, partitions: &BTreeSet<Partition>) -> Result<(), Lost> {
        let answers = self.ask(partitions)?;
        let mut pinned = Vec::new();
        for topic in topics_of(partitions) {
            let numbers = partitions.iter().filter(|(name, _)| name == topic.as_str());
            let numbers = numbers.map(|(_, partition)| *partition);
            if topic == self.operator {
                self.begin_operator(numbers, &answers)?;
                continue;
            }
            let Some(entry) = answers.register.get(&topic) else {
                return Err(passing(format!("{topic} is not written down yet")));
            };
            match stop(entry, answers.described.get(&topic), &self.cluster) {
                Some(stop) => self.stop(&topic, stop),
                None => pinned.extend(self.begin_topic(&topic, entry, numbers, &answers)?),
            }
        }
        self.register = answers.register;
        self.pin(pinned)?;
        let mine = partitions.iter().all(|partition| self.consumer.context().own(partition));
        if !mine {
            return Err(passing("a source partition is not ours to start".to_owned()));
        }
        self.fetch()
    }

    fn ask(&self, partitions: &BTreeSet<Partition>) -> Result<Answers, Lost> {
        let mut users = topics_of(partitions);
        users.remove(&self.operator);
        let described = topic_ids(self.ends.client(), &users, ANSWER_MAX);
        let described = described.map_err(|code| {
            unread("asking for the ids of the users' topics", &KafkaError::Global(code))
        })?;
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in partitions {
            asked.add_partition(topic, *partition);
        }
        let found = insist(|wait| self.consumer.committed_offsets(asked.clone(), wait));
        let found = found.map_err(|e| unread("asking where the gateway stopped", &e))?;
        // Read anew: another node may have obeyed an acceptance since.
        let register = register::read(&self.connection, &self.app);
        let register = register.map_err(|e| passing(e.to_string()))?;
        Ok(Answers { register, described, committed: committed(&found) })
    }

    /// Begins partitions of a topic that is the same as before; answers those whose place the
    /// group has yet to be told.
    fn begin_topic(
        &mut self,
        topic: &Topic,
        entry: &Entry,
        numbers: impl Iterator<Item = i32>,
        answers: &Answers,
    ) -> Result<Vec<(Partition, i64)>, Lost> {
        let mut pinned = Vec::new();
        for number in numbers {
            let partition = (topic.as_str().to_owned(), number);
            let log = self.ends.of(topic.as_str(), number)?;
            let next = match start(entry, number, answers.committed.get(&partition), log) {
                Start::Committed(at) => at,
                Start::Begun(at) => {
                    pinned.push((partition.clone(), at));
                    at
                }
                Start::Unread { at, records } => {
                    self.say_unread(topic, number, records);
                    pinned.push((partition.clone(), at));
                    at
                }
                Start::CutOff(how) => {
                    let id = entry.incarnation(number).id;
                    self.cut_off(CutOff { topic: topic.clone(), partition: number, id, how });
                    return Ok(Vec::new());
                }
            };
            let incarnation = Some(entry.incarnation(number));
            self.reading.start(&partition, Progress { next, incarnation });
        }
        if self.stopped.remove(topic).is_some() {
            tracing::info!(%topic, "source.resumed");
        }
        Ok(pinned)
    }

    /// The engine's own topic has no entry: what is in it is taken from its beginning.
    fn begin_operator(
        &mut self,
        numbers: impl Iterator<Item = i32>,
        answers: &Answers,
    ) -> Result<(), Lost> {
        for number in numbers {
            let partition = (self.operator.as_str().to_owned(), number);
            let (low, high) = self.ends.of(self.operator.as_str(), number)?;
            let committed = answers.committed.get(&partition).map(|committed| committed.offset);
            let next = committed.filter(|at| (low..=high).contains(at)).unwrap_or(low);
            self.reading.start(&partition, Progress { next, incarnation: None });
        }
        Ok(())
    }

    /// Commits where partitions are begun before anything of them is read: from then on it stays,
    /// whatever another node writes into the register.
    fn pin(&mut self, places: Vec<(Partition, i64)>) -> Result<(), Lost> {
        let offsets = self.reading.committable(places);
        let offsets = offsets.map_err(|e| lost("committing where topics are begun", &e))?;
        self.tell_group(&offsets, CommitMode::Sync)
    }

    /// Has the client fetch exactly what is read.
    fn fetch(&mut self) -> Result<(), Lost> {
        let context = self.consumer.context();
        self.reading.retain(|partition| context.own(partition));
        let wrong = |e| lost("starting the source partitions", &e);
        assign(&self.consumer, &self.reading.fetched().map_err(wrong)?).map_err(wrong)
    }

    /// Stops the topics that have become others, and goes on with those that were accepted.
    pub(super) fn obey_watch(&mut self) -> Result<(), Lost> {
        if let Some(stops) = self.watch.news() {
            let back: BTreeSet<Topic> =
                self.stopped.keys().filter(|topic| !stops.contains_key(*topic)).cloned().collect();
            let fresh = stops.iter().any(|(topic, _)| !self.stopped.contains_key(topic));
            for (topic, stop) in stops {
                self.stop(&topic, stop);
            }
            if fresh {
                self.fetch()?;
            }
            if !back.is_empty() {
                self.go_on(&back)?;
            }
        }
        if !self.stopped.is_empty() && self.said.elapsed() >= SAY_EVERY {
            self.stopped.iter().for_each(|(topic, stop)| say(topic, stop));
            self.said = Instant::now();
        }
        Ok(())
    }

    fn go_on(&mut self, topics: &BTreeSet<Topic>) -> Result<(), Lost> {
        let mut partitions = self.consumer.context().owned();
        partitions.retain(|(name, _)| topics.iter().any(|topic| topic.as_str() == name));
        if partitions.is_empty() {
            // Other nodes have them, or a rebalance is under way and brings them.
            self.stopped.retain(|topic, _| !topics.contains(topic));
            return Ok(());
        }
        self.begin(&partitions)
    }

    /// Reads nothing of a topic any more, forgets where it was, and says so once.
    fn stop(&mut self, topic: &Topic, stop: Stop) {
        self.reading.stop(topic);
        self.settlement.forget(topic);
        if self.stopped.get(topic) != Some(&stop) {
            say(topic, &stop);
            self.said = Instant::now();
            self.stopped.insert(topic.clone(), stop);
        }
    }

    fn cut_off(&mut self, cut_off: CutOff) {
        self.stop(&cut_off.topic, Stop::CutOff(cut_off.how.clone()));
        self.watch.cut_off(cut_off);
    }

    /// Finds out which partition's place is not in its log, and why; asked again by the next poll
    /// if the cluster does not answer.
    pub(super) fn look_at_ends(&mut self) -> Result<(), Lost> {
        let described = topic_ids(self.ends.client(), &self.reading.topics(), ANSWER_MAX);
        let Ok(described) = described else { return Ok(()) };
        for topic in self.reading.topics() {
            let entry = self.register.get(&topic);
            let stop = entry.and_then(|e| stop(e, described.get(&topic), &self.cluster));
            if let Some(stop) = stop {
                self.stop(&topic, stop);
            }
        }
        for ((name, number), progress) in self.reading.all() {
            let Ok((low, high)) = self.ends.of(&name, number) else { return Ok(()) };
            if (low..=high).contains(&progress.next) {
                continue;
            }
            let topic = Topic::new(&name).map_err(|e| passing(e.to_string()))?;
            match progress.incarnation {
                Some(incarnation) if progress.next > high => {
                    let (id, how) = (incarnation.id, cut_off(number, progress.next, high));
                    self.cut_off(CutOff { topic, partition: number, id, how });
                }
                Some(_) | None => {
                    self.say_unread(&topic, number, low - progress.next);
                    self.reading.start(&(name, number), Progress { next: low, ..progress });
                }
            }
        }
        self.suspect = false;
        self.watch.look();
        self.fetch()
    }

    fn say_unread(&mut self, topic: &Topic, partition: i32, records: i64) {
        self.deleted_unread += records.max(0);
        let in_all = self.deleted_unread;
        tracing::error!(%topic, partition, records, in_all, "records deleted unread");
    }
}

fn say(topic: &Topic, stop: &Stop) {
    let (reason, cure) = (stop.to_string(), stop.cure(topic));
    tracing::error!(%topic, reason, cure, "source.stopped: its events are not read");
}

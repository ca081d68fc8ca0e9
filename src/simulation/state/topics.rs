//! The users' topics: which of them were made anew, and how far they are read.

use super::super::anew::Anew;
use super::super::fault::{Fault, Weakness};
use super::super::setup::Place;
use super::State;
use crate::message::{Incarnation, Offset, Topic, TopicId};
use crate::runtime::{Acceptance, Accepted};

/// A shard remembers the watermarks of four topics of one name; no world makes one oftener anew.
const TIMES_MAX: u64 = 3;

impl State {
    /// Deletes one of the users' topics and creates it again, if all that was in it is passed on.
    pub fn make_anew(&mut self) {
        let operator = self.operator();
        let mut users = self.setup.sources.clone();
        users.retain(|topic| *topic != operator);
        let Some(topic) = users.get(self.dice.place(users.len())).cloned() else { return };
        let before = self.anew.get(&topic).cloned().unwrap_or_default();
        let places: Vec<Place> = (0..self.setup.partitions).map(|p| (topic.clone(), p)).collect();
        let ends: Vec<Offset> = places.iter().map(|place| self.log(place).high()).collect();
        let is_empty = places.iter().zip(&ends).all(|(place, end)| self.base(place) == *end);
        let is_passed_on = places.iter().all(|place| self.is_passed_on(place));
        if self.is_stopped(&topic) || before.times == TIMES_MAX || is_empty || !is_passed_on {
            return;
        }
        let bases = places.into_iter().map(|(_, partition)| partition).zip(ends).collect();
        let mut obeyed = before.obeyed;
        obeyed.extend(before.accepted);
        self.anew.insert(topic, Anew { times: before.times + 1, bases, accepted: None, obeyed });
        self.tally.count(Fault::TopicMadeAnew);
    }

    /// Whether everything in a partition is read, and nothing can yet be committed in it.
    fn is_passed_on(&mut self, place: &Place) -> bool {
        let from = self.source_position(place);
        let log = self.log(place);
        let end = log.high();
        log.stable() == end && log.committed(from, end).next().is_none()
    }

    /// Whether a topic was made anew and nobody has accepted it.
    pub fn is_stopped(&self, topic: &Topic) -> bool {
        self.anew.get(topic).is_some_and(|anew| anew.accepted.is_none())
    }

    /// The topics that are stopped, each with how often it was made anew.
    pub fn stopped(&self) -> Vec<(Topic, u64)> {
        let stopped = self.anew.iter().filter(|(topic, _)| self.is_stopped(topic));
        stopped.map(|(topic, anew)| (topic.clone(), anew.times)).collect()
    }

    /// Where the present topic's partition begins in its log.
    pub fn base(&self, (topic, partition): &Place) -> Offset {
        let base = self.anew.get(topic).and_then(|anew| anew.bases.get(partition));
        base.copied().unwrap_or_default()
    }

    /// Where the gateways are in a log: offsets of a topic that is gone do not count.
    pub fn source_position(&self, place: &Place) -> Offset {
        self.gateway.offset(place).max(self.base(place))
    }

    /// What a gateway knows a topic by.
    pub fn incarnation(&self, topic: &Topic) -> Option<Incarnation> {
        if *topic == self.operator() {
            return None;
        }
        let mut times = self.anew.get(topic).map_or(0, |anew| anew.times);
        if self.is_weak(Weakness::TopicsConfused) {
            times = 0;
        }
        let id = TopicId::derived(&[topic.as_str(), &times.to_string()]);
        Some(Incarnation { id, accepted: times > 0 })
    }

    pub fn accept(&mut self, acceptance: &Acceptance) -> Accepted {
        match self.anew.get_mut(&acceptance.topic) {
            Some(anew) if anew.obeyed.contains(&acceptance.id) => Accepted::Done,
            Some(anew) if anew.accepted.is_none() => {
                anew.accepted = Some(acceptance.id.clone());
                Accepted::Done
            }
            Some(anew) if anew.accepted.as_ref() == Some(&acceptance.id) => Accepted::Done,
            Some(_) | None => Accepted::Refused(format!("{} is read", acceptance.topic)),
        }
    }

    fn operator(&self) -> Topic {
        let topic = Topic::new(&format!("{}.operator", self.setup.app));
        topic.expect("the world's app is a topic's prefix")
    }
}

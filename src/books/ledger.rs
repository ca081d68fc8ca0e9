use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::account::{Account, LockTurn, Place};
use super::names::Names;
use super::plan::Plan;
use super::{Report, Rule, Violation};
use crate::definition::Definition;
use crate::message::{Headers, InstanceId, Key, Offset, SagaName, Timestamp, Topic};

/// Collects what the topics hold, and says whether it balances.
#[derive(Debug)]
pub struct Books {
    pub(super) options: Options,
    pub(super) plans: BTreeMap<SagaName, Plan>,
    pub(super) accounts: BTreeMap<InstanceId, Account>,
    /// What each lock has done, in its order.
    pub(super) locks: BTreeMap<Key, Vec<LockTurn>>,
    pub(super) names: Names,
    pub(super) report: Report,
    /// Digests of the ids of events that were put aside.
    pub(super) aside: BTreeSet<u128>,
    pub(super) has_history: bool,
    pub(super) source: String,
    pub(super) history: String,
    pub(super) dead_letters: String,
    pub(super) questions: String,
    pub(super) operator: String,
}

/// What the books may take for granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The application's name: its topics are `<app>.history` and so on.
    pub app: String,
    /// Whether a message may stand on a topic more than once.
    pub delivery: Delivery,
    /// Whether every saga must have ended; else those under way are only counted.
    pub ended: bool,
}

/// How often a message may stand on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Once.
    ExactlyOnce,
    /// More than once, under the same id and with the same content.
    AtLeastOnce,
}

/// A record of a topic.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Its topic.
    pub topic: &'a Topic,
    /// Its partition.
    pub partition: i32,
    /// Its place.
    pub offset: Offset,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its headers.
    pub headers: &'a Headers,
    /// Its body.
    pub body: Option<&'a Bytes>,
    /// Its time.
    pub timestamp: Timestamp,
}

impl Books {
    /// Opens the books of some sagas; of several versions the newest counts.
    #[must_use]
    pub fn new(definitions: &[Definition], options: Options) -> Self {
        let mut plans: BTreeMap<SagaName, Plan> = BTreeMap::new();
        for definition in definitions {
            let older = plans.get(&definition.saga);
            if older.is_none_or(|older| older.definition.version <= definition.version) {
                plans.insert(definition.saga.clone(), Plan::new(definition));
            }
        }
        Self {
            source: format!("segue/{}", options.app),
            history: format!("{}.history", options.app),
            dead_letters: format!("{}.dead-letters", options.app),
            questions: format!("{}.questions", options.app),
            operator: format!("{}.operator", options.app),
            options,
            plans,
            accounts: BTreeMap::new(),
            locks: BTreeMap::new(),
            names: Names::default(),
            report: Report::default(),
            aside: BTreeSet::new(),
            has_history: false,
        }
    }

    pub(super) fn place(&self, place: Place) -> String {
        format!("{}[{}]@{}", self.names.text(place.topic), place.partition, place.offset)
    }

    pub(super) fn placed(&mut self, record: &Record<'_>) -> Place {
        let topic = self.names.of(record.topic.as_str());
        Place { topic, partition: record.partition, offset: record.offset }
    }

    pub(super) fn strange(&mut self, record: &Record<'_>, instance: String, words: String) {
        let place = self.placed(record);
        let place = self.place(place);
        self.report.add(Violation { rule: Rule::Form, instance, place, words });
    }

    /// What is wrong with an instance, in the form that people read.
    pub(super) fn violation(
        &self,
        rule: Rule,
        instance: &InstanceId,
        place: Option<Place>,
        words: String,
    ) -> Violation {
        let place = place.map(|place| self.place(place)).unwrap_or_default();
        Violation { rule, instance: instance.to_string(), place, words }
    }
}

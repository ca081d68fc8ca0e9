use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::account::{Account, Asked, Begun, Heard, Noted, Place, Sent, Turn};
use super::audit;
use super::carried::{given, received};
use super::names::{Names, digest};
use super::plan::Plan;
use super::story::kind_of;
use super::{Report, Rule, Violation};
use crate::correlation::{Heading, decode, heading};
use crate::definition::{Correlation, Definition, Start};
use crate::engine::NoteKind;
use crate::expression::{Expression, Name as Word, Scope};
use crate::format::{open, wire};
use crate::message::{
    Address, CommandId, Event, Headers, InstanceId, Key, Life, Offset, Origin, SagaName, Timestamp,
    Topic, header, read_json,
};

/// Collects what the topics hold, and says whether it balances.
#[derive(Debug)]
pub struct Books {
    pub(super) options: Options,
    pub(super) plans: BTreeMap<SagaName, Plan>,
    pub(super) accounts: BTreeMap<InstanceId, Account>,
    pub(super) names: Names,
    pub(super) report: Report,
    /// Digests of the ids of events that were put aside.
    pub(super) aside: BTreeSet<u128>,
    pub(super) has_history: bool,
    source: String,
    history: String,
    dead_letters: String,
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
            options,
            plans,
            accounts: BTreeMap::new(),
            names: Names::default(),
            report: Report::default(),
            aside: BTreeSet::new(),
            has_history: false,
        }
    }

    /// Takes a record of a user's topic, of the history or of the dead letters; others are passed
    /// over. Records of one partition must come in their order; partitions may come in any.
    pub fn read(&mut self, record: &Record<'_>) {
        let topic = record.topic.as_str();
        if topic == self.history {
            self.read_history(record);
        } else if topic == self.dead_letters {
            self.report.tally.dead_letters += 1;
            if let Some(id) = record.headers.text(header::ID) {
                self.aside.insert(digest(id.as_bytes()));
            }
        } else {
            self.read_message(record);
        }
    }

    /// Checks every promise.
    #[must_use]
    pub fn close(self) -> Report {
        audit::close(self)
    }

    pub(super) fn place(&self, place: Place) -> String {
        format!("{}[{}]@{}", self.names.text(place.topic), place.partition, place.offset)
    }

    fn placed(&mut self, record: &Record<'_>) -> Place {
        let topic = self.names.of(record.topic.as_str());
        Place { topic, partition: record.partition, offset: record.offset }
    }

    fn strange(&mut self, record: &Record<'_>, instance: String, words: String) {
        let place = self.placed(record);
        let place = self.place(place);
        self.report.add(Violation { rule: Rule::Form, instance, place, words });
    }

    fn read_history(&mut self, record: &Record<'_>) {
        self.has_history = true;
        let entry: wire::Entry = match open(record.body.map_or(&[][..], |b| b)) {
            Ok(entry) => entry,
            Err(reason) => {
                return self.strange(record, self.history.clone(), reason.to_string());
            }
        };
        let named = SagaName::new(&entry.saga).ok().zip(Key::new(&entry.key).ok());
        let Some((saga, key)) = named.filter(|(saga, _)| self.plans.contains_key(saga)) else {
            return;
        };
        let mut notes = Vec::with_capacity(entry.notes.len());
        for note in &entry.notes {
            let Some(kind) = kind_of(&note.kind) else {
                let words = format!("the history knows no `{}`", note.kind);
                return self.strange(record, format!("{saga}/{key}"), words);
            };
            let step = self.names.of(&note.step);
            let attempt = match kind {
                NoteKind::Sent | NoteKind::Undoing => attempt(&note.words),
                _ => 0,
            };
            let keeps = matches!(kind, NoteKind::WentBack | NoteKind::Late);
            let words = keeps.then(|| note.words.as_str().into());
            notes.push(Noted { kind, step, attempt, words });
        }
        let turn = Turn {
            generation: Life { number: entry.generation, mark: entry.mark },
            transition: entry.transition,
            is_stuck: entry.status == "stuck",
            notes,
            place: self.placed(record),
        };
        self.accounts.entry(InstanceId { saga, key }).or_default().turns.push(turn);
    }

    fn read_message(&mut self, record: &Record<'_>) {
        let origin = Origin {
            topic: record.topic.clone(),
            partition: record.partition,
            offset: record.offset,
        };
        let body = record.body.map(|b| &b[..]);
        let Ok(heading) = heading(&origin, record.key, record.headers, body) else {
            return;
        };
        if record.headers.text(header::SOURCE) == Some(&self.source) {
            self.read_sent(record, &heading);
        } else {
            self.read_answer(record, &heading);
        }
        self.read_start(record, &heading);
    }

    /// A command or fact of the engine.
    fn read_sent(&mut self, record: &Record<'_>, heading: &Heading) {
        let Ok(id) = heading.id.parse::<CommandId>() else {
            let words = format!("{} has the id `{}`", heading.address, heading.id);
            return self.strange(record, "the engine".to_owned(), words);
        };
        let Some(plan) = self.plans.get(&id.instance.saga) else {
            return;
        };
        let undo = id.part != crate::message::Part::Action;
        let expected = plan.message(&id.step, undo).filter(|e| e.to == heading.address);
        let Some(expected) = expected else {
            let words = format!("{} is no message of its step {}", heading.address, id.step);
            return self.strange(record, id.instance.to_string(), words);
        };
        let (is_command, carried) = (expected.is_command, &expected.carried);
        let body = record.body.map_or(&[][..], |b| b);
        let seen = if carried.is_empty() {
            Vec::new()
        } else {
            received(carried, &read_json(body).unwrap_or_default())
        };
        if is_command
            && (record.headers.text(header::COMMAND) != Some(heading.id.as_str())
                || record.headers.text(header::IDEMPOTENCY_KEY) != Some(&id.idempotency_key()))
        {
            let words = format!("the headers of command {id} contradict its id");
            self.strange(record, id.instance.to_string(), words);
        }
        let cause = record.headers.text(header::CAUSATION).map(|c| digest(c.as_bytes()));
        let content = digest(&[record.key.unwrap_or_default(), &[0], body].concat());
        let sent = Sent {
            generation: id.generation,
            step: self.names.of(&id.step),
            part: id.part,
            attempt: id.attempt,
            is_command,
            cause,
            content,
            received: seen,
            place: self.placed(record),
        };
        self.accounts.entry(id.instance).or_default().sent.push(sent);
    }

    /// An answer of a participant, if it is one.
    fn read_answer(&mut self, record: &Record<'_>, heading: &Heading) {
        let answers = |plan: &Plan| plan.answered_by(&heading.address).next().is_some();
        let mut instances: Vec<InstanceId> = Vec::new();
        if let Some(command) = &heading.command {
            if self.plans.get(&command.instance.saga).is_some_and(answers) {
                instances.push(command.instance.clone());
            }
        } else if self.plans.values().any(answers) {
            let Some(event) = event(record, heading) else {
                return;
            };
            for plan in self.plans.values().filter(|plan| answers(plan)) {
                instances.extend(answered(plan, &event));
            }
        }
        if instances.is_empty() {
            return;
        }
        self.report.tally.answers += 1;
        let event = self.names.of(&heading.address.to_string());
        let command = heading.command.as_ref().map(|c| Asked {
            generation: c.generation,
            step: self.names.of(&c.step),
            part: c.part,
            attempt: c.attempt,
        });
        let id = digest(heading.id.as_bytes());
        for instance in instances {
            let heard = Heard { id, event, command };
            self.accounts.entry(instance).or_default().answers.push(heard);
        }
    }

    fn read_start(&mut self, record: &Record<'_>, heading: &Heading) {
        let is_start = |plan: &&Plan| starts(plan, &heading.address).next().is_some();
        if !self.plans.values().any(|plan| is_start(&plan)) {
            return;
        }
        let Some(event) = event(record, heading) else {
            return;
        };
        let place = self.placed(record);
        let mut begun = Vec::new();
        for plan in self.plans.values().filter(is_start) {
            if let Some(key) = started(plan, &event) {
                let instance = InstanceId { saga: plan.saga().clone(), key };
                let given = given(&plan.sources, &event.body);
                begun.push((instance, Begun { id: digest(event.id.as_bytes()), place, given }));
            }
        }
        for (instance, begun) in begun {
            self.accounts.entry(instance).or_default().starts.push(begun);
        }
    }
}

/// The attempt that a note tells of: `topic/Type` is the first, `topic/Type, attempt 2` the second.
fn attempt(words: &str) -> u32 {
    words.rsplit_once(", attempt ").and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

fn event(record: &Record<'_>, heading: &Heading) -> Option<Event> {
    decode(heading, record.body?, record.timestamp).ok()
}

fn starts<'p>(plan: &'p Plan, address: &Address) -> impl Iterator<Item = &'p Start> {
    plan.definition.starts.iter().filter(move |s| s.on == *address)
}

/// The key that an event starts a saga under, if it does.
fn started(plan: &Plan, event: &Event) -> Option<Key> {
    let scope = Scope::at(event.timestamp).with(Word::Event, &event.body);
    let start = starts(plan, &event.address)
        .find(|s| s.condition.as_ref().is_none_or(|c| c.holds(&scope).unwrap_or(false)))?;
    instance_key(start.key.as_ref(), event)
}

/// The instance that an answer without a command id is for.
fn answered(plan: &Plan, event: &Event) -> Option<InstanceId> {
    let rule = plan.definition.rule(&event.address);
    if rule.is_some_and(|r| r.by == Correlation::CommandId) {
        return None;
    }
    let key = instance_key(rule.and_then(|r| r.key.as_ref()), event)?;
    Some(InstanceId { saga: plan.saga().clone(), key })
}

fn instance_key(key: Option<&Expression>, event: &Event) -> Option<Key> {
    let scope = Scope::at(event.timestamp).with(Word::Event, &event.body);
    let text = match key {
        Some(key) => key.text(&scope).ok()?,
        None => event.key.clone()?,
    };
    Key::new(&text).ok()
}

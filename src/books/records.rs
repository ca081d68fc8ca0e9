//! Takes the records of the topics into the books.

use std::collections::BTreeMap;

use super::account::{Answer, Asked, Begun, Sent};
use super::carried::{found, given, received};
use super::names::digest;
use super::plan::{Plan, Sort};
use super::{Books, Record};
use crate::correlation::{Heading, decode, heading};
use crate::definition::{Correlation, Start};
use crate::expression::{Expression, Name as Word, Scope};
use crate::message::{
    Address, CommandId, Disposal, Event, InstanceId, Key, LifeId, Origin, header, read_json,
};

impl Books {
    /// Takes a record of a user's topic, of the history, of the dead letters, or of what people are
    /// asked and do; others are passed over. Records of one partition must come in their order;
    /// partitions may come in any.
    pub fn read(&mut self, record: &Record<'_>) {
        let topic = record.topic.as_str();
        if topic == self.history {
            self.read_history(record);
        } else if topic == self.dead_letters {
            if Disposal::is_told_by(record.headers) {
                return;
            }
            self.report.tally.dead_letters += 1;
            if let Some(id) = record.headers.text(header::ID) {
                self.aside.insert(digest(id.as_bytes()));
            }
        } else if topic == self.questions {
            self.read_question(record);
        } else if topic == self.operator {
            self.read_act(record);
        } else {
            self.read_message(record);
        }
    }

    fn read_message(&mut self, record: &Record<'_>) {
        let origin = Origin {
            topic: record.topic.clone(),
            partition: record.partition,
            offset: record.offset,
        };
        let body = record.body.map(|b| &b[..]);
        let Ok(heading) = heading(&origin, record.key, record.headers, body, usize::MAX) else {
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
        let part = id.part.kind();
        let subject = id.subject.to_string();
        let expected = plan.message(&subject, part).filter(|e| e.to == heading.address);
        let Some(expected) = expected else {
            let words = format!("{} is no message of its step {subject}", heading.address);
            return self.strange(record, id.instance.to_string(), words);
        };
        let is_command = expected.sort == Sort::Command;
        let body = record.body.map_or(&[][..], |b| b);
        let (mut seen, mut fences) = (Vec::new(), Vec::new());
        if !expected.carried.is_empty() || !expected.fences.is_empty() {
            let body = read_json(body).unwrap_or_default();
            seen = received(&expected.carried, &body);
            fences = found(&expected.fences, &body);
        }
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
            life: id.life,
            step: self.names.of(&subject),
            part: id.part,
            attempt: id.attempt,
            is_command,
            cause,
            content,
            received: seen,
            fences,
            place: self.placed(record),
        };
        self.accounts.entry(id.instance).or_default().sent.push(sent);
    }

    /// An answer of a participant, or a fact that a step waits for, if it is one.
    fn read_answer(&mut self, record: &Record<'_>, heading: &Heading) {
        let answers = |plan: &Plan| plan.is_answered_by(&heading.address);
        let waits = |plan: &Plan| plan.waits_for(&heading.address);
        let named = heading.command.as_ref();
        let mut instances: BTreeMap<InstanceId, bool> = BTreeMap::new();
        if let Some(command) = named
            && let Some(plan) = self.plans.get(&command.instance.saga)
            && (answers(plan) || waits(plan))
        {
            instances.insert(command.instance.clone(), waits(plan));
        }
        let by_key = |plan: &&Plan| waits(plan) || (named.is_none() && answers(plan));
        if self.plans.values().any(|plan| by_key(&plan)) {
            let Some(event) = event(record, heading) else {
                return;
            };
            for plan in self.plans.values().filter(by_key) {
                let is_wait = waits(plan);
                if let Some(instance) = answered(plan, &event, is_wait) {
                    instances.insert(instance, is_wait);
                }
            }
        }
        if instances.is_empty() {
            return;
        }
        self.report.tally.answers += 1;
        let event = self.names.of(&heading.address.to_string());
        let id = digest(heading.id.as_bytes());
        for (instance, is_for_waits) in instances {
            // A command of another instance is nothing that this one has asked for.
            let subject = named.filter(|c| c.instance == instance).map(|c| c.subject.to_string());
            let command = named.map(|c| Asked {
                life: c.life,
                step: self.names.of(subject.as_deref().unwrap_or_default()),
                part: c.part,
                attempt: c.attempt,
            });
            let answer = Answer { id, event, command, is_for_waits };
            self.accounts.entry(instance).or_default().answers.push(answer);
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
                let id = digest(event.id.as_bytes());
                let on = event.address.to_string();
                let mark = |source| LifeId::begun(1, &on, source, &event.id).mark;
                let marks = [mark(event.source.name()), mark(None)];
                begun.push((instance, Begun { id, marks, place, given }));
            }
        }
        for (instance, begun) in begun {
            self.accounts.entry(instance).or_default().starts.push(begun);
        }
    }
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

/// The instance that an answer without a command id, or a fact that is waited for, is for.
fn answered(plan: &Plan, event: &Event, is_wait: bool) -> Option<InstanceId> {
    let rule = plan.definition.rule(&event.address);
    if !is_wait && rule.is_some_and(|r| r.by == Correlation::CommandId) {
        return None;
    }
    let key = instance_key(rule.and_then(|r| r.key.as_ref()), event)?;
    Some(InstanceId { saga: plan.saga().clone(), key })
}

fn instance_key(key: Option<&Expression>, event: &Event) -> Option<Key> {
    let scope = Scope::at(event.timestamp).with(Word::Event, &event.body);
    let text = match key {
        Some(key) => key.key(&scope).ok()?,
        None => event.key.clone()?,
    };
    Key::new(&text).ok()
}

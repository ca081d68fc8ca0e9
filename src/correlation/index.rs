use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Heading;
use crate::definition::{Catalog, Correlation, Definition, Start, Step};
use crate::expression::{Expression, Name, Scope};
use crate::message::{Address, Event, InstanceId, Key, SagaName, Timestamp, Topic};

/// All that the definitions say about events, by address.
#[derive(Debug, Clone, Default)]
pub struct Index {
    entries: BTreeMap<Address, Entry>,
    /// Topics with starts of some version: they are read on, so that a version which is put back
    /// starts on what comes then, not on what came meanwhile.
    start_topics: BTreeSet<Topic>,
    sagas: BTreeSet<SagaName>,
}

/// What one kind of event may mean.
#[derive(Debug, Clone, Default)]
struct Entry {
    starts: Vec<(Arc<Definition>, usize)>,
    cancels: Vec<Found>,
    replies: Vec<Found>,
    waits: Vec<Found>,
}

/// A way from an event to the key of an instance.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    saga: SagaName,
    /// Without it, the record's key.
    key: Option<Expression>,
    /// Whether only a command id leads to the instance.
    by_command: bool,
}

/// Where an event goes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Route {
    /// The instances that it is for, without repetition, in order.
    pub targets: Vec<InstanceId>,
    /// Why some definition could not read it; it goes to the dead letters too.
    pub complaints: Vec<String>,
}

impl Index {
    /// Reads a catalog: starts of the definitions that start, replies and cancels of all.
    #[must_use]
    pub fn new(catalog: &Catalog) -> Self {
        let mut index = Self::default();
        for definition in catalog.definitions() {
            index.add(definition);
        }
        for definition in catalog.sagas() {
            for (place, start) in definition.starts.iter().enumerate() {
                let entry = index.entries.entry(start.on.clone()).or_default();
                entry.starts.push((Arc::clone(definition), place));
            }
        }
        index
    }

    fn add(&mut self, definition: &Definition) {
        self.sagas.insert(definition.saga.clone());
        self.start_topics.extend(definition.starts.iter().map(|start| start.on.topic.clone()));
        let found = |address: &Address| {
            let rule = definition.rule(address);
            Found {
                saga: definition.saga.clone(),
                key: rule.and_then(|r| r.key.clone()),
                by_command: rule.is_some_and(|r| r.by == Correlation::CommandId),
            }
        };
        for address in definition.steps.iter().flat_map(replies) {
            add(&mut self.entry(address).replies, found(address));
        }
        for address in definition.steps.iter().flat_map(facts) {
            add(&mut self.entry(address).waits, found(address));
        }
        for cancel in &definition.cancel {
            let found = found(&cancel.on);
            let key = cancel.key.clone().or(found.key);
            let found = Found { key, by_command: false, ..found };
            add(&mut self.entry(&cancel.on).cancels, found);
        }
    }

    fn entry(&mut self, address: &Address) -> &mut Entry {
        self.entries.entry(address.clone()).or_default()
    }

    /// The topics that some definition reads.
    #[must_use]
    pub fn topics(&self) -> BTreeSet<Topic> {
        let read = self.entries.keys().map(|address| &address.topic);
        read.chain(&self.start_topics).cloned().collect()
    }

    /// Whether some definition reads events of this kind.
    #[must_use]
    pub fn reads(&self, address: &Address) -> bool {
        self.entries.contains_key(address)
    }

    /// Where an event goes without a look at its body: to the instance whose command it answers.
    /// None if the body must be read to know.
    #[must_use]
    pub fn direct(&self, heading: &Heading) -> Option<InstanceId> {
        let entry = self.entries.get(&heading.address)?;
        let command = heading.command.as_ref()?;
        let saga = &command.instance.saga;
        let is_plain = entry.starts.is_empty()
            && entry.cancels.is_empty()
            && entry.waits.iter().all(|wait| wait.saga == *saga);
        (is_plain && self.sagas.contains(&command.instance.saga)).then(|| command.instance.clone())
    }

    /// Where an event goes.
    #[must_use]
    pub fn route(&self, heading: &Heading, event: &Event, now: Timestamp) -> Route {
        let Some(entry) = self.entries.get(&heading.address) else {
            return Route::default();
        };
        let mut targets = BTreeSet::new();
        let mut route = Route::default();
        let named = heading.command.as_ref().map(|c| &c.instance);
        match named {
            Some(instance) if self.sagas.contains(&instance.saga) => {
                targets.insert(instance.clone());
            }
            Some(instance) => {
                let saga = &instance.saga;
                route.complaints.push(format!("it answers a command of {saga}, unknown here"));
            }
            None => {}
        }
        let scope = Scope::at(now).with(Name::Event, &event.body);
        for (definition, place) in &entry.starts {
            let start = &definition.starts[*place];
            note(start_key(start, heading, &scope), &definition.saga, &mut targets, &mut route);
        }
        let replies = entry.replies.iter().filter(|found| named.is_none() && !found.by_command);
        // What answers one saga's command may be the fact that another saga waits for.
        let waits = entry.waits.iter().filter(|found| {
            !found.by_command && named.is_none_or(|instance| instance.saga != found.saga)
        });
        for found in entry.cancels.iter().chain(replies).chain(waits) {
            let key = key(found.key.as_ref(), heading, &scope).map(Some);
            note(key, &found.saga, &mut targets, &mut route);
        }
        route.targets = targets.into_iter().collect();
        route
    }
}

fn add(ways: &mut Vec<Found>, found: Found) {
    if !ways.contains(&found) {
        ways.push(found);
    }
}

/// Every reply that a step may take.
pub(super) fn replies(step: &Step) -> impl Iterator<Item = &Address> {
    step.all_replies().map(|(_, reply)| reply.on)
}

/// Every fact that a step may wait for, whether its instance has started or not.
pub(super) fn facts(step: &Step) -> impl Iterator<Item = &Address> {
    step.awaited().iter().map(|reply| reply.on)
}

fn start_key(
    start: &Start,
    heading: &Heading,
    scope: &Scope<'_>,
) -> Result<Option<String>, String> {
    if let Some(condition) = &start.condition {
        let holds = condition.holds(scope).map_err(|e| format!("`where` has no answer: {e}"))?;
        if !holds {
            return Ok(None);
        }
    }
    key(start.key.as_ref(), heading, scope).map(Some)
}

fn key(key: Option<&Expression>, heading: &Heading, scope: &Scope<'_>) -> Result<String, String> {
    match key {
        Some(key) => key.key(scope).map_err(|e| format!("`key` has no value: {e}")),
        None => heading.key.name().map(str::to_owned),
    }
}

fn note(
    key: Result<Option<String>, String>,
    saga: &SagaName,
    targets: &mut BTreeSet<InstanceId>,
    route: &mut Route,
) {
    let found = key.and_then(|text| {
        text.map(|text| Key::new(&text).map_err(|e: crate::message::Error| e.to_string()))
            .transpose()
    });
    match found {
        Ok(Some(key)) => {
            targets.insert(InstanceId { saga: saga.clone(), key });
        }
        Ok(None) => {}
        Err(reason) => route.complaints.push(format!("{saga}: {reason}")),
    }
}

//! What the language promises beyond one instance: letters, locks, children and calls.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use super::audit::idempotency_prefix;
use super::deed::Deed;
use super::fold::Fold;
use super::world::World;
use crate::definition::{Catalog, Compensation, Definition, Nature, SagaStep, Step, Waiting};
use crate::engine::{
    Call, Direction, Frame, Inside, Instance, Life, Locked, Phase, Stage, StepState,
};
use crate::format::wire;
use crate::message::{InstanceId, Topic, header, read_json};

/// Locks that more than one step holds, or believes that it holds.
pub(super) fn held_by_two<'i>(
    instances: impl Iterator<Item = (&'i InstanceId, &'i Instance)>,
) -> Vec<String> {
    let mut holders: BTreeMap<&str, Vec<&InstanceId>> = BTreeMap::new();
    for (id, instance) in instances {
        for life in &instance.lives {
            let mut hold = |key: &'i str| holders.entry(key).or_default().push(id);
            holds(&life.frame, &mut hold);
        }
    }
    let several = holders.iter().filter(|(_, holders)| holders.len() > 1);
    several.map(|(key, holders)| format!("the lock {key} is held by all of {holders:?}")).collect()
}

fn holds<'f>(frame: &'f Frame, hold: &mut impl FnMut(&'f str)) {
    for state in &frame.steps {
        if let Some(Locked { keys, hold: held, .. }) = state.locked()
            && held.stage != Stage::Freed
        {
            keys.iter().take(held.got as usize).for_each(|key| hold(key.as_str()));
        }
        state.frames().iter().for_each(|inner| holds(inner, hold));
    }
}

/// Everything that must be so when all is over.
pub(super) fn kept(
    world: &World,
    catalog: &Catalog,
    fold: &Fold,
    once: bool,
    found: &mut Vec<String>,
) {
    if once {
        letters(fold, found);
    }
    fences(world, fold, found);
    calls(&world.made(), fold, found);
    let deeds = world.deeds();
    for (id, instance) in fold.instances() {
        if let Some(lock) = &instance.lock
            && (lock.holder.is_some() || !lock.waiting.is_empty())
        {
            found.push(format!("{id} is held, or waited for, when all is over"));
        }
        for life in &instance.lives {
            let what = format!("{id} ({})", life.id);
            if life.ended.is_none() {
                found.push(format!("{what} did not end"));
            }
            if life.ended.is_some() && life.forget.is_none() {
                found.push(format!("{what} has ended and is never forgotten"));
            }
            if life.parent.as_ref().is_some_and(|parent| !parent.gone) {
                found.push(format!("{what} still waits for its parent"));
            }
            let definition = catalog.by_hash(life.definition);
            if let Some(definition) = definition.filter(|_| !fold.settled.contains(id)) {
                let prefix = idempotency_prefix(id, life.id);
                let whose = LifeOf { definition, id, life, prefix, fold, deeds: &deeds };
                let forward = life.direction == Direction::Forward;
                whose.steps(&life.frame, "", forward, found);
            }
        }
    }
}

/// No letter is said twice, unless what it answers was said twice.
fn letters(fold: &Fold, found: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for (to, bytes) in &fold.letters {
        let id = wire::Letter::decode(&bytes[..]).unwrap_or_default().id;
        if !ids.insert((to, id.clone())) {
            found.push(format!("{to} is told {id} twice"));
        }
    }
}

/// Whoever is told a lock and its token is told no smaller one afterwards, unless a person has had
/// something undone without its lock.
fn fences(world: &World, fold: &Fold, found: &mut Vec<String>) {
    let settled: BTreeSet<String> = fold.settled.iter().map(ToString::to_string).collect();
    let topics: BTreeSet<Topic> = world.places().into_iter().map(|(topic, _)| topic).collect();
    let mut last: BTreeMap<(String, i32, String), u64> = BTreeMap::new();
    for record in topics.iter().flat_map(|topic| world.committed(topic)) {
        if record.headers.text(header::COMMAND).is_none()
            || record.headers.text(header::IDEMPOTENCY_KEY).is_none()
        {
            continue;
        }
        let instance = record.headers.text(header::CORRELATION);
        if instance.is_some_and(|id| settled.contains(id)) {
            continue;
        }
        let body = read_json(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
        let (Some(lock), Some(fence)) = (body["lock"].as_str(), body["fence"].as_u64()) else {
            continue;
        };
        let (topic, partition) = record.place;
        let before = last.entry((topic.to_string(), partition, lock.to_owned())).or_default();
        if fence < *before {
            found.push(format!("{topic}: {lock} has the token {fence} after {before}"));
        }
        *before = fence.max(*before);
    }
}

/// Calls are made as they were committed, the same for the same key, and answered once each.
fn calls(made: &[Call], fold: &Fold, found: &mut Vec<String>) {
    let mut by_key: BTreeMap<&str, &Call> = BTreeMap::new();
    for call in made {
        if fold.calls.get(&call.id.to_string()) != Some(call) {
            found.push(format!("call {} was made and nobody asked for it", call.id));
        }
        let first = by_key.entry(&call.idempotency_key).or_insert(call);
        let differs =
            (first.method, &first.url, &first.undoes) != (call.method, &call.url, &call.undoes);
        if differs || call.idempotency_key != call.id.idempotency_key() {
            found.push(format!("call {} is not what its key stood for before", call.id));
        }
    }
    let asked = |id: &String| fold.asked.get(id).copied().unwrap_or(0);
    let twice = fold.called.iter().filter(|(id, times)| **times > asked(id));
    found.extend(twice.map(|(id, times)| format!("call {id} was answered {times} times")));
}

/// One life, and what the participants did for it.
struct LifeOf<'a> {
    definition: &'a Definition,
    id: &'a InstanceId,
    life: &'a Life,
    prefix: String,
    fold: &'a Fold,
    deeds: &'a [Deed],
}

impl LifeOf<'_> {
    fn steps(&self, frame: &Frame, branch: &str, forward: bool, found: &mut Vec<String>) {
        for state in &frame.steps {
            let step = self.definition.step(state.step);
            let name = format!("{}{branch}", step.name);
            match step.nature() {
                Nature::Attempted(_) => self.request(step, state, &name, forward, found),
                Nature::Waiting(Waiting::Child(child)) => {
                    self.child(child, state, &name, forward, found);
                }
                Nature::Instant(_) | Nature::Waiting(_) | Nature::Composite(_) => {}
            }
            for inner in state.frames() {
                let index = inner.item.as_ref().map(|_| format!("[{}]", inner.index));
                let branch = format!("{branch}{}", index.unwrap_or_default());
                let forward = forward && inner.direction == Direction::Forward;
                self.steps(inner, &branch, forward, found);
            }
        }
    }

    /// What is done stands, and everything else that happened was undone after it.
    fn request(
        &self,
        step: &Step,
        state: &StepState,
        name: &str,
        forward: bool,
        found: &mut Vec<String>,
    ) {
        let what = format!("{} ({}): {name}", self.id, self.life.id);
        let (done, undone) = (self.deed(name), self.undone(name));
        let stands = forward && state.phase == Phase::Succeeded;
        if stands && (done.is_none() || undone.is_some()) {
            found.push(format!("{what} is done, and was done {done:?}, undone {undone:?}"));
        }
        let owed = *step.compensation() != Compensation::Nothing;
        if !stands && owed && done.is_some() && undone < done {
            found.push(format!("{what} happened and is not undone"));
        }
    }

    /// A child is done, or has taken itself back, as its parent wishes.
    fn child(
        &self,
        child: &SagaStep,
        state: &StepState,
        name: &str,
        forward: bool,
        found: &mut Vec<String>,
    ) {
        let what = format!("{} ({}): {name}", self.id, self.life.id);
        let mut id = None;
        if let Inside::Child(begun) = &state.inside {
            id = Some(InstanceId { saga: child.saga.clone(), key: begun.key.clone() });
        }
        let instance = self.fold.instances().find(|(other, _)| Some(*other) == id.as_ref());
        let lives = instance.map(|(_, instance)| instance.lives.as_slice());
        let mine = |g: &&Life| {
            g.parent.as_ref().is_some_and(|parent| {
                (&parent.instance, parent.life) == (self.id, self.life.id)
                    && parent.step.to_string() == name
            })
        };
        let last = lives.unwrap_or_default().iter().rfind(mine);
        let completed = last.is_some_and(|g| g.direction == Direction::Forward);
        let stands = forward && state.phase == Phase::Succeeded;
        if stands && !completed {
            found.push(format!("{what} is done, and its child is not"));
        }
        if !stands && completed && self.undone(name).is_none() {
            found.push(format!("{what} is not done, and its child stands"));
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// When a step was done.
    fn deed(&self, name: &str) -> Option<usize> {
        let key = self.key(name);
        self.deeds.iter().position(|deed| deed.key == key)
    }

    /// When it was undone last.
    fn undone(&self, name: &str) -> Option<usize> {
        let key = self.key(name);
        self.deeds.iter().rposition(|deed| deed.undoes.as_deref() == Some(&key))
    }
}

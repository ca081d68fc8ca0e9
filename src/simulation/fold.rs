use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use serde_json::Value;

use super::fault::Fault;
use super::overtaken::overtaken;
use super::promises;
use super::world::{Seen, World};
use crate::books::Delivery;
use crate::correlation::Index;
use crate::definition::Catalog;
use crate::engine::{self, Effect, Input, Instance, NoteKind, Rejection, Status, Transition, Verb};
use crate::format::changelog::{instance_key, is_instance, position_key};
use crate::format::{open, wire};
use crate::message::{InstanceId, Key, LifeId, Offset, SagaName, Shard, Timestamp, Topic, Version};

/// What the shards must be: a plain fold of the engine over each inbox, without batches, stores,
/// crashes or memory, to compare what was committed with.
#[derive(Debug)]
pub(super) struct Fold {
    catalog: Arc<Catalog>,
    shards: BTreeMap<Shard, Folded>,
    /// What must be sent, in order.
    pub messages: Vec<engine::Message>,
    /// What instances must say to each other: to whom, and what.
    pub letters: Vec<(InstanceId, Vec<u8>)>,
    /// The ids of the questions that people must be asked.
    pub questions: Vec<String>,
    /// How many dead letters there must be.
    pub dead_letters: usize,
    /// The lives that each start event began.
    pub begun: BTreeMap<String, Vec<(InstanceId, LifeId)>>,
    /// The calls that must be made, by their ids.
    pub calls: BTreeMap<String, engine::Call>,
    /// How often each call was asked for: one whose time is given again is made again.
    pub asked: BTreeMap<String, u32>,
    /// How often what came of a call changed something, by the call's id.
    pub called: BTreeMap<String, u32>,
    /// Those of which a person has said what became of a step.
    pub settled: BTreeSet<InstanceId>,
    /// The ids of the acts that were not obeyed, which the history tells of.
    pub refused: Vec<String>,
    pub violations: Vec<String>,
    delivery: Delivery,
    /// The topics that the definitions read.
    sources: Vec<Topic>,
}

/// One shard, twice: as the fold says, and as the changelog says.
#[derive(Debug, Default)]
struct Folded {
    inbox: Offset,
    /// The definitions, of which those start that the shard was told; none until it was.
    catalog: Option<Arc<Catalog>>,
    watermarks: BTreeMap<(String, i32, Vec<u8>), i64>,
    instances: BTreeMap<InstanceId, Instance>,
    /// The changelog is read up to here.
    read: Offset,
    committed: BTreeMap<Bytes, Bytes>,
}

impl Folded {
    /// The instances that are not as they must be.
    fn wrong(&self, expected: &BTreeMap<Bytes, Bytes>, delivery: Delivery) -> Vec<String> {
        let committed = self.committed.keys().filter(|key| is_instance(key));
        // Without transactions an instance may be written ahead of the position.
        let ahead = |value: &Bytes| {
            delivery == Delivery::AtLeastOnce
                && Instance::decode(value).is_ok_and(|instance| instance.inbox >= self.inbox)
        };
        committed
            .chain(expected.keys())
            .filter(|key| self.committed.get(*key) != expected.get(*key))
            .filter(|key| !self.committed.get(*key).is_some_and(ahead))
            .map(|key| String::from_utf8_lossy(key).into_owned())
            .collect()
    }
}

impl Fold {
    pub fn new(catalog: Arc<Catalog>, shards: u32, delivery: Delivery) -> Self {
        Self {
            sources: Index::new(&catalog).topics().into_iter().collect(),
            catalog,
            shards: (0..shards).map(|s| (Shard(s), Folded::default())).collect(),
            messages: Vec::new(),
            letters: Vec::new(),
            questions: Vec::new(),
            dead_letters: 0,
            begun: BTreeMap::new(),
            calls: BTreeMap::new(),
            asked: BTreeMap::new(),
            called: BTreeMap::new(),
            settled: BTreeSet::new(),
            refused: Vec::new(),
            violations: Vec::new(),
            delivery,
        }
    }

    /// Folds as far as the commits have come, and compares.
    pub fn follow(&mut self, world: &World) {
        for shard in self.shards.keys().copied().collect::<Vec<_>>() {
            self.follow_shard(shard, world);
        }
        // Without transactions a lock may be let go before its holder's state says so.
        if self.delivery == Delivery::ExactlyOnce {
            let held = promises::held_by_two(self.instances());
            self.violations.extend(held);
        }
    }

    /// What waits for a person: whose, the step's coordinate, and whether it is its undoing.
    pub fn stuck(&self) -> Vec<(InstanceId, String, bool)> {
        let mut found = Vec::new();
        for (id, instance) in self.instances() {
            for life in &instance.lives {
                let Some(definition) = self.catalog.by_hash(life.definition) else {
                    continue;
                };
                for stuck in &life.stuck {
                    let mut step = definition.step(stuck.step).name.to_string();
                    step.extend(stuck.branch.iter().map(|index| format!("[{index}]")));
                    found.push((id.clone(), step, stuck.undoing));
                }
            }
        }
        found
    }

    /// The sagas that live, and what they remember.
    pub fn living(&self) -> Vec<(InstanceId, Value)> {
        let living = |(id, instance): (&InstanceId, &Instance)| {
            instance.living().map(|life| (id.clone(), life.data.clone()))
        };
        self.instances().filter_map(living).collect()
    }

    /// Those that a person lets stand still.
    pub fn paused(&self) -> Vec<InstanceId> {
        let paused = self.instances().filter(|(_, instance)| instance.paused_life().is_some());
        paused.map(|(id, _)| id.clone()).collect()
    }

    pub fn instances(&self) -> impl Iterator<Item = (&InstanceId, &Instance)> {
        self.shards.values().flat_map(|s| &s.instances)
    }

    /// What each life is now; locks have none.
    pub fn ends(&self) -> Vec<(SagaName, Status)> {
        let lives = self.instances().flat_map(|(id, instance)| {
            instance.lives.iter().map(|life| (id.saga.clone(), life.status()))
        });
        lives.collect()
    }

    /// How many lives began on each version.
    pub fn versions(&self) -> BTreeMap<(SagaName, Version), usize> {
        let mut versions = BTreeMap::new();
        for (id, instance) in self.instances() {
            for life in &instance.lives {
                if let Some(definition) = self.catalog.by_hash(life.definition) {
                    *versions.entry((id.saga.clone(), definition.version)).or_default() += 1;
                }
            }
        }
        versions
    }

    /// When the next timer strikes that does more than forget.
    pub fn next_due(&self) -> Option<Timestamp> {
        let at_work = self.instances().filter(|(_, instance)| !is_at_rest(instance));
        at_work.filter_map(|(_, instance)| engine::next_due(instance)).min()
    }

    /// Whether nothing more happens by itself but being forgotten.
    pub fn is_at_rest(&self) -> bool {
        self.instances().all(|(_, instance)| is_at_rest(instance))
    }

    /// Whether every inbox record is committed.
    pub fn is_level(&self, world: &World) -> bool {
        self.shards.iter().all(|(shard, folded)| {
            world.read(&world.engine("inbox", *shard), folded.inbox).is_empty()
        })
    }

    fn follow_shard(&mut self, shard: Shard, world: &World) {
        let mut folded = self.shards.remove(&shard).expect("the shards are fixed");
        let changes = world.read(&world.engine("changelog", shard), folded.read);
        if let Some(last) = changes.last() {
            folded.read = last.offset.next();
            for change in changes {
                let key = change.key.unwrap_or_default();
                match change.value {
                    Some(value) => folded.committed.insert(key, value),
                    None => folded.committed.remove(&key),
                };
            }
            self.compare(shard, &mut folded, world);
        }
        self.shards.insert(shard, folded);
    }

    fn compare(&mut self, shard: Shard, folded: &mut Folded, world: &World) {
        let stored = folded.committed.get(&position_key(shard));
        let stored = stored.and_then(|bytes| open::<wire::Position>(bytes).ok());
        let Some(stored) = stored else {
            // Without transactions the first batch may be torn before it.
            if self.delivery == Delivery::ExactlyOnce {
                self.violations.push(format!("shard {shard} has state and no position"));
            }
            return;
        };
        if stored.inbox < folded.inbox.0 {
            let (now, before) = (stored.inbox, folded.inbox);
            self.violations.push(format!("shard {shard} went back from {before} to {now}"));
            return;
        }
        for record in world.read(&world.engine("inbox", shard), folded.inbox) {
            if record.offset.0 < stored.inbox {
                self.take(folded, &record, world);
            }
        }
        folded.inbox = Offset(stored.inbox);
        let marks = stored.watermarks.into_iter();
        let marks: BTreeMap<_, _> =
            marks.map(|m| ((m.topic, m.partition, m.topic_id), m.offset)).collect();
        if marks != folded.watermarks {
            let what = format!("{marks:?} instead of {:?}", folded.watermarks);
            self.violations.push(format!("shard {shard} has the watermarks {what}"));
        }
        let encode = |(id, instance): (&InstanceId, &Instance)| {
            (instance_key(id), Bytes::from(instance.encode()))
        };
        let expected: BTreeMap<Bytes, Bytes> = folded.instances.iter().map(encode).collect();
        let mut wrong = folded.wrong(&expected, self.delivery);
        if !wrong.is_empty() {
            wrong.sort();
            wrong.dedup();
            let at = folded.inbox;
            let what = format!("shard {shard} at {at} is no fold of its inbox: {wrong:?}");
            self.violations.push(what);
        }
    }

    fn take(&mut self, folded: &mut Folded, record: &Seen, world: &World) {
        let value = record.value.clone().unwrap_or_default();
        let Ok(inbox) = wire::Inbox::decode(value) else {
            self.dead_letters += 1;
            return;
        };
        if let Some(starts) = inbox.starts() {
            let told = starts.read().expect("the gateway has written it");
            let known = folded.catalog.as_ref().and_then(|catalog| catalog.starts());
            if known.is_none_or(|known| known.offset < told.offset) {
                let catalog = self.catalog.starting_as(Some(Arc::new(told)));
                folded.catalog = Some(Arc::new(catalog));
            }
            return;
        }
        if let Some(event) = inbox.event() {
            let source = (event.topic.clone(), event.partition, event.topic_id.clone());
            let mark = folded.watermarks.entry(source).or_insert(-1);
            if event.offset <= *mark {
                return;
            }
            *mark = event.offset;
        }
        let Ok(input) = inbox.read() else {
            self.dead_letters += 1;
            return;
        };
        let mut unmatched = 0;
        for target in &inbox.targets {
            if self.step(folded, target, &input, record, world) {
                unmatched += 1;
            }
        }
        let is_letter = !inbox.shared && !matches!(input, Input::Wake(_));
        if is_letter && unmatched == inbox.targets.len() {
            self.dead_letters += unmatched;
        }
    }

    /// Answers whether nothing waited for it.
    fn step(
        &mut self,
        folded: &mut Folded,
        target: &wire::Target,
        input: &Input,
        record: &Seen,
        world: &World,
    ) -> bool {
        let names = (SagaName::new(&target.saga), Key::new(&target.key));
        let (Ok(saga), Ok(key)) = names else {
            self.dead_letters += 1;
            return false;
        };
        let id = InstanceId { saga, key };
        let before = folded.instances.get(&id);
        let catalog = folded.catalog.as_ref().unwrap_or(&self.catalog);
        match engine::step(catalog, &id, before, input, record.timestamp) {
            Ok(transition) => {
                if let Input::Called(called) = input {
                    *self.called.entry(called.command.clone()).or_default() += 1;
                }
                self.acted(&id, input, &transition, world);
                if let Input::Wake(wake) = input {
                    let (sources, taken) = (&self.sources, &folded.watermarks);
                    let notes = &transition.notes;
                    let found = overtaken(world, sources, taken, &id, notes, *wake);
                    self.violations.extend(found);
                }
                for effect in transition.effects {
                    match effect {
                        Effect::Command(message) | Effect::Fact(message) => {
                            self.messages.push(message);
                        }
                        Effect::Complaint(_) => self.dead_letters += 1,
                        Effect::Letter { to, letter } => {
                            let value = wire::Letter::new(&letter);
                            self.letters.push((to, value.encode_to_vec()));
                        }
                        // A call leaves no trace in the topics until its answer is there.
                        Effect::Call(call) => {
                            let id = call.id.to_string();
                            *self.asked.entry(id.clone()).or_default() += 1;
                            self.calls.insert(id, call);
                        }
                        Effect::Question(question) => self.questions.push(question.id),
                    }
                }
                match transition.after {
                    Some(after) => {
                        self.note_begun(&id, &after);
                        folded.instances.insert(id, Instance { inbox: record.offset, ..after });
                    }
                    None => drop(folded.instances.remove(&id)),
                }
                false
            }
            Err(Rejection::Duplicate(_) | Rejection::Ignored(_)) => false,
            Err(Rejection::Unmatched(_)) => true,
            Err(rejection @ Rejection::Refused(_)) => {
                if let Input::Act(act) = input
                    && engine::refusal(before, act, &rejection).is_some()
                {
                    world.count(Fault::NotObeyed);
                    self.refused.push(act.id.clone());
                }
                self.dead_letters += 1;
                false
            }
        }
    }

    /// Notes what a person has done, and what was held meanwhile.
    fn acted(&mut self, id: &InstanceId, input: &Input, made: &Transition, world: &World) {
        if made.notes.iter().any(|note| note.kind() == NoteKind::Held) {
            return world.count(Fault::Held);
        }
        let Input::Act(act) = input else { return };
        match act.verb {
            Verb::Skip | Verb::ResolveDone(_) | Verb::ResolveNotDone => {
                self.settled.insert(id.clone());
            }
            Verb::Cancel => world.count(Fault::CancelledByPerson),
            Verb::Pause => world.count(Fault::Paused),
            Verb::SetData(_) => world.count(Fault::DataSet),
            Verb::Resume | Verb::Retry | Verb::GoBack | Verb::Answer { .. } => {}
        }
    }

    fn note_begun(&mut self, id: &InstanceId, after: &Instance) {
        for life in &after.lives {
            let lives = self.begun.entry(life.started_by.text.clone()).or_default();
            let life = (id.clone(), life.id);
            if !lives.contains(&life) {
                lives.push(life);
            }
        }
    }
}

/// Whether an instance does nothing more by itself but being forgotten.
fn is_at_rest(instance: &Instance) -> bool {
    let lock = instance.lock.as_ref();
    instance.living().is_none()
        && instance.lives.iter().all(|life| !life.owes())
        && lock.is_none_or(|lock| lock.holder.is_none())
}

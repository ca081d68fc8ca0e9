use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::world::{Seen, World};
use crate::definition::Catalog;
use crate::engine::{self, Effect, Input, Instance, Rejection};
use crate::format::{open, wire};
use crate::message::{InstanceId, Key, Offset, SagaName, Shard, Timestamp};

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
    pub begun: BTreeMap<String, Vec<(InstanceId, u32)>>,
    pub violations: Vec<String>,
}

/// One shard, twice: as the fold says, and as the changelog says.
#[derive(Debug, Default)]
struct Folded {
    inbox: Offset,
    watermarks: BTreeMap<(String, i32), i64>,
    instances: BTreeMap<InstanceId, Instance>,
    /// The changelog is read up to here.
    read: Offset,
    committed: BTreeMap<Bytes, Bytes>,
}

impl Fold {
    pub fn new(catalog: Arc<Catalog>, shards: u32) -> Self {
        Self {
            catalog,
            shards: (0..shards).map(|s| (Shard(s), Folded::default())).collect(),
            messages: Vec::new(),
            letters: Vec::new(),
            questions: Vec::new(),
            dead_letters: 0,
            begun: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// Folds as far as the commits have come, and compares.
    pub fn follow(&mut self, world: &World) {
        for shard in self.shards.keys().copied().collect::<Vec<_>>() {
            self.follow_shard(shard, world);
        }
    }

    pub fn instances(&self) -> impl Iterator<Item = (&InstanceId, &Instance)> {
        self.shards.values().flat_map(|s| &s.instances)
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
        let position = format!("p/{shard}");
        let stored = folded.committed.get(position.as_bytes());
        let stored = stored.and_then(|bytes| open::<wire::Position>(bytes).ok());
        let Some(stored) = stored else {
            self.violations.push(format!("shard {shard} has state and no position"));
            return;
        };
        if stored.inbox < folded.inbox.0 {
            let (now, before) = (stored.inbox, folded.inbox);
            self.violations.push(format!("shard {shard} went back from {before} to {now}"));
            return;
        }
        for record in world.read(&world.engine("inbox", shard), folded.inbox) {
            if record.offset.0 < stored.inbox {
                self.take(folded, &record);
            }
        }
        folded.inbox = Offset(stored.inbox);
        let marks = stored.watermarks.iter();
        let marks: BTreeMap<_, _> =
            marks.map(|m| ((m.topic.clone(), m.partition), m.offset)).collect();
        if marks != folded.watermarks {
            let what = format!("{marks:?} instead of {:?}", folded.watermarks);
            self.violations.push(format!("shard {shard} has the watermarks {what}"));
        }
        let encode = |(id, instance): (&InstanceId, &Instance)| {
            (Bytes::from(format!("i/{id}")), Bytes::from(instance.encode()))
        };
        let expected: BTreeMap<Bytes, Bytes> = folded.instances.iter().map(encode).collect();
        let mut committed = folded.committed.clone();
        committed.retain(|key, _| key.starts_with(b"i/"));
        if committed != expected {
            let keys = committed.keys().chain(expected.keys());
            let mut wrong: Vec<String> = keys
                .filter(|key| committed.get(*key) != expected.get(*key))
                .map(|key| String::from_utf8_lossy(key).into_owned())
                .collect();
            wrong.sort();
            wrong.dedup();
            let at = folded.inbox;
            let what = format!("shard {shard} at {at} is no fold of its inbox: {wrong:?}");
            self.violations.push(what);
        }
    }

    fn take(&mut self, folded: &mut Folded, record: &Seen) {
        let value = record.value.clone().unwrap_or_default();
        let Ok(inbox) = wire::Inbox::decode(value) else {
            self.dead_letters += 1;
            return;
        };
        let input = match &inbox.input {
            Some(wire::inbox::Input::Event(event)) => {
                let place = (event.topic.clone(), event.partition);
                let mark = folded.watermarks.entry(place).or_insert(-1);
                if event.offset <= *mark {
                    return;
                }
                *mark = event.offset;
                event.read().ok().map(Input::Event)
            }
            Some(wire::inbox::Input::WakeMs(_)) => Some(Input::Wake),
            Some(wire::inbox::Input::Act(act)) => act.read().ok().map(Input::Act),
            Some(wire::inbox::Input::Letter(letter)) => letter.read().ok().map(Input::Letter),
            Some(wire::inbox::Input::Called(called)) => called.read().ok().map(Input::Called),
            None => None,
        };
        let Some(input) = input else {
            self.dead_letters += 1;
            return;
        };
        let mut unmatched = 0;
        for target in &inbox.targets {
            if self.step(folded, target, &input, record.offset, record.timestamp) {
                unmatched += 1;
            }
        }
        let is_letter = !inbox.shared && !matches!(input, Input::Wake);
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
        offset: Offset,
        at: Timestamp,
    ) -> bool {
        let names = (SagaName::new(&target.saga), Key::new(&target.key));
        let (Ok(saga), Ok(key)) = names else {
            self.dead_letters += 1;
            return false;
        };
        let id = InstanceId { saga, key };
        let before = folded.instances.get(&id);
        match engine::step(&self.catalog, &id, before, input, at) {
            Ok(transition) => {
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
                        Effect::Call(_) => {}
                        Effect::Question(question) => self.questions.push(question.id),
                    }
                }
                match transition.after {
                    Some(after) => {
                        self.note_begun(&id, &after);
                        folded.instances.insert(id, Instance { inbox: offset, ..after });
                    }
                    None => drop(folded.instances.remove(&id)),
                }
                false
            }
            Err(Rejection::Duplicate(_) | Rejection::Ignored(_)) => false,
            Err(Rejection::Unmatched(_)) => true,
            Err(Rejection::Refused(_)) => {
                self.dead_letters += 1;
                false
            }
        }
    }

    fn note_begun(&mut self, id: &InstanceId, after: &Instance) {
        for generation in &after.generations {
            let lives = self.begun.entry(generation.started_by.clone()).or_default();
            let life = (id.clone(), generation.number);
            if !lives.contains(&life) {
                lives.push(life);
            }
        }
    }
}

//! A small world without Kafka: the engine, the participants and the topics between them.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::correlation::{decode, heading};
use crate::definition::{Catalog, Definition, parse};
use crate::engine::{self, Effect, Input, Instance, Transition};
use crate::format::{seal, wire};
use crate::message::{
    Headers, InstanceId, Key, Offset, Origin, Outgoing, SagaName, Timestamp, Topic, header,
};
use crate::participants::{Command, Participants, Script};

pub const APP: &str = "shop";
const PARTITIONS: usize = 2;
const HORIZON: Timestamp = Timestamp(4 * 60 * 60 * 1000);

/// The order saga.
pub fn order() -> Definition {
    let text = include_str!("../../../sagas/order-fulfilment/saga.yaml");
    parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"))
}

/// A record of a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Rec {
    pub topic: Topic,
    pub partition: i32,
    pub offset: i64,
    pub key: String,
    pub headers: Headers,
    pub body: Bytes,
    pub timestamp: Timestamp,
}

impl Rec {
    pub fn header(&self, name: &str) -> &str {
        self.headers.text(name).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.0.retain(|(n, _)| n != name);
        self.headers.push(name, value.to_owned());
    }

    pub fn entry(&self) -> wire::Entry {
        crate::format::open(&self.body).expect("a history entry")
    }

    pub fn place(&self) -> String {
        format!("{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

enum Happening {
    /// A record of a topic that the engine reads.
    Event(Outgoing),
    Command(Outgoing),
    Wake(InstanceId),
}

pub struct World {
    catalog: Catalog,
    instances: BTreeMap<InstanceId, Instance>,
    participants: Participants,
    coming: BTreeMap<(Timestamp, u64), Happening>,
    made: u64,
    ends: BTreeMap<(Topic, i32), i64>,
    pub log: Vec<Rec>,
}

impl World {
    pub fn new(definition: Definition, script: &str, seed: u64) -> Self {
        let script = Script::parse("participants.yaml", script).expect("a script");
        let mut catalog = Catalog::default();
        catalog.add(definition).expect("the first definition");
        Self {
            catalog,
            instances: BTreeMap::new(),
            participants: Participants::new([&script], seed),
            coming: BTreeMap::new(),
            made: 0,
            ends: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub fn order(&mut self, n: i64) {
        let id = format!("o-{n}");
        let total = format!("{}.{:03}", 5 + n, (n * 370) % 1000);
        let body =
            format!(r#"{{"order_id":"{id}","lines":[{{"n":{n},"each":1.50}}],"total":{total}}}"#);
        let mut headers = Headers::default();
        headers.push(header::ID, format!("placed-{n}"));
        headers.push(header::TYPE, "OrderPlaced");
        let topic = Topic::new("shop.orders").expect("a topic");
        let event = Outgoing { topic, key: id, headers, body: body.into() };
        self.later(Timestamp(n), Happening::Event(event));
    }

    fn later(&mut self, at: Timestamp, what: Happening) {
        self.made += 1;
        self.coming.insert((at, self.made), what);
    }

    pub fn run(&mut self) {
        while let Some(((now, _), what)) = self.coming.pop_first() {
            if now > HORIZON {
                return;
            }
            match what {
                Happening::Event(message) => self.event(&message, now),
                Happening::Command(message) => {
                    let command = Command {
                        topic: &message.topic,
                        key: message.key.as_bytes(),
                        headers: &message.headers,
                        body: &message.body,
                    };
                    let answers = self.participants.decide(&command, now).expect("it obeys");
                    for answer in answers {
                        self.later(answer.at, Happening::Event(answer.message));
                    }
                }
                Happening::Wake(id) => {
                    let due = self.instances.get(&id).and_then(engine::next_due);
                    if due.is_some_and(|due| due <= now) {
                        self.step(&id, &Input::Wake, None, now);
                    }
                }
            }
        }
    }

    fn event(&mut self, message: &Outgoing, now: Timestamp) {
        let rec = self.append(message.clone(), now);
        let origin = Origin {
            topic: rec.topic.clone(),
            partition: rec.partition,
            offset: Offset(rec.offset),
        };
        let key = Some(rec.key.as_bytes());
        let heading = heading(&origin, key, &rec.headers, Some(&rec.body)).expect("an event");
        let event = decode(&heading, &rec.body, now).expect("JSON");
        let id = InstanceId {
            saga: SagaName::new("order-fulfilment").expect("a name"),
            key: Key::new(&rec.key).expect("a key"),
        };
        let cause = event.id.clone();
        self.step(&id, &Input::Event(event), Some(&cause), now);
    }

    fn step(&mut self, id: &InstanceId, input: &Input, cause: Option<&str>, now: Timestamp) {
        let before = self.instances.get(id);
        let Ok(transition) = engine::step(&self.catalog, id, before, input, now) else {
            return;
        };
        let Transition { after, effects, notes } = transition;
        let after = after.expect("nothing is forgotten within the horizon");
        for effect in effects {
            let (message, is_command) = match effect {
                Effect::Command(message) => (message, true),
                Effect::Fact(message) => (message, false),
                Effect::Complaint(words) => panic!("{words}"),
                Effect::Letter { .. } | Effect::Call(_) | Effect::Question(_) => {
                    panic!("this definition has none")
                }
            };
            let sent = outgoing(&message, is_command, cause, id);
            self.append(sent.clone(), now);
            if is_command {
                self.later(now.after(crate::message::Span(1)), Happening::Command(sent));
            }
        }
        let generation = after.newest().expect("a life");
        let entry = wire::Entry {
            saga: id.saga.to_string(),
            key: id.key.to_string(),
            generation: generation.number,
            transition: generation.transitions,
            at_ms: now.0,
            status: generation.status().text().to_owned(),
            shard: 0,
            inbox: 0,
            notes: notes.iter().map(note).collect(),
        };
        let history = Topic::new(&format!("{APP}.history")).expect("a topic");
        let headers = Headers::default();
        let body = seal(&entry).into();
        self.append(Outgoing { topic: history, key: id.to_string(), headers, body }, now);
        if let Some(due) = engine::next_due(&after) {
            self.later(due, Happening::Wake(id.clone()));
        }
        self.instances.insert(id.clone(), after);
    }

    fn append(&mut self, message: Outgoing, timestamp: Timestamp) -> Rec {
        let sum: usize = message.key.bytes().map(usize::from).sum();
        let partition = i32::try_from(sum % PARTITIONS).expect("a small number");
        let end = self.ends.entry((message.topic.clone(), partition)).or_default();
        let Outgoing { topic, key, headers, body } = message;
        let rec = Rec { topic, partition, offset: *end, key, headers, body, timestamp };
        *end += 1;
        self.log.push(rec.clone());
        rec
    }
}

fn note(note: &engine::Note) -> wire::Note {
    wire::Note {
        kind: note.kind.text().to_owned(),
        step: note.step.as_ref().map(ToString::to_string).unwrap_or_default(),
        words: note.words.clone(),
    }
}

fn outgoing(
    message: &engine::Message,
    is_command: bool,
    cause: Option<&str>,
    id: &InstanceId,
) -> Outgoing {
    let mut headers = Headers::default();
    headers.push(header::ID, message.id.to_string());
    headers.push(header::TYPE, message.to.event_type.to_string());
    headers.push(header::SOURCE, format!("segue/{APP}"));
    headers.push(header::CORRELATION, id.to_string());
    if let Some(cause) = cause {
        headers.push(header::CAUSATION, cause.to_owned());
    }
    if is_command {
        headers.push(header::COMMAND, message.id.to_string());
        headers.push(header::IDEMPOTENCY_KEY, message.id.idempotency_key());
    }
    if let Some(undoes) = &message.undoes {
        headers.push(header::UNDOES, undoes.clone());
    }
    Outgoing {
        topic: message.to.topic.clone(),
        key: message.key.clone(),
        headers,
        body: message.body.to_string().into(),
    }
}

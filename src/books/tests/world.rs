//! A small world without Kafka: the engine, the participants and the topics between them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::correlation::{Index, decode, heading};
use crate::definition::{Catalog, Definition, parse};
use crate::engine::{
    self, Act, CallOutcome, Called, Effect, Input, Instance, Rejection, Transition, Verb, Wake,
};
use crate::format::{seal, wire};
use crate::message::{
    Headers, InstanceId, Key, Offset, Origin, Outgoing, SagaName, Span, Timestamp, Topic, header,
};
use crate::participants::{Callees, Command, Participants, Question, Script, Starts};

pub const APP: &str = "shop";
const PARTITIONS: usize = 2;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// Longer than any time-out of a saga that ships, shorter than the longest memory.
const HORIZON: Timestamp = Timestamp(40 * DAY);

/// The order saga.
pub fn order() -> Definition {
    right(include_str!("../../../sagas/order-fulfilment/saga.yaml"))
}

/// A definition that is right.
pub fn right(text: &str) -> Definition {
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
    /// What a person says, and how the engine reads it.
    Said(Outgoing, InstanceId, Act),
    /// Something that only one instance is told.
    Told(InstanceId, Input),
}

pub struct World {
    catalog: Catalog,
    index: Index,
    instances: BTreeMap<InstanceId, Instance>,
    participants: Participants,
    callees: Callees,
    starts: Option<Starts>,
    coming: BTreeMap<(Timestamp, u64), Happening>,
    made: u64,
    inputs: i64,
    ends: BTreeMap<(Topic, i32), i64>,
    pub log: Vec<Rec>,
}

impl World {
    pub fn new(definition: Definition, script: &str, seed: u64) -> Self {
        let script = Script::parse("participants.yaml", script).expect("a script");
        Self::of(vec![definition], &[script], seed)
    }

    pub fn of(definitions: Vec<Definition>, scripts: &[Script], seed: u64) -> Self {
        let mut catalog = Catalog::default();
        for definition in definitions {
            catalog.add(definition).expect("definitions of their own");
        }
        Self {
            index: Index::new(&catalog),
            catalog,
            instances: BTreeMap::new(),
            participants: Participants::new(scripts, seed),
            callees: Callees::new(scripts, seed),
            starts: Starts::new(scripts, seed),
            coming: BTreeMap::new(),
            made: 0,
            inputs: 0,
            ends: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub fn order(&mut self, n: i64) {
        self.order_at(n, Timestamp(n), "placed");
    }

    /// Places an order by an event `<word>-<n>`.
    pub fn order_at(&mut self, n: i64, at: Timestamp, word: &str) {
        let id = format!("o-{n}");
        let total = format!("{}.{:03}", 5 + n, (n * 370) % 1000);
        let body =
            format!(r#"{{"order_id":"{id}","lines":[{{"n":{n},"each":15E-1}}],"total":{total}}}"#);
        let mut headers = Headers::default();
        headers.push(header::ID, format!("{word}-{n}"));
        headers.push(header::TYPE, "OrderPlaced");
        let topic = Topic::new("shop.orders").expect("a topic");
        let event = Outgoing { topic, key: id, headers, body: body.into() };
        self.later(at, Happening::Event(event));
    }

    /// Places what the scripts say, so many, one every 40 ms.
    pub fn start(&mut self, sagas: u64) {
        let starts = self.starts.clone().expect("the scripts have starts");
        for n in 1..=sagas {
            let at = Timestamp(40 * i64::try_from(n).expect("a small number"));
            self.later(at, Happening::Event(starts.make(n, at).expect("it can be filled")));
            if let Some(follow) = starts.follow(n, at).expect("it can be filled") {
                self.later(follow.at, Happening::Event(follow.message));
            }
        }
    }

    /// Somebody leaves out a step of the order with that key.
    pub fn skip(&mut self, key: &str, step: &str, at: Timestamp) {
        self.act(key, Verb::Skip, step, at);
    }

    /// Somebody acts on the order with that key, or on a step of it.
    pub fn act(&mut self, key: &str, verb: Verb, step: &str, at: Timestamp) {
        let saga = SagaName::new("order").expect("a name");
        let id = InstanceId { saga, key: Key::new(key).expect("a key") };
        let (by, why) = ("bob".to_owned(), "no paper".to_owned());
        let act = format!("{}-{}", verb.text(), at.0);
        let body = json!({
            "id": act, "saga": "order", "key": key, "step": step, "verb": verb.text(), "by": by,
            "why": why,
        });
        let topic = Topic::new(&format!("{APP}.operator")).expect("a topic");
        let (name, headers) = (id.to_string(), Headers::default());
        let message = Outgoing { topic, key: name, headers, body: body.to_string().into() };
        let act = Act { id: act, by, why, step: step.parse().ok(), verb, signed: None };
        self.later(at, Happening::Said(message, id, act));
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
                Happening::Said(message, id, act) => {
                    self.append(message, now);
                    self.step(&id, &Input::Act(act), None, now);
                }
                Happening::Told(id, Input::Wake(_)) => {
                    let due = self.instances.get(&id).and_then(engine::next_due);
                    if due.is_some_and(|due| due <= now) {
                        self.step(&id, &Input::Wake(Wake::DUE), None, now);
                    }
                }
                Happening::Told(id, input) => {
                    self.step(&id, &input, None, now);
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
        let heading =
            heading(&origin, key, &rec.headers, Some(&rec.body), usize::MAX).expect("an event");
        let event = decode(&heading, &rec.body, now).expect("JSON");
        let route = self.index.route(&heading, &event, now);
        let cause = event.id.clone();
        for id in route.targets {
            let refused = self.step(&id, &Input::Event(event.clone()), Some(&cause), now);
            if let Some(Rejection::Refused(_)) = refused {
                let topic = Topic::new(&format!("{APP}.dead-letters")).expect("a topic");
                self.append(Outgoing { topic, ..message.clone() }, now);
            }
        }
    }

    fn step(
        &mut self,
        id: &InstanceId,
        input: &Input,
        cause: Option<&str>,
        now: Timestamp,
    ) -> Option<Rejection> {
        self.inputs += 1;
        let before = self.instances.get(id);
        let transition = match engine::step(&self.catalog, id, before, input, now) {
            Ok(transition) => transition,
            Err(rejection) => {
                if let Input::Act(act) = input
                    && let Some(note) = engine::refusal(before, act, &rejection)
                {
                    let before = before.cloned();
                    self.tell(id, before.as_ref(), &[note], now);
                }
                return Some(rejection);
            }
        };
        let Transition { after, effects, notes } = transition;
        for effect in effects {
            self.perform(id, effect, cause, now);
        }
        self.tell(id, after.as_ref(), &notes, now);
        let Some(after) = after else {
            self.instances.remove(id);
            return None;
        };
        if let Some(due) = engine::next_due(&after) {
            self.later(due, Happening::Told(id.clone(), Input::Wake(Wake::DUE)));
        }
        self.instances.insert(id.clone(), after);
        None
    }

    fn perform(&mut self, id: &InstanceId, effect: Effect, cause: Option<&str>, now: Timestamp) {
        let soon = now.after(Span(1));
        match effect {
            Effect::Command(message) => {
                let sent = outgoing(&message, true, cause, id);
                self.append(sent.clone(), now);
                self.later(soon, Happening::Command(sent));
            }
            Effect::Fact(message) => {
                self.append(outgoing(&message, false, cause, id), now);
            }
            // What came early and was never waited for, or a fact that cannot be filled.
            Effect::Complaint(words) => {
                let about_an_end = words.contains(" ends.");
                assert!(words.contains("came early") || about_an_end, "{words}");
                let topic = Topic::new(&format!("{APP}.dead-letters")).expect("a topic");
                let (key, headers) = (id.to_string(), Headers::default());
                self.append(Outgoing { topic, key, headers, body: words.into() }, now);
            }
            Effect::Letter { to, letter } => {
                self.later(soon, Happening::Told(to, Input::Letter(letter)));
            }
            Effect::Call(call) => {
                let answered = self.callees.decide(&call, now).expect("it is known");
                let (at, outcome) = if let Some(response) = answered {
                    let (status, body, headers) = (response.status, response.body, Vec::new());
                    (response.at, CallOutcome::Answered { status, headers, body })
                } else {
                    let reason = format!("no answer within {}", call.within);
                    (now.after(call.within), CallOutcome::Failed { reason, unsent: false })
                };
                let called = Called { command: call.id.to_string(), outcome };
                self.later(at, Happening::Told(id.clone(), Input::Called(called)));
            }
            Effect::Question(question) => self.ask(&question, now),
        }
    }

    fn ask(&mut self, question: &engine::Question, now: Timestamp) {
        let mut headers = Headers::default();
        headers.push(header::ID, question.id.clone());
        headers.push(header::TYPE, "Question");
        headers.push(header::SOURCE, format!("segue/{APP}"));
        let topic = Topic::new(&format!("{APP}.questions")).expect("a topic");
        let key = question.instance.to_string();
        self.append(Outgoing { topic, key, headers, body: "{}".into() }, now);
        let asked = Question {
            id: question.id.clone(),
            saga: question.instance.saga.to_string(),
            key: question.instance.key.to_string(),
            step: question.step.to_string(),
            who: question.who.clone(),
            choices: question.choices.clone(),
        };
        let said = self.participants.people().decide(&asked, now).expect("it is understood");
        if let Some((at, said)) = said {
            let operator = Topic::new(&format!("{APP}.operator")).expect("a topic");
            let message = said.message(&operator);
            let verb = Verb::Answer {
                choice: said.choice,
                note: said.note,
                data: serde_json::Map::<String, Value>::new(),
            };
            let step = said.step.parse().ok();
            let (id, by, why) = (said.id, said.by, String::new());
            let act = Act { id, by, why, step, verb, signed: None };
            self.later(at, Happening::Said(message, question.instance.clone(), act));
        }
    }

    /// Writes the history, as the loop does.
    fn tell(
        &mut self,
        id: &InstanceId,
        after: Option<&Instance>,
        notes: &[engine::Note],
        now: Timestamp,
    ) {
        let Some(of) = notes.last().map(|note| note.life) else {
            return;
        };
        let life = after.and_then(|a| a.lives.iter().find(|life| life.id == of));
        // It is no transition, so it has no number.
        let is_refusal = matches!(&notes[0].what, engine::What::NotObeyed { .. });
        let entry = wire::Entry {
            saga: id.saga.to_string(),
            key: id.key.to_string(),
            life: of.number,
            transition: life.filter(|_| !is_refusal).map_or(0, |life| life.transitions),
            at_ms: now.0,
            status: life.map_or("forgotten", |life| life.status().text()).to_owned(),
            shard: 0,
            inbox: self.inputs,
            notes: notes.iter().map(wire::Note::new).collect(),
            mark: of.mark,
        };
        let history = Topic::new(&format!("{APP}.history")).expect("a topic");
        let headers = Headers::default();
        let body = seal(&entry).into();
        self.append(Outgoing { topic: history, key: id.to_string(), headers, body }, now);
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

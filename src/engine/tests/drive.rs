//! What random drivers of the engine share: dice, and a family of instances whose letters, answers
//! and timers come in any order. `tests/foreseen.rs` takes this file in as well, so what it
//! imports it has by its parent.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::definition::Catalog;
use super::engine::{Act, Input, Instance, Letter, Question, Verb, Wake, next_due};
use super::message::{
    Address, CommandId, Coordinate, Event, EventSource, InstanceId, Span, Timestamp,
};

/// xorshift64*: the same numbers for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    pub fn pick<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        let sides = u64::try_from(list.len()).expect("a short list");
        (sides > 0).then(|| &list[usize::try_from(self.roll(sides)).expect("small")])
    }
}

/// Instances of a saga, its children and locks, and what is on its way between them and others.
pub struct Family<'c> {
    pub dice: Dice,
    pub catalog: &'c Catalog,
    pub now: Timestamp,
    pub instances: BTreeMap<InstanceId, Instance>,
    mail: BTreeMap<(InstanceId, InstanceId), VecDeque<Letter>>,
    /// What was asked of participants, and whether by a call.
    pub sent: Vec<(CommandId, bool)>,
    /// The events that instances were told.
    pub told: Vec<(InstanceId, Event)>,
    asked: Vec<Question>,
    events: u64,
}

impl<'c> Family<'c> {
    pub fn of(catalog: &'c Catalog, dice: Dice) -> Self {
        Self {
            dice,
            catalog,
            now: Timestamp(1_000_000),
            instances: BTreeMap::new(),
            mail: BTreeMap::new(),
            sent: Vec::new(),
            told: Vec::new(),
            asked: Vec::new(),
            events: 0,
        }
    }

    /// A letter waits behind those between the same two.
    pub fn mail(&mut self, from: &InstanceId, to: InstanceId, letter: Letter) {
        self.mail.entry((from.clone(), to)).or_default().push_back(letter);
    }

    /// People are asked.
    pub fn ask(&mut self, question: Question) {
        self.asked.push(question);
    }

    /// An event with an id of its own.
    pub fn event(&mut self, address: Address, body: Value, command: Option<&CommandId>) -> Event {
        self.events += 1;
        Event {
            address,
            source: EventSource::Unnamed,
            id: format!("e{}", self.events),
            key: None,
            body,
            command: command.map(ToString::to_string),
            trace_parent: None,
            timestamp: self.now,
        }
    }
}

/// Drives a family; each driver tells its instances in a way of its own.
pub trait Drive<'c> {
    fn family(&mut self) -> &mut Family<'c>;

    /// Tells one instance something, and looks at what it makes of it.
    fn tell(&mut self, id: &InstanceId, input: &Input);

    /// An instance was woken.
    fn woken(&mut self, _id: &InstanceId) {}

    /// A letter was delivered.
    fn delivered(&mut self, _to: &InstanceId, _letter: Letter) {}

    /// Tells an instance an event that may be told again.
    fn happen(&mut self, id: &InstanceId, event: Event) {
        self.family().told.push((id.clone(), event.clone()));
        self.tell(id, &Input::Event(event));
    }

    /// Tells an event once more.
    fn repeat(&mut self) {
        let Family { dice, told, .. } = self.family();
        if let Some((id, event)) = dice.pick(told).cloned() {
            self.tell(&id, &Input::Event(event));
        }
    }

    /// Delivers the oldest letter of some two; whether there was one.
    fn deliver(&mut self) -> bool {
        let Family { dice, mail, .. } = self.family();
        let pairs: Vec<_> = mail.keys().cloned().collect();
        let Some(pair) = dice.pick(&pairs) else { return false };
        let waiting = mail.get_mut(pair).expect("it was listed");
        let letter = waiting.pop_front().expect("empty ones are dropped");
        if waiting.is_empty() {
            mail.remove(pair);
        }
        self.tell(&pair.1, &Input::Letter(letter.clone()));
        self.delivered(&pair.1, letter);
        true
    }

    /// Delivers letters until none is left.
    fn deliver_all(&mut self) {
        while self.deliver() {}
    }

    /// A person does something about a step.
    fn acted(&mut self, id: &InstanceId, step: Option<Coordinate>, verb: Verb) {
        let family = self.family();
        family.events += 1;
        let (by, why) = ("ann".to_owned(), "because".to_owned());
        let act = Act { id: format!("a{}", family.events), by, why, step, verb, signed: None };
        self.tell(id, &Input::Act(act));
    }

    /// A person answers a question, perhaps once more.
    fn decide(&mut self) {
        let Family { dice, asked, .. } = self.family();
        let Some(question) = dice.pick(asked).cloned() else { return };
        let choice = dice.pick(&question.choices).expect("some").clone();
        let verb = Verb::Answer { choice, note: String::new(), data: Map::new() };
        self.acted(&question.instance, Some(question.step), verb);
    }

    /// Lets time pass, and wakes who is due, the first one first.
    fn pass(&mut self, span: Span) {
        let end = self.family().now.after(span);
        loop {
            let due =
                |(id, instance): (&InstanceId, &Instance)| Some((next_due(instance)?, id.clone()));
            let family = self.family();
            let next = family.instances.iter().filter_map(due).min();
            let Some((at, id)) = next.filter(|(at, _)| *at <= end) else { break };
            family.now = at.max(family.now);
            self.tell(&id, &Input::Wake(Wake::DUE));
            self.woken(&id);
            if self.family().dice.roll(3) > 0 {
                self.deliver();
            }
        }
        self.family().now = end;
    }
}

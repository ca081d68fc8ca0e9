use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::dice::Dice;
use super::fault::Fault;
use super::world::{Place, Seen, World};
use crate::definition::{Catalog, Compensation, Request, Step, StepKind};
use crate::engine::Message;
use crate::message::{Address, Headers, Offset, header};

/// How the simulated participants behave, in a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temper {
    /// They say no.
    pub declined: u32,
    /// They answer twice.
    pub twice: u32,
    /// They answer after the time is up.
    pub late: u32,
    /// They do not answer; whether they act is open.
    pub silent: u32,
    /// They do not say which command they answer; then an event's type and key must do.
    pub anonymous: u32,
}

impl Temper {
    /// A usual day.
    pub const USUAL: Self = Self { declined: 200, twice: 50, late: 20, silent: 10, anonymous: 0 };
    /// Nothing is ever sent again, so every command must be answered.
    pub const PROMPT: Self = Self { declined: 200, twice: 50, late: 0, silent: 0, anonymous: 0 };
    /// They do what they are told.
    pub const OBEDIENT: Self = Self { declined: 0, twice: 0, late: 0, silent: 0, anonymous: 0 };
}

/// An event for a topic of the users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Topic and type.
    pub to: Address,
    /// The record's key.
    pub key: String,
    /// The event's id.
    pub id: String,
    /// The command that it answers.
    pub answers: Option<String>,
    /// The body, JSON.
    pub body: String,
}

impl Letter {
    /// Sends it.
    pub fn post(&self, world: &World) {
        let mut headers = Headers::default();
        headers.push(header::SPEC_VERSION, "1.0");
        headers.push(header::ID, self.id.clone());
        headers.push(header::TYPE, self.to.event_type.to_string());
        headers.push(header::SOURCE, "world");
        headers.push(header::CONTENT_TYPE, "application/json");
        if let Some(command) = &self.answers {
            headers.push(header::COMMAND, command.clone());
        }
        world.produce(&self.to.topic, &self.key, headers, self.body.clone().into());
    }
}

/// Something that a participant did, once for each idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deed {
    /// The idempotency key.
    pub key: String,
    /// `saga/key` of the instance.
    pub instance: String,
    /// The idempotency key of what it undid.
    pub undoes: Option<String>,
}

/// The services behind the commands: each keeps its side of the contract, whatever the network
/// does: one verdict and one deed for each idempotency key.
#[derive(Debug)]
pub(super) struct Services {
    dice: Dice,
    temper: Temper,
    replies: BTreeMap<Address, Replies>,
    read: BTreeMap<Place, Offset>,
    verdicts: BTreeMap<String, bool>,
    due: BTreeMap<(Duration, u64), Letter>,
    answers: u64,
    /// The commands that were read.
    seen: BTreeSet<String>,
    pub deeds: Vec<Deed>,
}

#[derive(Debug, Clone)]
struct Replies {
    done: Address,
    failed: Option<Address>,
    within: Duration,
}

impl Services {
    pub fn new(seed: u64, catalog: &Arc<Catalog>, temper: Temper) -> Self {
        let mut replies = BTreeMap::new();
        for step in catalog.definitions().flat_map(|d| &d.steps) {
            for (request, failed) in requests(step) {
                let Some(done) = request.done.first() else { continue };
                let within = Duration::from_millis(request.within.0);
                let answers = Replies { done: done.on.clone(), failed, within };
                replies.insert(request.command.clone(), answers);
            }
        }
        Self {
            dice: Dice::new(seed),
            temper,
            replies,
            read: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            due: BTreeMap::new(),
            answers: 0,
            seen: BTreeSet::new(),
            deeds: Vec::new(),
        }
    }

    /// Reads what was asked, and answers what is due.
    pub fn turn(&mut self, world: &World) {
        for place in world.places() {
            if !self.replies.keys().any(|command| command.topic == place.0) {
                continue;
            }
            let from = self.read.get(&place).copied().unwrap_or_default();
            for command in world.read(&place, from) {
                self.read.insert(place.clone(), command.offset.next());
                self.obey(&command, world);
            }
        }
        let now = world.elapsed();
        while let Some(entry) = self.due.first_entry().filter(|e| e.key().0 <= now) {
            entry.remove().post(world);
        }
    }

    /// When the next answer is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Whether nothing more can come of a message: it asks for no answer, or was read.
    pub fn has_read(&self, message: &Message) -> bool {
        !self.replies.contains_key(&message.to) || self.seen.contains(&message.id.to_string())
    }

    fn obey(&mut self, command: &Seen, world: &World) {
        let text = |name| command.headers.text(name).map(str::to_owned);
        let event_type = text(header::TYPE).unwrap_or_default();
        let address = format!("{}/{event_type}", command.place.0).parse();
        let replies = address.ok().and_then(|a: Address| self.replies.get(&a)).cloned();
        let (Some(replies), Some(id)) = (replies, text(header::COMMAND)) else { return };
        self.seen.insert(id.clone());
        let silent = self.dice.chance(self.temper.silent);
        if silent {
            world.count(Fault::Silent);
            if self.dice.chance(500) {
                return;
            }
        }
        let key = text(header::IDEMPOTENCY_KEY).unwrap_or_default();
        let done = self.decide(&key, replies.failed.is_some());
        if done && !self.deeds.iter().any(|deed| deed.key == key) {
            let instance = text(header::CORRELATION).unwrap_or_default();
            self.deeds.push(Deed { key, instance, undoes: text(header::UNDOES) });
        }
        let to = if done { Some(replies.done) } else { replies.failed };
        let Some(to) = to.filter(|_| !silent) else { return };
        let body = answer(command, &id);
        let record_key = String::from_utf8_lossy(command.key.as_deref().unwrap_or_default());
        let answers = (!self.dice.chance(self.temper.anonymous)).then(|| id.clone());
        let letter =
            Letter { to, key: record_key.into_owned(), id: format!("re:{id}"), answers, body };
        self.send(letter, replies.within, world);
    }

    fn decide(&mut self, key: &str, may_decline: bool) -> bool {
        let declined = may_decline && self.dice.chance(self.temper.declined);
        *self.verdicts.entry(key.to_owned()).or_insert(!declined)
    }

    fn send(&mut self, letter: Letter, within: Duration, world: &World) {
        let soon = Duration::from_millis(self.dice.below(400));
        let delay = if self.dice.chance(self.temper.late) {
            world.count(Fault::AnsweredLate);
            within + Duration::from_secs(1) + soon * 50
        } else {
            soon
        };
        let now = world.elapsed();
        if self.dice.chance(self.temper.twice) {
            world.count(Fault::AnsweredTwice);
            let again = now + Duration::from_millis(self.dice.below(20_000));
            self.schedule(again, letter.clone(), world);
        }
        self.schedule(now + delay, letter, world);
    }

    fn schedule(&mut self, at: Duration, letter: Letter, world: &World) {
        if self.due.keys().next_back().is_some_and(|(last, _)| *last > at) {
            world.count(Fault::Reordered);
        }
        self.answers += 1;
        self.due.insert((at, self.answers), letter);
    }
}

/// The requests of a step, each with the event that says no.
fn requests(step: &Step) -> Vec<(&Request, Option<Address>)> {
    match &step.kind {
        StepKind::Command(command) => {
            let failed = command.failed.first().map(|f| f.on.clone());
            std::iter::once((&command.request, failed))
                .chain(undoing(&command.compensate))
                .collect()
        }
        StepKind::Emit(emit) => undoing(&emit.compensate).into_iter().collect(),
        StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => Vec::new(),
    }
}

fn undoing(compensation: &Compensation) -> Option<(&Request, Option<Address>)> {
    match compensation {
        Compensation::Command { request, .. } => Some((request, None)),
        Compensation::Unsaid
        | Compensation::Nothing
        | Compensation::Emit(_)
        | Compensation::Call { .. }
        | Compensation::Child => None,
    }
}

/// What was asked, and something of the participant's own.
fn answer(command: &Seen, id: &str) -> String {
    let body = command.value.as_deref().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Value::Object(fields) = &mut body {
        fields.insert("receipt".to_owned(), Value::String(format!("receipt of {id}")));
        fields.insert("why".to_owned(), Value::String("not today".to_owned()));
    }
    body.to_string()
}

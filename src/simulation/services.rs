use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::dice::Dice;
use super::fault::Fault;
use super::people::People;
use super::world::{Place, Seen, World};
use crate::definition::{Catalog, Compensation, Request, Step, StepKind};
use crate::engine::Message;
use crate::message::{Address, Headers, InstanceId, Offset, header, read_json};

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
    due: BTreeMap<(Duration, u64), Letter>,
    answers: u64,
    /// The commands that were read.
    seen: BTreeSet<String>,
    people: People,
}

#[derive(Debug, Clone)]
struct Replies {
    done: Address,
    failed: Option<Address>,
    /// What a probe is answered with when nothing has happened.
    absent: Option<Address>,
    within: Duration,
}

impl Services {
    pub fn new(seed: u64, app: &str, catalog: &Arc<Catalog>, temper: Temper) -> Self {
        let mut replies = BTreeMap::new();
        for step in catalog.definitions().flat_map(|d| &d.steps) {
            for (request, failed, absent) in requests(step) {
                let Some(done) = request.done.first() else { continue };
                let within = Duration::from_millis(request.within.0);
                let answers = Replies { done: done.on.clone(), failed, absent, within };
                replies.insert(request.command.clone(), answers);
            }
        }
        Self {
            dice: Dice::new(seed),
            temper,
            replies,
            read: BTreeMap::new(),
            due: BTreeMap::new(),
            answers: 0,
            seen: BTreeSet::new(),
            people: People::new(app),
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
        self.decide(world);
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
        let instance = text(header::CORRELATION).unwrap_or_default();
        let undoes = text(header::UNDOES);
        let to = self.verdict(Deed { key, instance, undoes }, &replies, world);
        let Some(to) = to.filter(|_| !silent) else { return };
        let body = answer(command, &id);
        let record_key = String::from_utf8_lossy(command.key.as_deref().unwrap_or_default());
        let answers = (!self.dice.chance(self.temper.anonymous)).then(|| id.clone());
        let letter =
            Letter { to, key: record_key.into_owned(), id: format!("re:{id}"), answers, body };
        self.send(letter, replies.within, world);
    }

    /// What a participant answers, after it has done what it was asked for.
    fn verdict(&self, asked: Deed, replies: &Replies, world: &World) -> Option<Address> {
        if let (Some(action), Some(absent)) = (asked.key.strip_suffix("~probe"), &replies.absent) {
            return Some(look(action, replies.done.clone(), absent.clone(), world));
        }
        let declined = replies.failed.as_ref().map_or(0, |_| self.temper.declined);
        let mut state = world.state();
        if !state.decide(&asked.key, declined) {
            return replies.failed.clone();
        }
        state.act(asked);
        Some(replies.done.clone())
    }

    /// People answer the questions that they were told, some of them twice, some not at all.
    fn decide(&mut self, world: &World) {
        for question in self.people.asked(world) {
            if self.dice.chance(self.temper.silent * 10) {
                world.count(Fault::Unasked);
                continue;
            }
            let after = world.elapsed() + Duration::from_millis(self.dice.below(300_000));
            let choice = self.dice.place(question.choices.len());
            let letter = self.people.answer(&question, choice);
            self.schedule(after, letter, world);
            if self.dice.chance(self.temper.twice * 4) {
                world.count(Fault::DecidedTwice);
                let other = self.dice.place(question.choices.len());
                let again = after + Duration::from_millis(self.dice.below(20_000));
                let letter = self.people.answer(&question, other);
                self.schedule(again, letter, world);
            }
        }
    }

    /// Somebody sees to what is stuck.
    pub fn see_to(&mut self, id: &InstanceId, step: &str, undoing: bool, world: &World) {
        let letter = self.people.act(id, step, undoing);
        self.schedule(world.elapsed(), letter, world);
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

/// Whether something has happened; if not, it never will.
fn look(action: &str, done: Address, absent: Address, world: &World) -> Address {
    let mut state = world.state();
    if state.deeds.iter().any(|deed| deed.key == action) {
        return done;
    }
    state.verdicts.insert(action.to_owned(), false);
    absent
}

/// The requests of a step, each with the events that say no and that it has not happened.
fn requests(step: &Step) -> Vec<(&Request, Option<Address>, Option<Address>)> {
    match &step.kind {
        StepKind::Command(command) => {
            let failed = command.failed.first().map(|f| f.on.clone());
            let probe = command.probe.iter().map(|probe| {
                let absent = probe.absent.first().map(|absent| absent.on.clone());
                (&probe.request, None, absent)
            });
            std::iter::once((&command.request, failed, None))
                .chain(probe)
                .chain(undoing(&command.compensate))
                .collect()
        }
        StepKind::Emit(_) | StepKind::Call(_) | StepKind::Saga(_) => {
            undoing(step.compensation()).into_iter().collect()
        }
        StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => Vec::new(),
    }
}

fn undoing(compensation: &Compensation) -> Option<(&Request, Option<Address>, Option<Address>)> {
    match compensation {
        Compensation::Command { request, .. } => Some((request, None, None)),
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
    let mut body: Value = read_json(body).unwrap_or_default();
    if let Value::Object(fields) = &mut body {
        fields.insert("receipt".to_owned(), Value::String(format!("receipt of {id}")));
        fields.insert("why".to_owned(), Value::String("not today".to_owned()));
    }
    body.to_string()
}

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::answer_odds::AnswerOdds;
use super::deed::Deed;
use super::dice::Dice;
use super::fault::Fault;
use super::people::People;
use super::setup::Place;
use super::world::{Seen, World};
use crate::definition::{Catalog, Compensation, Request, Step, StepKind};
use crate::engine::Message;
use crate::message::{Address, InstanceId, Offset, Outgoing, Topic, header};
use crate::participants::{Command, Participants, ScheduledAnswer, Script};

/// The services behind the commands, and the people who are asked. The scripts say what they
/// answer and when, one verdict and one deed for each idempotency key; what the network makes of
/// it is decided here.
#[derive(Debug)]
pub(super) struct Services {
    dice: Dice,
    answer_odds: AnswerOdds,
    participants: Participants,
    topics: Vec<Topic>,
    /// How long the engine waits for the answer to a command.
    within: BTreeMap<Address, Duration>,
    read: BTreeMap<Place, Offset>,
    due: BTreeMap<(Duration, u64), Outgoing>,
    messages: u64,
    /// The commands that were read.
    seen: BTreeSet<String>,
    people: People,
}

impl Services {
    /// Services that answer by scripts over which these odds have been.
    pub fn new(
        seed: u64,
        app: &str,
        catalog: &Catalog,
        scripts: &[Script],
        answer_odds: AnswerOdds,
    ) -> Self {
        let steps = catalog.definitions().flat_map(|definition| &definition.steps);
        let within =
            |request: &Request| (request.command.clone(), Duration::from_millis(request.within.0));
        let participants = Participants::new(scripts, seed);
        Self {
            dice: Dice::new(seed),
            answer_odds,
            topics: participants.topics(),
            participants,
            within: steps.flat_map(requests).map(within).collect(),
            read: BTreeMap::new(),
            due: BTreeMap::new(),
            messages: 0,
            seen: BTreeSet::new(),
            people: People::new(app),
        }
    }

    /// Reads what was asked, and answers what is due.
    pub fn turn(&mut self, world: &World) {
        for place in world.places() {
            if !self.topics.contains(&place.0) {
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
            world.produce(&entry.remove());
        }
    }

    /// When the next answer is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Whether nothing more can come of a message: it asks for no answer, or was read.
    pub fn has_read(&self, message: &Message) -> bool {
        !self.participants.obey(&message.to) || self.seen.contains(&message.id.to_string())
    }

    fn obey(&mut self, command: &Seen, world: &World) {
        let text = |name| command.headers.text(name).map(str::to_owned);
        let (Some(id), Some(key)) = (text(header::COMMAND), text(header::IDEMPOTENCY_KEY)) else {
            return;
        };
        self.seen.insert(id);
        let silent = self.dice.chance(self.answer_odds.silent);
        if silent {
            world.count(Fault::Silent);
            if self.dice.chance(500) {
                return;
            }
        }
        let asked = Command {
            topic: &command.place.0,
            key: command.key.as_deref().unwrap_or_default(),
            headers: &command.headers,
            body: command.value.as_deref().unwrap_or_default(),
        };
        let answers = match self.participants.decide(&asked, world.now()) {
            Ok(answers) => answers,
            Err(reason) => return world.complain(reason.to_string()),
        };
        // A look at what was done is no deed.
        if self.participants.holds(&key) && !key.ends_with("~probe") {
            world.state().act(Deed { key, undoes: text(header::UNDOES) });
        }
        let within = text(header::TYPE)
            .and_then(|word| format!("{}/{word}", command.place.0).parse().ok())
            .and_then(|address: Address| self.within.get(&address).copied());
        for answer in answers {
            // What follows an answer by itself names no command; it goes its own way.
            let is_reply = answer.message.headers.text(header::CORRELATION).is_some();
            match within.filter(|_| is_reply) {
                Some(within) if !silent => self.reply(answer, within, world),
                Some(_) => {}
                None => self.follow(answer, world),
            }
        }
    }

    /// People answer the questions that they were told, some of them twice, some not at all.
    fn decide(&mut self, world: &World) {
        for question in self.people.asked(world) {
            if self.dice.chance(self.answer_odds.silent * 10) {
                world.count(Fault::Unasked);
                continue;
            }
            let now = world.now();
            let (at, said) = match self.participants.people().decide(&question, now) {
                Ok(Some(decided)) => decided,
                Ok(None) => continue,
                Err(reason) => {
                    world.complain(reason);
                    continue;
                }
            };
            let after = world.elapsed() + Duration::from_millis(at.since(now).0);
            self.schedule(after, said.message(self.people.operator()), world);
            if self.dice.chance(self.answer_odds.twice * 4) {
                world.count(Fault::DecidedTwice);
                let mut other = said;
                other.id.push_str("/again");
                let choice = self.dice.place(question.choices.len());
                other.choice.clone_from(&question.choices[choice]);
                let again = after + Duration::from_millis(self.dice.below(20_000));
                self.schedule(again, other.message(self.people.operator()), world);
            }
        }
    }

    /// Somebody sees to what is stuck.
    pub fn see_to(&mut self, id: &InstanceId, step: &str, undoing: bool, world: &World) {
        let act = self.people.act(id, step, undoing, &mut self.dice);
        self.schedule(world.elapsed(), act, world);
    }

    /// Somebody does something about a whole saga.
    pub fn steer(&mut self, id: &InstanceId, verb: &str, data: Option<&Value>, world: &World) {
        let act = self.people.steer(id, verb, data);
        self.schedule(world.elapsed(), act, world);
    }

    /// Somebody accepts a topic that was made anew.
    pub fn accept(&mut self, topic: &Topic, times: u64, world: &World) {
        let act = self.people.accept(topic, times);
        self.schedule(world.elapsed(), act, world);
    }

    fn reply(&mut self, answer: ScheduledAnswer, within: Duration, world: &World) {
        let mut message = answer.message;
        if self.dice.chance(self.answer_odds.anonymous) {
            let names = [header::COMMAND, header::CAUSATION];
            message.headers.0.retain(|(name, _)| !names.contains(&&**name));
        }
        let mut delay = Duration::from_millis(answer.at.since(world.now()).0);
        if self.dice.chance(self.answer_odds.late) {
            world.count(Fault::AnsweredLate);
            delay += within + Duration::from_millis(1_000 + self.dice.below(20_000));
        }
        let now = world.elapsed();
        if self.dice.chance(self.answer_odds.twice) {
            world.count(Fault::AnsweredTwice);
            let again = now + Duration::from_millis(self.dice.below(20_000));
            self.schedule(again, message.clone(), world);
        }
        self.schedule(now + delay, message, world);
    }

    fn follow(&mut self, fact: ScheduledAnswer, world: &World) {
        let after = Duration::from_millis(fact.at.since(world.now()).0);
        self.schedule(world.elapsed() + after, fact.message, world);
    }

    /// Sends something at its time.
    pub fn schedule(&mut self, at: Duration, message: Outgoing, world: &World) {
        if self.due.keys().next_back().is_some_and(|(last, _)| *last > at) {
            world.count(Fault::Reordered);
        }
        self.messages += 1;
        self.due.insert((at, self.messages), message);
    }
}

/// What a step may ask of participants.
fn requests(step: &Step) -> Vec<&Request> {
    let mut requests = Vec::new();
    if let StepKind::Command(command) = &step.kind {
        requests.push(&command.request);
        requests.extend(command.probe.iter().map(|probe| &probe.request));
    }
    if let Compensation::Command { request, .. } = step.compensation() {
        requests.push(request);
    }
    requests
}

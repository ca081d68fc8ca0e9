use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::draw::{Draws, drawn};
use super::memory::Memory;
use super::{Behaviour, Field, Follow, People, Script, ScriptedReply};
use crate::expression::{Name, Scope, Template};
use crate::message::{Address, EventType, Headers, Outgoing, Timestamp, Topic, header, read_json};

/// A command as it was read from its topic.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// The record's key.
    pub key: &'a [u8],
    /// Its headers.
    pub headers: &'a Headers,
    /// Its body.
    pub body: &'a [u8],
}

/// One answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledAnswer {
    /// When it is to be sent.
    pub at: Timestamp,
    /// The answer.
    pub message: Outgoing,
}

/// Why a command has no answer that the script knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The script does not name it; add it to `participants.yaml`.
    #[error("no participant obeys {0}; add it to participants.yaml")]
    Unknown(Address),
    /// It lacks a header that every command has.
    #[error("a message on {topic} has no `{header}` header, so it is no command")]
    NoCommand {
        /// The topic.
        topic: Topic,
        /// The header.
        header: &'static str,
    },
    /// A template of the script has no value for it.
    #[error("{event} cannot be filled: {reason}")]
    Unfilled {
        /// The answer.
        event: Address,
        /// Why, in words.
        reason: String,
    },
}

/// The participants of some sagas: decides what is answered and when, and does nothing else.
#[derive(Debug, Clone)]
pub struct Participants {
    commands: BTreeMap<Address, Behaviour>,
    people: People,
    seed: u64,
    memory: Memory,
}

impl Participants {
    /// Participants that answer by some scripts; where two name a command the first one counts.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script> + Clone, seed: u64) -> Self {
        let people = People::new(scripts.clone(), seed);
        let mut commands = BTreeMap::new();
        for script in scripts {
            for (address, behaviour) in &script.commands {
                commands.entry(address.clone()).or_insert_with(|| behaviour.clone());
            }
        }
        Self { commands, people, seed, memory: Memory::default() }
    }

    /// Who answers questions.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Whether they know a command.
    #[must_use]
    pub fn obey(&self, command: &Address) -> bool {
        self.commands.contains_key(command)
    }

    /// Whether what has this idempotency key was done and still holds.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.memory.holds(key)
    }

    /// The topics that commands come from.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let mut topics: Vec<Topic> = self.commands.keys().map(|a| a.topic.clone()).collect();
        topics.dedup();
        topics
    }

    /// The topics that answers go to, and what follows them.
    #[must_use]
    pub fn answer_topics(&self) -> Vec<Topic> {
        let answers = self.commands.values().flat_map(|b| &b.answers);
        let facts = answers.flat_map(|a| {
            a.then.iter().filter_map(|follow| follow.event.as_ref()).chain([&a.event])
        });
        let mut topics: Vec<Topic> = facts.map(|event| event.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// What a command is answered: nothing, or an answer with its duplicate and what follows it.
    ///
    /// # Errors
    /// When the script does not know the command, or cannot fill its answer.
    pub fn decide(
        &mut self,
        command: &Command<'_>,
        now: Timestamp,
    ) -> Result<Vec<ScheduledAnswer>, Unanswered> {
        let lacks = |header| Unanswered::NoCommand { topic: command.topic.clone(), header };
        let word = command.headers.text(header::TYPE).ok_or(lacks(header::TYPE))?;
        let address = Address { topic: command.topic.clone(), event_type: EventType::new(word) };
        let id = command.headers.text(header::ID).ok_or(lacks(header::ID))?;
        let key = command.headers.text(header::IDEMPOTENCY_KEY).unwrap_or(id);
        let behaviour = self.commands.get(&address).ok_or(Unanswered::Unknown(address))?;
        let mut attempt = Draws::new(self.seed, "attempt", id);
        let silent = attempt.happens(behaviour.silent);
        if Draws::new(self.seed, "lost", id).happens(behaviour.lost) {
            return Ok(Vec::new());
        }
        if let Some(undoes) = command.headers.text(header::UNDOES) {
            self.memory.undone(undoes);
        }
        let mut action = Draws::new(self.seed, "action", key);
        let reply = reply(&self.memory, behaviour, key, &mut action);
        self.memory.obeyed(key, reply.is_some_and(|r| !r.refusal));
        let is_late = behaviour.late.filter(|late| action.happens(late.share));
        let Some(reply) = reply else {
            return Ok(Vec::new());
        };
        let at = now.after(attempt.delay(is_late.map_or(behaviour.delay, |late| late.by)));
        let asked = Asked::new(self.seed, command, key, &behaviour.fields, reply)?;
        let mut answers = Vec::new();
        if !silent {
            let event_id = format!("{:016x}", attempt.next());
            let (key, body) = (reply.key.as_ref(), reply.body.as_ref());
            let mut message = asked.told(&reply.event, key, body, at)?;
            message.headers = answer_headers(behaviour, reply, command, [id, &event_id], at);
            answers.push(ScheduledAnswer { at, message: message.clone() });
            if attempt.happens(behaviour.duplicate) {
                let at = at.after(attempt.delay(behaviour.delay));
                answers.push(ScheduledAnswer { at, message });
            }
        }
        // What follows does not know whether its action's answer was lost on the way.
        answers.extend(asked.follow(self.seed, key, &reply.then, at)?);
        Ok(answers)
    }
}

/// Which answer an action has; none if it is refused without a word.
fn reply<'a>(
    memory: &Memory,
    behaviour: &'a Behaviour,
    key: &str,
    action: &mut Draws,
) -> Option<&'a ScriptedReply> {
    let answers = &behaviour.answers;
    if answers.iter().any(|a| a.found.is_some()) {
        let found = memory.holds(&probed(key));
        let fits = |a: &ScriptedReply| if a.found == Some(found) { a.weight } else { 0 };
        let place = action.weighted(answers.iter().map(fits));
        return answers.get(place).filter(|a| a.found == Some(found));
    }
    let place = action.weighted(answers.iter().map(|a| a.weight));
    if memory.refuses(key) {
        return answers.iter().find(|a| a.refusal);
    }
    answers.get(place)
}

/// The action that a probe asks about.
fn probed(key: &str) -> String {
    key.split("~probe").next().unwrap_or(key).to_owned()
}

/// What an answer can speak of.
struct Asked {
    event: Value,
    key: Value,
    answer: Value,
}

impl Asked {
    fn new(
        seed: u64,
        command: &Command<'_>,
        key: &str,
        fields: &[(String, Field)],
        reply: &ScriptedReply,
    ) -> Result<Self, Unanswered> {
        let event = read_json(command.body).map_err(|e| Unanswered::Unfilled {
            event: reply.event.clone(),
            reason: format!("the command's body is not JSON: {e}"),
        })?;
        let record_key = String::from_utf8_lossy(command.key).into_owned();
        Ok(Self {
            event,
            key: Value::String(record_key),
            answer: answer(seed, &probed(key), fields),
        })
    }

    /// A fact of a participant, with the headers that every one has.
    fn told(
        &self,
        event: &Address,
        key: Option<&Template>,
        body: Option<&Template>,
        at: Timestamp,
    ) -> Result<Outgoing, Unanswered> {
        let unfilled = |e: crate::expression::Error| Unanswered::Unfilled {
            event: event.clone(),
            reason: e.to_string(),
        };
        let scope = Scope::at(at)
            .with(Name::Event, &self.event)
            .with(Name::Key, &self.key)
            .with(Name::Answer, &self.answer);
        let body = rendered(body, &scope).map_err(unfilled)?;
        let key = match key {
            Some(template) => template.text(&scope).map_err(unfilled)?,
            None => self.key.as_str().unwrap_or_default().to_owned(),
        };
        Ok(Outgoing { topic: event.topic.clone(), key, headers: Headers::default(), body })
    }

    /// What follows an answer by itself: the same for all attempts, so it is told once.
    fn follow(
        &self,
        seed: u64,
        key: &str,
        then: &[Follow],
        at: Timestamp,
    ) -> Result<Option<ScheduledAnswer>, Unanswered> {
        let Some((follow, event, at)) = followed(seed, key, then, at) else {
            return Ok(None);
        };
        let told = self.told(event, follow.key.as_ref(), follow.body.as_ref(), at);
        let mut message = told?;
        message.headers = cloud_event(&follow_id(seed, key), event, at);
        Ok(Some(ScheduledAnswer { at, message }))
    }
}

/// What follows and when, if anything does.
pub(super) fn followed<'a>(
    seed: u64,
    key: &str,
    then: &'a [Follow],
    at: Timestamp,
) -> Option<(&'a Follow, &'a Address, Timestamp)> {
    let mut draws = Draws::new(seed, "follow", key);
    let follow = then.get(draws.weighted(then.iter().map(|f| f.weight)))?;
    let event = follow.event.as_ref()?;
    Some((follow, event, at.after(draws.delay(follow.after))))
}

/// The id of what follows, the same however often it is told.
pub(super) fn follow_id(seed: u64, key: &str) -> String {
    format!("{:016x}", Draws::new(seed, "follow-id", key).next())
}

/// `answer` in a body: an id and the fields, the same for all attempts of an action.
pub(super) fn answer(seed: u64, key: &str, fields: &[(String, Field)]) -> Value {
    let mut answer = Map::new();
    let id = format!("{:012x}", Draws::new(seed, "answer", key).next() >> 16);
    answer.insert("id".to_owned(), Value::String(id));
    for (name, field) in fields {
        answer.insert(name.clone(), drawn(seed, key, name, field));
    }
    Value::Object(answer)
}

fn answer_headers(
    behaviour: &Behaviour,
    reply: &ScriptedReply,
    command: &Command<'_>,
    [command_id, event_id]: [&str; 2],
    at: Timestamp,
) -> Headers {
    let mut headers = cloud_event(event_id, &reply.event, at);
    if behaviour.echo {
        headers.push(header::COMMAND, command_id.to_owned());
        headers.push(header::CAUSATION, command_id.to_owned());
    }
    for name in [header::CORRELATION, header::TRACE_PARENT] {
        if let Some((_, value)) = command.headers.0.iter().find(|(n, _)| n == name) {
            headers.push(name, value.clone());
        }
    }
    headers
}

/// A body's bytes; `{}` if there is no template.
pub(super) fn rendered(
    template: Option<&Template>,
    scope: &Scope<'_>,
) -> Result<Bytes, crate::expression::Error> {
    let Some(template) = template else {
        return Ok(Bytes::from_static(b"{}"));
    };
    let body = template.render(scope)?;
    Ok(serde_json::to_vec(&body).expect("JSON values always serialise").into())
}

/// The headers that every message has.
pub(super) fn cloud_event(id: &str, event: &Address, at: Timestamp) -> Headers {
    let mut headers = Headers::default();
    headers.push(header::SPEC_VERSION, "1.0");
    headers.push(header::ID, id.to_owned());
    headers.push(header::TYPE, event.event_type.to_string());
    headers.push(header::SOURCE, "segue/participants");
    headers.push(header::TIME, at.to_string());
    headers.push(header::CONTENT_TYPE, "application/json");
    headers
}

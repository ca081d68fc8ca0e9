use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::draw::{Draws, digest};
use super::{Behaviour, Reply, Script};
use crate::expression::{Name, Scope, Template};
use crate::message::{Address, EventType, Headers, Outgoing, Timestamp, Topic, header, read_json};

/// The most idempotency keys that participants remember; the oldest are forgotten first.
pub const REMEMBERED_MAX: usize = 200_000;

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
pub struct Answer {
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

/// What a participant knows of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It was obeyed.
    Performed,
    /// Its undo came before it.
    Undone,
    /// It came after its undo and was refused.
    Refused,
}

/// The participants of some sagas: decides what is answered and when, and does nothing else.
#[derive(Debug, Clone)]
pub struct Participants {
    commands: BTreeMap<Address, Behaviour>,
    seed: u64,
    known: BTreeMap<u128, Known>,
    order: VecDeque<u128>,
}

impl Participants {
    /// Participants that answer by some scripts; where two name a command the first one counts.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script>, seed: u64) -> Self {
        let mut commands = BTreeMap::new();
        for script in scripts {
            for (address, behaviour) in &script.commands {
                commands.entry(address.clone()).or_insert_with(|| behaviour.clone());
            }
        }
        Self { commands, seed, known: BTreeMap::new(), order: VecDeque::new() }
    }

    /// The topics that commands come from.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let mut topics: Vec<Topic> = self.commands.keys().map(|a| a.topic.clone()).collect();
        topics.dedup();
        topics
    }

    /// The topics that answers go to.
    #[must_use]
    pub fn answer_topics(&self) -> Vec<Topic> {
        let answers = self.commands.values().flat_map(|b| &b.answers);
        let mut topics: Vec<Topic> = answers.map(|a| a.event.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// What a command is answered: nothing, one answer, or one and its duplicate.
    ///
    /// # Errors
    /// When the script does not know the command, or cannot fill its answer.
    pub fn decide(
        &mut self,
        command: &Command<'_>,
        now: Timestamp,
    ) -> Result<Vec<Answer>, Unanswered> {
        let lacks = |header| Unanswered::NoCommand { topic: command.topic.clone(), header };
        let word = command.headers.text(header::TYPE).ok_or(lacks(header::TYPE))?;
        let address = Address { topic: command.topic.clone(), event_type: EventType::new(word) };
        let id = command.headers.text(header::ID).ok_or(lacks(header::ID))?;
        let key = command.headers.text(header::IDEMPOTENCY_KEY).unwrap_or(id);
        let refused = self.is_refused(command, key);
        let behaviour = self.commands.get(&address).ok_or(Unanswered::Unknown(address))?;
        let mut action = Draws::new(self.seed, "action", key);
        let drawn = action.weighted(behaviour.answers.iter().map(|a| a.weight));
        let is_late = behaviour.late.filter(|late| action.happens(late.share));
        let answer_id = format!("{:012x}", action.next() >> 16);
        let mut attempt = Draws::new(self.seed, "attempt", id);
        let reply = if refused {
            behaviour.answers.iter().find(|a| a.refusal)
        } else {
            behaviour.answers.get(drawn)
        };
        let silent = attempt.happens(behaviour.silent);
        let Some(reply) = reply.filter(|_| !silent) else {
            return Ok(Vec::new());
        };
        let at = now.after(attempt.delay(is_late.map_or(behaviour.delay, |late| late.by)));
        let event_id = format!("{:016x}", attempt.next());
        let message = fill(behaviour, reply, command, [id, &answer_id, &event_id], at)?;
        let mut answers = vec![Answer { at, message }];
        if attempt.happens(behaviour.duplicate) {
            let again = at.after(attempt.delay(behaviour.delay));
            answers.push(Answer { at: again, message: answers[0].message.clone() });
        }
        Ok(answers)
    }

    /// Takes note of a command; answers whether its undo came before it.
    fn is_refused(&mut self, command: &Command<'_>, key: &str) -> bool {
        if let Some(undoes) = command.headers.text(header::UNDOES) {
            let undoes = digest(undoes);
            if !self.known.contains_key(&undoes) {
                self.remember(undoes, Known::Undone);
            }
        }
        let key = digest(key);
        match self.known.get(&key) {
            None => {
                self.remember(key, Known::Performed);
                false
            }
            Some(Known::Performed) => false,
            Some(Known::Undone | Known::Refused) => {
                self.known.insert(key, Known::Refused);
                true
            }
        }
    }

    fn remember(&mut self, key: u128, what: Known) {
        if self.order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(key, what);
        self.order.push_back(key);
    }
}

fn fill(
    behaviour: &Behaviour,
    reply: &Reply,
    command: &Command<'_>,
    [command_id, answer_id, event_id]: [&str; 3],
    at: Timestamp,
) -> Result<Outgoing, Unanswered> {
    let unfilled = |reason: String| Unanswered::Unfilled { event: reply.event.clone(), reason };
    let asked: Value = read_json(command.body)
        .map_err(|e| unfilled(format!("the command's body is not JSON: {e}")))?;
    let record_key = String::from_utf8_lossy(command.key).into_owned();
    let key = Value::String(record_key.clone());
    let mut answer = Map::new();
    answer.insert("id".to_owned(), Value::String(answer_id.to_owned()));
    let answer = Value::Object(answer);
    let scope =
        Scope::at(at).with(Name::Event, &asked).with(Name::Key, &key).with(Name::Answer, &answer);
    let body = rendered(reply.body.as_ref(), &scope).map_err(|e| unfilled(e.to_string()))?;
    let key = match &reply.key {
        Some(template) => template.text(&scope).map_err(|e| unfilled(e.to_string()))?,
        None => record_key,
    };
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
    Ok(Outgoing { topic: reply.event.topic.clone(), key, headers, body })
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

use serde_json::Value;

use super::{Instance, Letter, Note};
use crate::definition::Method;
use crate::message::{Address, CommandId, Coordinate, InstanceId, LifeId, Span, Timestamp};

/// What an input made of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The instance from now on; none means that it is forgotten.
    pub after: Option<Instance>,
    /// What must happen, in this order.
    pub effects: Vec<Effect>,
    /// What happened, in a person's words.
    pub notes: Vec<Note>,
}

/// What the engine asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a command to a participant.
    Command(Message),
    /// Tell a fact.
    Fact(Message),
    /// Tell the people who run this that something could not be done; goes to the dead letters.
    Complaint(String),
    /// Say something to another instance or a lock, through its shard's inbox.
    Letter {
        /// Who it is for.
        to: InstanceId,
        /// What.
        letter: Letter,
    },
    /// Make a request over HTTP, once this is committed.
    Call(Call),
    /// Tell people that one of them is asked.
    Question(Question),
}

/// A message that an effect sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Which attempt of what; a fact has the id of the step that tells it.
    pub id: CommandId,
    /// The idempotency key of the action that this undoes.
    pub undoes: Option<String>,
    /// Where to and of what type.
    pub to: Address,
    /// The record's key.
    pub key: String,
    /// The author's headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which attempt of what.
    pub id: CommandId,
    /// The same over all attempts.
    pub idempotency_key: String,
    /// The idempotency key of the action that this undoes.
    pub undoes: Option<String>,
    /// The method.
    pub method: Method,
    /// Where to, filled and percent-encoded.
    pub url: String,
    /// The author's headers.
    pub headers: Vec<(String, String)>,
    /// The body, sent as JSON.
    pub body: Option<Value>,
    /// How long it may take.
    pub within: Span,
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its own id, derived from where it stands.
    pub id: String,
    /// The instance that asks; the answer goes to it.
    pub instance: InstanceId,
    /// Its life.
    pub life: LifeId,
    /// The step that asks.
    pub step: Coordinate,
    /// Who is asked: a role or queue.
    pub who: String,
    /// What they are asked.
    pub question: String,
    /// What they can answer.
    pub choices: Vec<String>,
    /// How long they have.
    pub until: Option<Timestamp>,
}

/// Why an input changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was here before.
    #[error("{0}")]
    Duplicate(String),
    /// The definition says that it means nothing now.
    #[error("{0}")]
    Ignored(String),
    /// Nothing waits for it.
    #[error("{0}")]
    Unmatched(String),
    /// It cannot be obeyed; the sender should know.
    #[error("{0}")]
    Refused(String),
}

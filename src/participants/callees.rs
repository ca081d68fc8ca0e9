use serde_json::Value;

use super::decide::answer;
use super::draw::Draws;
use super::memory::Memory;
use super::{CallBehaviour, CallReply, Script};
use crate::engine::Call;
use crate::expression::{Name, Scope};
use crate::message::Timestamp;

const UNAVAILABLE: u16 = 503;

/// What a request over HTTP is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// When.
    pub at: Timestamp,
    /// The status code.
    pub status: u16,
    /// The body; null if there is none.
    pub body: Value,
}

/// The services behind the calls of some sagas.
#[derive(Debug, Clone)]
pub struct Callees {
    calls: Vec<CallBehaviour>,
    seed: u64,
    memory: Memory,
}

impl Callees {
    /// Services that answer by some scripts; the first behaviour that fits a request counts.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script>, seed: u64) -> Self {
        let calls = scripts.into_iter().flat_map(|s| s.calls.iter().cloned()).collect();
        Self { calls, seed, memory: Memory::default() }
    }

    /// Whether what has this idempotency key was done and still holds.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.memory.holds(key)
    }

    /// What a request is answered; nothing means never.
    ///
    /// # Errors
    /// When the scripts do not know the request or cannot fill its answer, in words.
    pub fn decide(&mut self, call: &Call, now: Timestamp) -> Result<Option<Response>, String> {
        let (method, key) = (call.method.text(), call.idempotency_key.as_str());
        let (_, rest) = call.url.split_once("://").unwrap_or(("", &call.url));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = |c: &&CallBehaviour| c.on.fits(method, authority, path);
        let behaviour = self.calls.iter().find(fits).ok_or_else(|| {
            format!(
                "no service answers {method} {}; add it to `calls` in participants.yaml",
                call.url
            )
        })?;
        let mut attempt = Draws::new(self.seed, "attempt", &call.id.to_string());
        let at = now.after(attempt.delay(behaviour.delay));
        if attempt.happens(behaviour.failing) {
            return Ok(Some(Response { at, status: UNAVAILABLE, body: Value::Null }));
        }
        if let Some(undoes) = &call.undoes {
            self.memory.undone(undoes);
        }
        let reply = reply(&self.memory, behaviour, self.seed, key);
        self.memory.obeyed(key, reply.is_some_and(|r| !r.refusal));
        let Some(reply) = reply.filter(|_| !attempt.happens(behaviour.silent)) else {
            return Ok(None);
        };
        let body = filled(behaviour, reply, call, self.seed, now)?;
        Ok(Some(Response { at, status: reply.status, body }))
    }
}

fn reply<'a>(
    memory: &Memory,
    behaviour: &'a CallBehaviour,
    seed: u64,
    key: &str,
) -> Option<&'a CallReply> {
    if memory.refuses(key) {
        return behaviour.answers.iter().find(|a| a.refusal);
    }
    let mut action = Draws::new(seed, "action", key);
    behaviour.answers.get(action.weighted(behaviour.answers.iter().map(|a| a.weight)))
}

fn filled(
    behaviour: &CallBehaviour,
    reply: &CallReply,
    call: &Call,
    seed: u64,
    now: Timestamp,
) -> Result<Value, String> {
    let Some(body) = &reply.body else {
        return Ok(Value::Null);
    };
    let asked = call.body.as_ref().unwrap_or(&Value::Null);
    let answer = answer(seed, &call.idempotency_key, &behaviour.fields);
    let scope = Scope::at(now).with(Name::Event, asked).with(Name::Answer, &answer);
    body.render(&scope).map_err(|e| format!("the answer {} cannot be filled: {e}", reply.status))
}

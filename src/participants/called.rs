use serde_json::Value;

use super::decide::{answer, rendered};
use super::draw::Draws;
use super::memory::Memory;
use super::{CallBehaviour, CallReply, Script};
use crate::expression::{Name, Scope};
use crate::message::{Span, Timestamp};

const UNAVAILABLE: u16 = 503;

/// A request over HTTP as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Host and port, as the caller named them.
    pub authority: &'a str,
    /// The path, with its query.
    pub path: &'a str,
    /// What is the same for all attempts.
    pub idempotency_key: &'a str,
    /// What names this attempt.
    pub attempt: &'a str,
    /// The idempotency key of what it undoes.
    pub undoes: Option<&'a str>,
    /// The body, JSON or nothing.
    pub body: &'a [u8],
}

/// What a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// After how long.
    pub after: Span,
    /// The status code.
    pub status: u16,
    /// The body, JSON or nothing.
    pub body: Vec<u8>,
}

/// The services behind the calls of some sagas.
#[derive(Debug, Clone)]
pub struct Called {
    calls: Vec<CallBehaviour>,
    seed: u64,
    memory: Memory,
}

impl Called {
    /// Services that answer by some scripts; the first behaviour that fits a request counts.
    #[must_use]
    pub fn new<'a>(scripts: impl IntoIterator<Item = &'a Script>, seed: u64) -> Self {
        let calls = scripts.into_iter().flat_map(|s| s.calls.iter().cloned()).collect();
        Self { calls, seed, memory: Memory::default() }
    }

    /// The hosts that they stand for.
    #[must_use]
    pub fn authorities(&self) -> Vec<String> {
        let mut all: Vec<_> = self.calls.iter().map(|c| c.on.authority.clone()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What a request is answered; nothing means never.
    ///
    /// # Errors
    /// When the scripts do not know the request or cannot fill its answer, in words.
    pub fn decide(
        &mut self,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Option<Response>, String> {
        let Request { method, authority, path, idempotency_key: key, .. } = *request;
        let fits = |c: &&CallBehaviour| c.on.fits(method, authority, path);
        let behaviour = self.calls.iter().find(fits).ok_or_else(|| {
            format!(
                "no service answers {method} {authority}{path}; add it to `calls` in \
                 participants.yaml"
            )
        })?;
        let mut attempt = Draws::new(self.seed, "attempt", request.attempt);
        let after = attempt.delay(behaviour.delay);
        if attempt.happens(behaviour.failing) {
            return Ok(Some(Response { after, status: UNAVAILABLE, body: Vec::new() }));
        }
        if let Some(undoes) = request.undoes {
            self.memory.undone(undoes);
        }
        let reply = reply(&self.memory, behaviour, self.seed, key);
        self.memory.obeyed(key, reply.is_some_and(|r| !r.refusal));
        let Some(reply) = reply.filter(|_| !attempt.happens(behaviour.silent)) else {
            return Ok(None);
        };
        let body = filled(behaviour, reply, request, self.seed, now)?;
        Ok(Some(Response { after, status: reply.status, body }))
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
    request: &Request<'_>,
    seed: u64,
    now: Timestamp,
) -> Result<Vec<u8>, String> {
    if reply.body.is_none() {
        return Ok(Vec::new());
    }
    let asked = if request.body.is_empty() { b"null" } else { request.body };
    let asked: Value =
        serde_json::from_slice(asked).map_err(|e| format!("the body is not JSON: {e}"))?;
    let answer = answer(seed, request.idempotency_key, &behaviour.fields);
    let scope = Scope::at(now).with(Name::Event, &asked).with(Name::Answer, &answer);
    let body = rendered(reply.body.as_ref(), &scope);
    body.map(|body| body.to_vec())
        .map_err(|e| format!("the answer {} cannot be filled: {e}", reply.status))
}

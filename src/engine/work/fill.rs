//! Fills messages and texts from the data as it stands.

use serde_json::{Map, Value};

use super::scope::Bound;
use super::turn::Turn;
use crate::definition::{Fact, Request, bytes};
use crate::engine::Message;
use crate::engine::state::place::Line;
use crate::engine::state::weight;
use crate::expression::{Error, Expression, Scope, Template};
use crate::message::{Address, CommandId, Part};

/// The half of a message that its sender decides.
pub(in crate::engine) struct Addressed<'t> {
    pub to: &'t Address,
    pub key: Option<&'t Expression>,
    pub with: Option<&'t Template>,
    pub headers: &'t [(String, Template)],
}

impl<'t> From<&'t Request> for Addressed<'t> {
    fn from(r: &'t Request) -> Self {
        Self { to: &r.command, key: r.key.as_ref(), with: r.with.as_ref(), headers: &r.headers }
    }
}

impl<'t> From<&'t Fact> for Addressed<'t> {
    fn from(f: &'t Fact) -> Self {
        Self { to: &f.to, key: f.key.as_ref(), with: f.with.as_ref(), headers: &f.headers }
    }
}

impl Turn<'_> {
    /// Fills a message of a step in this list.
    pub fn fill(
        &self,
        line: &Line,
        id: CommandId,
        undoes: Option<String>,
        what: &Addressed<'_>,
    ) -> Result<Message, String> {
        let bound = self.bound_for(line, &id);
        let scope = bound.scope();
        let filled =
            |part: &str, e: Error| format!("`{part}` of {} cannot be filled: {e}", what.to);
        let body = match what.with {
            Some(template) => template.render(&scope).map_err(|e| filled("with", e))?,
            None => Value::Object(Map::new()),
        };
        let key = match what.key {
            Some(key) => key.key(&scope).map_err(|e| filled("key", e))?,
            None => self.id.key.as_str().to_owned(),
        };
        let headers = headers(what.headers, &scope).map_err(|e| filled("headers", e))?;
        let beside: usize = headers.iter().map(|(name, text)| name.len() + text.len()).sum();
        self.may_send(&body, key.len() + beside, what.to)?;
        Ok(Message { id, undoes, to: what.to.clone(), key, headers, body })
    }

    /// The meaning of every name in what is sent about a step of this list: an undoing knows what
    /// a late answer of that very step has set.
    pub(super) fn bound_for(&self, line: &Line, id: &CommandId) -> Bound<'_> {
        let bound = self.bound(line);
        let (Part::Undo(_), Some(undone)) = (id.part, id.subject.step()) else {
            return bound;
        };
        let steps = &self.frame(line).steps;
        let state = steps.iter().find(|state| self.step(state.step).name == undone.step);
        bound.knowing(state.and_then(|state| state.late.as_deref()))
    }

    /// Refuses a message that is larger than one may be.
    pub fn may_send(
        &self,
        body: &Value,
        beside: usize,
        to: &impl std::fmt::Display,
    ) -> Result<(), String> {
        if weight::of_value(body) + beside <= self.limits.message_bytes_max {
            return Ok(());
        }
        let limit = bytes(self.limits.message_bytes_max);
        Err(format!("the message to {to} is larger than {limit} (`limits.message-bytes-max`)"))
    }

    /// Fills a key, such as that of a lock: numbers are one key however they are written.
    pub fn key(&self, line: &Line, template: &Template) -> Result<String, String> {
        template.key(&self.bound(line).scope()).map_err(|e| e.to_string())
    }

    /// Fills a text, such as a reason.
    pub fn text(&self, line: &Line, template: &Template) -> Result<String, String> {
        template.text(&self.bound(line).scope()).map_err(|e| e.to_string())
    }
}

/// Fills headers.
pub(super) fn headers(
    templates: &[(String, Template)],
    scope: &Scope<'_>,
) -> Result<Vec<(String, String)>, Error> {
    templates.iter().map(|(name, template)| Ok((name.clone(), template.text(scope)?))).collect()
}

//! Fills messages and texts from the data as it stands.

use serde_json::{Map, Value};

use super::Message;
use super::limits::MESSAGE_BYTES_MAX;
use super::place::Line;
use super::turn::{Turn, size};
use crate::definition::{Fact, Request};
use crate::expression::{Error, Expression, Scope, Template};
use crate::message::{Address, CommandId};

/// The half of a message that its sender decides.
pub(super) struct Addressed<'t> {
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
        let bound = self.bound(line);
        let scope = bound.scope();
        let filled =
            |part: &str, e: Error| format!("`{part}` of {} cannot be filled: {e}", what.to);
        let body = match what.with {
            Some(template) => template.render(&scope).map_err(|e| filled("with", e))?,
            None => Value::Object(Map::new()),
        };
        fits(&body, what.to)?;
        let key = match what.key {
            Some(key) => key.text(&scope).map_err(|e| filled("key", e))?,
            None => self.id.key.as_str().to_owned(),
        };
        let headers = headers(what.headers, &scope).map_err(|e| filled("headers", e))?;
        Ok(Message { id, undoes, to: what.to.clone(), key, headers, body })
    }

    /// Fills a text, such as a reason.
    pub fn text(&self, line: &Line, template: &Template) -> Result<String, String> {
        template.text(&self.bound(line).scope()).map_err(|e| e.to_string())
    }
}

/// Refuses a body that is larger than a message may be.
pub(super) fn fits(body: &Value, to: &impl std::fmt::Display) -> Result<(), String> {
    let limit = MESSAGE_BYTES_MAX / 1024;
    if size(body) <= MESSAGE_BYTES_MAX {
        Ok(())
    } else {
        Err(format!("the body of {to} is larger than {limit} KiB"))
    }
}

/// Fills headers.
pub(super) fn headers(
    templates: &[(String, Template)],
    scope: &Scope<'_>,
) -> Result<Vec<(String, String)>, Error> {
    templates.iter().map(|(name, template)| Ok((name.clone(), template.text(scope)?))).collect()
}

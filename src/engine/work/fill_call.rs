//! Fills requests over HTTP from the data as it stands.

use std::fmt::Write as _;

use serde_json::Value;

use super::fill::headers;
use super::turn::Turn;
use crate::definition::{CallRequest, Scheme};
use crate::engine::Call;
use crate::engine::state::place::Line;
use crate::expression::{Error, Piece, Scope, Template};
use crate::message::CommandId;

impl Turn<'_> {
    /// Fills a call from the data as it stands.
    pub fn fill_call(
        &self,
        line: &Line,
        id: CommandId,
        undoes: Option<String>,
        request: &CallRequest,
    ) -> Result<Call, String> {
        let bound = self.bound_for(line, &id);
        let scope = bound.scope();
        let scheme = match request.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let path = path(&request.path, &scope)
            .map_err(|e| format!("the path of the call cannot be filled: {e}"))?;
        let body = match &request.body {
            None => None,
            Some(template) => Some(
                template
                    .render(&scope)
                    .map_err(|e| format!("`body` of the call cannot be filled: {e}"))?,
            ),
        };
        let headers = headers(&request.headers, &scope)
            .map_err(|e| format!("`headers` of the call cannot be filled: {e}"))?;
        let beside: usize = headers.iter().map(|(name, text)| name.len() + text.len()).sum();
        let body_sent = body.as_ref().unwrap_or(&Value::Null);
        self.may_send(body_sent, path.len() + beside, &request.authority)?;
        Ok(Call {
            idempotency_key: id.idempotency_key(),
            id,
            undoes,
            method: request.method,
            url: format!("{scheme}://{}{path}", request.authority),
            headers,
            body,
            within: request.within,
        })
    }
}

/// A path in which each expression's value is percent-encoded.
fn path(template: &Template, scope: &Scope<'_>) -> Result<String, Error> {
    match template {
        Template::Text(pieces) => {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Literal(literal) => text.push_str(literal),
                    Piece::Hole(expression) => encode(&expression.text(scope)?, &mut text),
                }
            }
            Ok(text)
        }
        Template::Whole(expression) => {
            let mut text = String::new();
            encode(&expression.text(scope)?, &mut text);
            Ok(text)
        }
        Template::Literal(_) | Template::List(_) | Template::Object(_) => template.text(scope),
    }
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string never fails");
        }
    }
}

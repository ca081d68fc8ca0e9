use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::{Budget, Done, Fact, Request, Retry};
use crate::expression::{Expression, Template};
use crate::message::{Address, Span, header};

use super::place::Place;
use super::reader::{Fields, Reader};

/// Headers that the engine writes itself.
const OWN_HEADERS: [&str; 12] = [
    header::ID,
    header::TYPE,
    header::SOURCE,
    header::SPEC_VERSION,
    header::TIME,
    header::CONTENT_TYPE,
    header::COMMAND,
    header::UNDOES,
    header::IDEMPOTENCY_KEY,
    header::CORRELATION,
    header::CAUSATION,
    header::TRACE_PARENT,
];

/// What an action does if its author says nothing: five attempts.
pub(super) const ACTION_RETRY: Retry = Retry {
    budget: Budget::Attempts(5),
    first: Span::millis(200),
    factor: 2.0,
    most: Span::seconds(10),
};

/// What a compensation does if its author says nothing: it insists for a day.
pub(super) const UNDO_RETRY: Retry = Retry {
    budget: Budget::For(Span::hours(24)),
    first: Span::millis(200),
    factor: 2.0,
    most: Span::seconds(5 * 60),
};

/// How long one attempt may take if its author says nothing.
pub(super) const WITHIN: Span = Span::seconds(30);

impl Reader<'_> {
    /// The keys that a command has wherever it stands.
    pub fn request(
        &mut self,
        fields: &mut Fields<'_>,
        command: Option<Address>,
        place: Place,
        retry: Retry,
    ) -> Option<Request> {
        let (key, with, headers) = self.message(fields, place);
        let done = fields.need(self, "done", "inventory.events/StockReserved");
        let done = done.map(|n| self.dones(n, "done", place.reply())).unwrap_or_default();
        let within = fields.take("within").and_then(|n| self.duration(n, "within"));
        let retry = fields.take("retry").map_or(Some(retry), |n| self.retry(n, retry));
        Some(Request {
            command: command?,
            key,
            with,
            headers,
            done,
            within: within.unwrap_or(WITHIN),
            retry: retry?,
        })
    }

    /// Key, body and headers of a message.
    pub fn message(
        &mut self,
        fields: &mut Fields<'_>,
        place: Place,
    ) -> (Option<Expression>, Option<Template>, Vec<(String, Template)>) {
        let key = self.optional(fields, "key", place);
        let with = fields.take("with").and_then(|n| self.template(n, place));
        let headers = fields.take("headers").map(|n| self.headers(n, &OWN_HEADERS, place));
        let headers = headers.unwrap_or_default();
        (key, with, headers)
    }

    /// More headers; `own` are those that the engine writes itself.
    pub fn headers(&mut self, node: &Node, own: &[&str], place: Place) -> Vec<(String, Template)> {
        let Some(fields) = self.fields(node, "`headers`") else {
            return Vec::new();
        };
        drop(fields);
        let Content::Map(entries) = &node.content else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in entries {
            if own.contains(&name.text.to_ascii_lowercase().as_str()) {
                let message = format!("the engine writes the header `{}` itself", name.text);
                let help = "leave it out, or give yours another name";
                self.error::<()>(Code::OwnHeader, name.span.clone(), message, help);
            } else if name.text.trim().is_empty() {
                let help = "write such as `tenant: \"${data.tenant}\"`";
                self.error::<()>(Code::Name, name.span.clone(), "a header has no name", help);
            } else if let Some(value) = self.text_value(value, &name.text, place) {
                found.push((name.text.clone(), value));
            }
        }
        found
    }

    /// The events that say something: one or a list, as text or mapping.
    pub fn dones(&mut self, node: &Node, key: &'static str, place: Place) -> Vec<Done> {
        let nodes = self.one_or_more(node, key);
        nodes.iter().filter_map(|n| self.done(n, key, place)).collect()
    }

    fn done(&mut self, node: &Node, key: &'static str, place: Place) -> Option<Done> {
        if matches!(node.content, Content::Scalar { .. }) {
            let on = self.address(node, key)?;
            return Some(Done { on, condition: None, set: None });
        }
        let what = match key {
            "wait" => "`wait`",
            "absent" => "`absent`",
            _ => "`done`",
        };
        let mut fields = self.fields(node, what)?;
        let on = fields.need(self, "on", "inventory.events/StockReserved");
        let on = on.and_then(|n| self.address(n, "on"));
        let condition = self.optional(&mut fields, "where", place);
        let set = fields.entry("set");
        if let (Some((key, _)), "`absent`") = (set, what) {
            let help = "leave it out: what did not happen leaves nothing behind";
            let message = "`absent` cannot set anything";
            self.error::<()>(Code::NoEffect, key.span.clone(), message, help);
        }
        let set = set.map(|(_, n)| self.assignments(n, "set", place));
        fields.finish(self);
        Some(Done { on: on?, condition, set })
    }

    /// How often and how soon it is tried again.
    pub fn retry(&mut self, node: &Node, base: Retry) -> Option<Retry> {
        let mut fields = self.fields(node, "`retry`")?;
        let attempts = fields.take("attempts").map(|n| self.integer(n, "attempts", 1..1001));
        let span = fields.entry("for").map(|(k, n)| (k.span.clone(), self.duration(n, "for")));
        let first = fields.take("first").map(|n| self.duration(n, "first"));
        let factor = fields.take("factor").map(|n| self.factor(n, "factor", 100.0));
        let most = fields.take("most").map(|n| self.duration(n, "most"));
        fields.finish(self);
        let budget = match (attempts, span) {
            (Some(_), Some((place, _))) => {
                let help = "say how often (`attempts`) or how long (`for`), not both";
                let message = "`attempts` and `for` contradict each other";
                return self.error(Code::Contradiction, place, message, help);
            }
            (Some(attempts), None) => Budget::Attempts(attempts?),
            (None, Some((_, span))) => Budget::For(span?),
            (None, None) => base.budget,
        };
        let retry = Retry {
            budget,
            first: first.unwrap_or(Some(base.first))?,
            factor: factor.unwrap_or(Some(base.factor))?,
            most: most.unwrap_or(Some(base.most))?,
        };
        if retry.first > retry.most {
            let message = format!("the first pause, {}, is longer than the longest", retry.first);
            let help = format!("raise `most` ({}) or lower `first`", retry.most);
            return self.error(Code::Contradiction, node.span.clone(), message, help);
        }
        Some(retry)
    }

    /// A fact in a mapping of its own, such as in `ends`.
    pub fn lone_fact(&mut self, node: &Node, what: &'static str, place: Place) -> Option<Fact> {
        let mut fields = self.fields(node, what)?;
        let emit = fields.need(self, "emit", "shop.completions/OrderCompleted");
        let fact = if let Some(emit) = emit {
            self.fact(&mut fields, emit, place)
        } else {
            self.message(&mut fields, place);
            None
        };
        fields.finish(self);
        fact
    }

    /// A fact whose `emit` was found.
    pub fn fact(&mut self, fields: &mut Fields<'_>, emit: &Node, place: Place) -> Option<Fact> {
        let to = self.address(emit, "emit");
        let (key, with, headers) = self.message(fields, place);
        Some(Fact { to: to?, key, with, headers })
    }
}

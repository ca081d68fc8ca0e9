use std::ops::RangeInclusive;

use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::{
    CallDone, CallFailed, CallRequest, CallStep, Method, Retry, Scheme, StepKind, Unknown,
};
use crate::expression::Template;

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};
use super::request::{ACTION_RETRY, WITHIN};

const METHODS: [Method; 5] =
    [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

/// Headers that the engine writes itself.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "te",
    "traceparent",
    "transfer-encoding",
];

const URL_HELP: &str = "write such as `call: POST https://fraud.internal/score`";

impl Reader<'_> {
    /// A request over HTTP.
    pub fn call(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, node) = fields.entry("call")?;
        let failed = fields.take("failed");
        let failed = failed.map(|n| self.call_faileds(n, position)).unwrap_or_default();
        let choices = [
            ("compensate", Unknown::Compensate),
            ("retry", Unknown::Retry),
            ("park", Unknown::Park),
        ];
        let unknown = fields.take("unknown").map(|n| {
            let unknown = self.choice(n, "unknown", &choices)?;
            self.check_unknown(unknown, position, &n.span)
        });
        let compensate = self.compensate(fields, position, &key.span);
        let request = self.call_request(fields, node, Place::Alone, ACTION_RETRY);
        if let Some(request) = &request {
            self.check_statuses(&request.done, &failed, node);
        }
        Some(StepKind::Call(CallStep {
            request: request?,
            failed,
            unknown: unknown.unwrap_or(Some(position.unknown()))?,
            compensate: compensate?,
        }))
    }

    /// The keys that a call has wherever it stands.
    pub fn call_request(
        &mut self,
        fields: &mut Fields<'_>,
        node: &Node,
        place: Place,
        retry: Retry,
    ) -> Option<CallRequest> {
        let url = self.url(node, place);
        let headers = fields.take("headers").map(|n| self.headers(n, &OWN_HEADERS, place));
        let body = fields.entry("body");
        if let (Some((method, ..)), Some((key, _))) = (&url, body)
            && *method == Method::Get
        {
            let help = "leave it out, or call by POST";
            self.warn(Code::NoEffect, key.span.clone(), "a GET carries no body", help);
        }
        let body = body.and_then(|(_, n)| self.template(n, place));
        let done = fields.take("done").map(|n| self.call_dones(n, place.answer()));
        let within = self.within(fields);
        let retry = fields.take("retry").map_or(Some(retry), |n| self.retry(n, retry));
        let (method, scheme, authority, path) = url?;
        let success = || vec![CallDone { status: vec![200..=299], condition: None, set: None }];
        Some(CallRequest {
            method,
            scheme,
            authority,
            path,
            headers: headers.unwrap_or_default(),
            body,
            done: done.unwrap_or_else(success),
            within: within.unwrap_or(WITHIN),
            retry: retry?,
        })
    }

    /// Method and address: `POST https://host:port/path?query`.
    fn url(&mut self, node: &Node, place: Place) -> Option<(Method, Scheme, String, Template)> {
        let text = self.scalar(node, "call")?.trim();
        let refuse = |reader: &mut Self, message: &str| {
            reader.error(Code::Url, node.span.clone(), message, URL_HELP)
        };
        let Some((method, url)) = text.split_once(char::is_whitespace) else {
            return refuse(self, "`call` needs a method and an address");
        };
        let Some(method) = METHODS.into_iter().find(|m| m.text() == method) else {
            let known = METHODS.map(Method::text).join(", ");
            let message = format!("`{method}` is not a method that a call may have");
            let help = format!("write one of: {known}");
            return self.error(Code::Url, node.span.clone(), message, help);
        };
        let (scheme, rest) = match url.trim_start().split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return refuse(self, "a call's address begins with `https://` or `http://`"),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains("${") {
            let help = "write the host itself: it must be on the allow-list; \
                        `${ … }` may stand in the path and the headers";
            let message = "a call's host cannot be an expression";
            return self.error(Code::Url, node.span.clone(), message, help);
        }
        let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let named = !host.is_empty() && host.chars().all(legal) && port.parse::<u16>().is_ok();
        if !named {
            let message = format!("`{authority}` is not a host and port");
            return self.error(Code::Url, node.span.clone(), message, URL_HELP);
        }
        if path.contains('#') {
            return refuse(self, "a call's address has no `#`: servers never see it");
        }
        let path = match path.chars().next() {
            None => Template::Literal("/".into()),
            Some('/') => self.text_template(node, path, place)?,
            Some(_) => return refuse(self, "a `/` is missing between host and query"),
        };
        Some((method, scheme, authority.to_ascii_lowercase(), path))
    }

    fn call_dones(&mut self, node: &Node, place: Place) -> Vec<CallDone> {
        let nodes = self.one_or_more(node, "done");
        nodes.iter().filter_map(|n| self.call_done(n, place)).collect()
    }

    fn call_done(&mut self, node: &Node, place: Place) -> Option<CallDone> {
        let mut fields = self.fields(node, "`done`")?;
        let status = fields.need(self, "status", "2xx").and_then(|n| self.statuses(n));
        let condition = self.optional(&mut fields, "where", place);
        let set = fields.take("set").map(|n| self.assignments(n, "set", place));
        fields.finish(self);
        Some(CallDone { status: status?, condition, set })
    }

    fn call_faileds(&mut self, node: &Node, position: Position) -> Vec<CallFailed> {
        let nodes = self.one_or_more(node, "failed");
        nodes.iter().filter_map(|n| self.call_failed(n, position)).collect()
    }

    fn call_failed(&mut self, node: &Node, position: Position) -> Option<CallFailed> {
        let mut fields = self.fields(node, "`failed`")?;
        let status = fields.need(self, "status", "[409, 422]").and_then(|n| self.statuses(n));
        let condition = self.optional(&mut fields, "where", Place::Http);
        let reason = self.optional(&mut fields, "reason", Place::Http);
        let verdict = self.then_and_set(&mut fields, position, Place::Http);
        fields.finish(self);
        let verdict = verdict?;
        let (set, then) = (verdict.set, verdict.then);
        Some(CallFailed { status: status?, condition, reason, set, then })
    }

    /// Status codes: one or a list, as numbers or such as `2xx`.
    fn statuses(&mut self, node: &Node) -> Option<Vec<RangeInclusive<u16>>> {
        let nodes = self.one_or_more(node, "status");
        let codes: Vec<_> = nodes.into_iter().map(|n| self.status(n)).collect();
        codes.into_iter().collect::<Option<Vec<_>>>().filter(|codes| !codes.is_empty())
    }

    fn status(&mut self, node: &Node) -> Option<RangeInclusive<u16>> {
        let text = match &node.content {
            Content::Scalar { text, .. } => text.as_str(),
            Content::List(_) | Content::Map(_) => "",
        };
        let class = text.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
        match (class, text.parse::<u16>()) {
            (Some(class @ 2..=5), _) => Some(class * 100..=class * 100 + 99),
            (_, Ok(code @ 200..=599)) => Some(code..=code),
            _ => {
                let message = format!("`{text}` is not a status code");
                let help = "write such as `status: 2xx`, `status: 404` or `status: [409, 422]`";
                self.error(Code::Range, node.span.clone(), message, help)
            }
        }
    }

    /// A status that is done whatever the answer says cannot be a rejection as well.
    fn check_statuses(&mut self, done: &[CallDone], failed: &[CallFailed], node: &Node) {
        let meets = |a: &RangeInclusive<u16>, b: &RangeInclusive<u16>| {
            a.start() <= b.end() && b.start() <= a.end()
        };
        for done in done.iter().filter(|done| done.condition.is_none()) {
            let codes = failed.iter().flat_map(|f| &f.status);
            let both = codes.clone().find(|code| done.status.iter().any(|d| meets(d, code)));
            if let Some(both) = both {
                let message = format!("status {} says `done` and `failed` at once", both.start());
                let help = "tell them apart by their codes, or by a `where` on `done`";
                self.error::<()>(Code::Contradiction, node.span.clone(), message, help);
            }
        }
    }
}

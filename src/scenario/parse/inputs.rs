use serde_json::{Map, Value};

use super::super::model::{Acted, Answers, ChildSays, Returned, ToParent, Told};
use super::{NO_REASON, nothing, object, said, text};
use crate::definition::{Code, Fields, Node, Reader};
use crate::engine::{CallOutcome, Verb};

/// What a person does about a step.
const VERBS: [&str; 5] = ["retry", "skip", "resolve-done", "resolve-not-done", "go-back"];
/// What a person does about the whole saga.
const WHOLE_VERBS: [&str; 4] = ["cancel", "pause", "resume", "set-data"];

/// An event is read.
pub(super) fn event(reader: &mut Reader<'_>, fields: &mut Fields<'_>, on: &Node) -> Option<Told> {
    let by_key = fields.take("by-key").and_then(|n| reader.boolean(n, "by-key"));
    let command = fields.take("command");
    let answers = match (command, by_key) {
        (Some(node), Some(true)) => {
            let help = "an event that names a command is not found by its key; leave one out";
            let message = "`command` contradicts `by-key: true`";
            return reader.error(Code::Contradiction, node.span.clone(), message, help);
        }
        (Some(node), Some(false) | None) => {
            Answers::Command(reader.scalar(node, "command")?.to_owned())
        }
        (None, Some(true)) => Answers::ByKey,
        (None, Some(false) | None) => Answers::Latest,
    };
    let key = text(reader, fields, "key");
    let source = text(reader, fields, "source");
    let id = text(reader, fields, "id");
    let body = fields.take("body").map(|n| object(reader, n, "body"));
    let body = said(body)?.unwrap_or_else(nothing);
    let on = reader.address(on, "event");
    Some(Told { on: on?, key, source, id, body, answers })
}

/// A person answers a question.
pub(super) fn answer(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    node: &Node,
) -> Option<Acted> {
    let choice = reader.scalar(node, "answer").map(str::to_owned);
    let step = text(reader, fields, "step").unwrap_or_default();
    let by = text(reader, fields, "by").unwrap_or_else(|| "somebody".to_owned());
    let note = text(reader, fields, "note").unwrap_or_default();
    let data = fields.take("data").map(|n| object(reader, n, "data"));
    let data = match said(data)? {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let verb = Verb::Answer { choice: choice?, note, data };
    Some(Acted { verb, step, by, why: String::new() })
}

/// A call comes back.
pub(super) fn called(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    node: &Node,
) -> Option<Returned> {
    let command = text(reader, fields, "command");
    let mut fields = reader.fields(node, "`called`")?;
    let status = fields.take("status").map(|n| reader.integer(n, "status", 100..600));
    let failed = fields.take("failed").map(|n| reader.scalar(n, "failed").map(str::to_owned));
    let unsent = fields.take("unsent").map(|n| reader.scalar(n, "unsent").map(str::to_owned));
    let headers = fields.take("headers").map(|n| object(reader, n, "headers"));
    let body = fields.take("body").map(|n| reader.value(n));
    let head = fields.head(reader);
    fields.finish(reader);
    let headers = match said(headers)? {
        Some(Value::Object(all)) => all
            .into_iter()
            .map(|(name, value)| (name, super::super::words::header(&value)))
            .collect(),
        _ => Vec::new(),
    };
    let body = said(body)?.unwrap_or(Value::Null);
    let outcome = match (said(status)?, said(failed)?, said(unsent)?) {
        (Some(status), None, None) => {
            let status = u16::try_from(status).expect("it is below 600");
            CallOutcome::Answered { status, headers, body }
        }
        (None, Some(reason), None) => CallOutcome::Failed { reason, unsent: false },
        (None, None, Some(reason)) => CallOutcome::Failed { reason, unsent: true },
        _ => {
            let message = "a call is answered, or it fails";
            let help = "write `called: { status: 200, body: { … } }`, \
                        `called: { failed: the connection broke }` (it may have happened) or \
                        `called: { unsent: nobody listens }` (it surely did not)";
            return reader.error(Code::MissingKey, head, message, help);
        }
    };
    Some(Returned { command, outcome })
}

/// A child says something.
pub(super) fn child(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    node: &Node,
) -> Option<ChildSays> {
    let step = reader.scalar(node, "child").map(str::to_owned);
    let says = fields.need(reader, "says", "completed");
    let says = says.and_then(|n| reader.choice(n, "says", &ToParent::ALL));
    let data = fields.take("data").map(|n| object(reader, n, "data"));
    let reason = text(reader, fields, "reason").unwrap_or_else(|| NO_REASON.to_owned());
    let data = said(data)?.unwrap_or_else(nothing);
    Some(ChildSays { step: step?, says: says?, data, reason })
}

/// A person acts.
pub(super) fn act(reader: &mut Reader<'_>, node: &Node) -> Option<Acted> {
    let mut fields = reader.fields(node, "this act")?;
    let verbs = VERBS.iter().chain(&WHOLE_VERBS);
    let found: Vec<_> = verbs.filter_map(|v| fields.take(v).map(|n| (*v, n))).collect();
    let data = fields.take("data").map(|n| object(reader, n, "data"));
    let by = text(reader, &mut fields, "by").unwrap_or_else(|| "an operator".to_owned());
    let why = text(reader, &mut fields, "why").unwrap_or_else(|| NO_REASON.to_owned());
    let head = fields.head(reader);
    fields.finish(reader);
    let [(verb, step)] = found[..] else {
        let message = "an act does one thing";
        let (steps, whole) = (VERBS.join(": …`, `"), WHOLE_VERBS.join(": ~`, `"));
        let help = format!("write one of `{steps}: step-name`, or `{whole}: ~`");
        return reader.error(Code::MissingKey, head, message, help);
    };
    let step = match step.kind() {
        "nothing" => String::new(),
        _ => reader.scalar(step, verb)?.to_owned(),
    };
    let data = said(data)?;
    if data.is_some() && !["resolve-done", "set-data"].contains(&verb) {
        let help = "only `resolve-done` and `set-data` bring some";
        return reader.error(Code::Contradiction, head, "`data` has no meaning here", help);
    }
    let data = match data {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let verb = match verb {
        "retry" => Verb::Retry,
        "skip" => Verb::Skip,
        "resolve-not-done" => Verb::ResolveNotDone,
        "go-back" => Verb::GoBack,
        "cancel" => Verb::Cancel,
        "pause" => Verb::Pause,
        "resume" => Verb::Resume,
        "set-data" => Verb::SetData(data),
        _ => Verb::ResolveDone(data),
    };
    Some(Acted { verb, step, by, why })
}

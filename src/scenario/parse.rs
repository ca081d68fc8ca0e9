use serde_json::{Map, Value};

use super::model::{Acted, Answers, Declined, Does, Expected, Scenario, Step, Times, Told};
use crate::definition::{Code, Content, Diagnostics, Fields, Node, Reader, read_file};
use crate::engine::{Status, Verb};

/// The most steps in one scenario.
pub const RUN_MAX: usize = 1_000;

const VERBS: [&str; 5] = ["retry", "skip", "resolve-done", "resolve-not-done", "go-back"];
const KINDS: [&str; 7] = ["expect", "event", "rejected", "pass", "act", "end", "data"];

/// Parses a scenario; `file` is its name in messages.
///
/// # Errors
/// When anything in it is wrong: all of it that can be found at once.
pub fn parse(file: &str, text: &str) -> Result<Scenario, Diagnostics> {
    let begin = "begin with `scenario: what it shows`, `given:` and `run:`";
    match read_file(file, text, begin, |reader, root| scenario(reader, root, file)) {
        (Some(scenario), _) => Ok(scenario),
        (None, diagnostics) => Err(diagnostics),
    }
}

fn scenario(reader: &mut Reader<'_>, root: &Node, file: &str) -> Option<Scenario> {
    let mut fields = reader.fields(root, "the scenario")?;
    let name = fields.need(reader, "scenario", "a declined card gives the stock back");
    let name = name.and_then(|n| reader.title(n, "scenario"));
    let given = fields.need(reader, "given", "{ on: shop.orders/OrderPlaced, event: { … } }");
    let given = given.and_then(|n| given_event(reader, n));
    let run = fields.need(reader, "run", "[ … ]").and_then(|n| steps(reader, n));
    fields.finish(reader);
    Some(Scenario { name: name?, file: file.to_owned(), given: given?, run: run? })
}

fn given_event(reader: &mut Reader<'_>, node: &Node) -> Option<Told> {
    let line = reader.line(node.span.start);
    let mut fields = reader.fields(node, "`given`")?;
    let on = fields.need(reader, "on", "shop.orders/OrderPlaced");
    let on = on.and_then(|n| reader.address(n, "on"));
    let body = fields.take("event").map(|n| object(reader, n, "event"));
    let key = text(reader, &mut fields, "key");
    let id = text(reader, &mut fields, "id").unwrap_or_else(|| "given".to_owned());
    fields.finish(reader);
    let body = said(body)?.unwrap_or_else(nothing);
    Some(Told { line, on: on?, key, id: Some(id), body, answers: Answers::ByKey })
}

fn event(reader: &mut Reader<'_>, fields: &mut Fields<'_>, on: &Node, line: u32) -> Option<Told> {
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
    let id = text(reader, fields, "id");
    let body = fields.take("body").map(|n| object(reader, n, "body"));
    let body = said(body)?.unwrap_or_else(nothing);
    let on = reader.address(on, "event");
    Some(Told { line, on: on?, key, id, body, answers })
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

fn text(reader: &mut Reader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    fields.take(key).and_then(|node| reader.scalar(node, key)).map(str::to_owned)
}

/// What may be left out: nothing at all if it was written and is wrong.
#[allow(clippy::option_option, reason = "wrong and left out are two things")]
fn said<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
        None => Some(None),
    }
}

fn object(reader: &mut Reader<'_>, node: &Node, key: &'static str) -> Option<Value> {
    reader.fields(node, key)?;
    reader.value(node)
}

fn steps(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Step>> {
    let Content::List(items) = &node.content else {
        let message = format!("`run` is {}, not a list", node.kind());
        let help = "write each step as `- expect: …`, `- event: …`, `- pass: …` and so on";
        return reader.error(Code::WrongType, node.span.clone(), message, help);
    };
    if items.len() > RUN_MAX {
        let message = format!("`run` has {} steps", items.len());
        let help = format!("{RUN_MAX} are the most; split the scenario");
        return reader.error(Code::Limit, node.span.clone(), message, help);
    }
    let steps: Vec<_> = items.iter().map(|item| step(reader, item)).collect();
    steps.into_iter().collect()
}

fn step(reader: &mut Reader<'_>, node: &Node) -> Option<Step> {
    let line = reader.line(node.span.start);
    let mut fields = reader.fields(node, "this step")?;
    let found: Vec<_> = KINDS.iter().filter_map(|k| fields.take(k).map(|n| (*k, n))).collect();
    let does = match found[..] {
        [("expect", node)] => expect(reader, node).map(Does::Expect),
        [("event", node)] => event(reader, &mut fields, node, line).map(Does::Event),
        [("rejected", node)] => declined(reader, node).map(Does::Rejected),
        [("pass", node)] => reader.duration(node, "pass").map(Does::Pass),
        [("act", node)] => act(reader, node).map(Does::Act),
        [("end", node)] => stand(reader, node).map(Does::End),
        [("data", node)] => object(reader, node, "data").map(Does::Data),
        [] => {
            if matches!(&node.content, Content::Map(entries) if entries.is_empty()) {
                let help = format!("a step has one of: {}", KINDS.join(", "));
                return reader.error(Code::MissingKey, node.span.clone(), "an empty step", help);
            }
            None
        }
        [(first, _), (second, node), ..] => {
            let message = format!("`{second}` stands beside `{first}`");
            reader.error(Code::Contradiction, node.span.clone(), message, "make it its own step")
        }
        [(_, node)] => reader.error(Code::NotAChoice, node.span.clone(), "an unknown step", ""),
    };
    fields.finish(reader);
    Some(Step { line, does: does? })
}

fn expect(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Expected>> {
    let Content::List(items) = &node.content else {
        let message = format!("`expect` is {}, not a list", node.kind());
        let help = "write `expect: [ { command: topic/type } ]`, or `expect: []` for nothing";
        return reader.error(Code::WrongType, node.span.clone(), message, help);
    };
    let all: Vec<_> = items.iter().map(|item| expected(reader, item)).collect();
    all.into_iter().collect()
}

fn expected(reader: &mut Reader<'_>, node: &Node) -> Option<Expected> {
    let mut fields = reader.fields(node, "this message")?;
    let command = fields.take("command").map(|n| reader.address(n, "command"));
    let fact = fields.take("fact").map(|n| reader.address(n, "fact"));
    let with = fields.take("with").map(|n| object(reader, n, "with"));
    let key = text(reader, &mut fields, "key");
    let headers = fields.take("headers").map(|n| object(reader, n, "headers"));
    let attempt = fields.take("attempt").map(|n| reader.integer(n, "attempt", 1..1 << 32));
    let times = fields.take("times").map_or(Some(Times::Exactly(1)), |n| times(reader, n));
    let head = fields.head(reader);
    fields.finish(reader);
    let (is_command, to) = match (command, fact) {
        (Some(to), None) => (true, to?),
        (None, Some(to)) => (false, to?),
        (Some(_), Some(_)) | (None, None) => {
            let message = "this message is not one command or one fact";
            let help = "write `command: topic/type` or `fact: topic/type`";
            return reader.error(Code::MissingKey, head, message, help);
        }
    };
    let headers = match said(headers)? {
        Some(Value::Object(all)) => all.into_iter().collect(),
        _ => Vec::new(),
    };
    let with = said(with)?;
    let attempt = said(attempt)?;
    Some(Expected { is_command, to, with, key, headers, attempt, times: times? })
}

fn times(reader: &mut Reader<'_>, node: &Node) -> Option<Times> {
    match &node.content {
        Content::Scalar { text, .. } if text == "any" => Some(Times::Any),
        Content::Scalar { .. } | Content::List(_) | Content::Map(_) => {
            reader.integer(node, "times", 1..1 << 32).map(Times::Exactly)
        }
    }
}

fn declined(reader: &mut Reader<'_>, node: &Node) -> Option<Declined> {
    let choices = [
        ("duplicate", Declined::Duplicate),
        ("ignored", Declined::Ignored),
        ("unmatched", Declined::Unmatched),
        ("refused", Declined::Refused),
    ];
    reader.choice(node, "rejected", &choices)
}

#[allow(clippy::option_option, reason = "wrong and forgotten are two things")]
fn stand(reader: &mut Reader<'_>, node: &Node) -> Option<Option<Status>> {
    let choices = [
        ("running", Some(Status::Running)),
        ("compensating", Some(Status::Compensating)),
        ("stuck", Some(Status::Stuck)),
        ("completed", Some(Status::Completed)),
        ("compensated", Some(Status::Compensated)),
        ("forgotten", None),
    ];
    reader.choice(node, "end", &choices)
}

fn act(reader: &mut Reader<'_>, node: &Node) -> Option<Acted> {
    let mut fields = reader.fields(node, "this act")?;
    let found: Vec<_> = VERBS.iter().filter_map(|v| fields.take(v).map(|n| (*v, n))).collect();
    let data = fields.take("data").map(|n| object(reader, n, "data"));
    let by = text(reader, &mut fields, "by").unwrap_or_else(|| "an operator".to_owned());
    let why = text(reader, &mut fields, "why").unwrap_or_else(|| "no reason given".to_owned());
    let head = fields.head(reader);
    fields.finish(reader);
    let [(verb, step)] = found[..] else {
        let message = "an act does one thing";
        let help = format!("write one of `{}: step-name`", VERBS.join(": …`, `"));
        return reader.error(Code::MissingKey, head, message, help);
    };
    let step = match step.kind() {
        "nothing" => String::new(),
        _ => reader.scalar(step, verb)?.to_owned(),
    };
    let data = said(data)?;
    if data.is_some() && verb != "resolve-done" {
        let help = "only `resolve-done` says what happened";
        return reader.error(Code::Contradiction, head, "`data` has no meaning here", help);
    }
    let verb = match verb {
        "retry" => Verb::Retry,
        "skip" => Verb::Skip,
        "resolve-not-done" => Verb::ResolveNotDone,
        "go-back" => Verb::GoBack,
        _ => match data {
            Some(Value::Object(fields)) => Verb::ResolveDone(fields),
            _ => Verb::ResolveDone(Map::new()),
        },
    };
    Some(Acted { verb, step, by, why })
}

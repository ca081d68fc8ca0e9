mod expected;
mod inputs;

use serde_json::{Map, Value};

use super::model::{Declined, Does, Given, How, Identity, Scenario, Stand, Starter, Step, ToChild};
use crate::definition::{Code, Content, Diagnostics, Fields, Node, Reader, read_file};
use crate::engine::FailureKind;
use expected::expect;
use inputs::{act, answer, called, child, event};

/// The most steps in one scenario.
pub const RUN_MAX: usize = 1_000;

/// What is said where nobody said why.
pub(super) const NO_REASON: &str = "no reason given";

/// What a step can be. `data` and `step` also say more of others, so they come last.
const KINDS: [&str; 14] = [
    "expect", "event", "answer", "called", "child", "parent", "held", "freed", "rejected", "pass",
    "down", "act", "end", "data",
];

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
    let given = given.and_then(|n| self::given(reader, n));
    let run = fields.need(reader, "run", "[ … ]").and_then(|n| steps(reader, n));
    fields.finish(reader);
    Some(Scenario { name: name?, file: file.to_owned(), given: given?, run: run? })
}

fn given(reader: &mut Reader<'_>, node: &Node) -> Option<Given> {
    let line = reader.line(node.span.start);
    let mut fields = reader.fields(node, "`given`")?;
    let by = fields.take("by").map(|n| reader.choice(n, "by", &[("parent", ())]));
    let by = if said(by)?.is_some() {
        Some(Starter::Parent)
    } else {
        let on = fields.need(reader, "on", "shop.orders/OrderPlaced");
        let on = on.and_then(|n| reader.address(n, "on"));
        let id = text(reader, &mut fields, "id").unwrap_or_else(|| "given".to_owned());
        let source = text(reader, &mut fields, "source");
        on.map(|on| Starter::Event(Identity { on, source, id }))
    };
    let body = fields.take("event").map(|n| object(reader, n, "event"));
    let key = text(reader, &mut fields, "key");
    fields.finish(reader);
    let body = said(body)?.unwrap_or_else(nothing);
    Some(Given { line, by: by?, key, body })
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
    let found = kinds(&mut fields);
    let does = match found[..] {
        [(kind, node)] => does(reader, &mut fields, kind, node),
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
    };
    fields.finish(reader);
    Some(Step { line, span: node.span.start..end_of(node, reader.text()), does: does? })
}

/// The kinds of step that one is written as: `data` says more of an answer or a child.
fn kinds<'n>(fields: &mut Fields<'n>) -> Vec<(&'static str, &'n Node)> {
    let mut found = Vec::new();
    for kind in KINDS {
        let more = kind == "data" && matches!(found[..], [("answer" | "child", _)]);
        if !more {
            found.extend(fields.take(kind).map(|node| (kind, node)));
        }
    }
    found
}

fn does(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    kind: &'static str,
    node: &Node,
) -> Option<Does> {
    match kind {
        "expect" => expect(reader, node).map(Does::Expect),
        "event" => event(reader, fields, node).map(Does::Event),
        "answer" => answer(reader, fields, node).map(Does::Act),
        "called" => called(reader, fields, node).map(Does::Called),
        "child" => child(reader, fields, node).map(Does::Child),
        "parent" => reader.choice(node, "parent", &ToChild::TOLD).map(Does::Parent),
        "held" => reader.scalar(node, "held").map(|key| Does::Held(key.to_owned())),
        "freed" => reader.scalar(node, "freed").map(|key| Does::Freed(key.to_owned())),
        "rejected" => reader.choice(node, "rejected", &Declined::ALL).map(Does::Rejected),
        "pass" => reader.duration(node, "pass").map(Does::Pass),
        "down" => reader.duration(node, "down").map(Does::Down),
        "act" => act(reader, node).map(Does::Act),
        "end" => stand(reader, fields, node).map(Does::End),
        _ => object(reader, node, "data").map(Does::Data),
    }
}

/// Where a value's text ends: a block has no end of its own, it ends with what stands in it.
fn end_of(node: &Node, text: &str) -> usize {
    if text[node.span.start..].starts_with(['[', '{', '*']) {
        return node.span.end;
    }
    let last = match &node.content {
        Content::Scalar { .. } => None,
        Content::List(items) => items.last().map(|item| end_of(item, text)),
        Content::Map(entries) => {
            entries.last().map(|(key, value)| end_of(value, text).max(key.span.end))
        }
    };
    last.unwrap_or(node.span.end)
}

fn stand(reader: &mut Reader<'_>, fields: &mut Fields<'_>, node: &Node) -> Option<Stand> {
    let kinds = FailureKind::ALL.map(|kind| (kind.text(), kind.text()));
    let at = text(reader, fields, "at");
    let because = fields.take("because").map(|n| reader.choice(n, "because", &kinds));
    let undoing = fields.take("undoing").map(|n| reader.boolean(n, "undoing"));
    let how = reader.choice(node, "end", &How::ALL);
    Some(Stand { how: how?, at, because: said(because)?, undoing: said(undoing)? })
}

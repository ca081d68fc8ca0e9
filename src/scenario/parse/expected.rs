use std::ops::Range;

use serde_json::Value;

use super::super::model::{Expected, Times, ToChild, ToParent, What};
use super::{object, said, text};
use crate::definition::{Code, Content, Fields, Node, Reader};

/// What a message can be, and how it is written.
const KINDS: [&str; 7] = ["command", "fact", "call", "question", "child", "parent", "complaint"];

/// Messages and no others.
pub(super) fn expect(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Expected>> {
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
    let found: Vec<_> = KINDS.iter().filter_map(|k| fields.take(k).map(|n| (*k, n))).collect();
    let head = fields.head(reader);
    let what = match found[..] {
        [(kind, node)] => Some(what(reader, &mut fields, kind, node)),
        [] | [_, _, ..] => None,
    };
    let of = found.first().map_or("command", |(kind, _)| kind);
    let body = if of == "call" { "body" } else { "with" };
    let with = match of {
        "question" | "complaint" => None,
        _ => fields.take(body).map(|n| object(reader, n, body)),
    };
    let key = match of {
        "command" | "fact" | "child" => text(reader, &mut fields, "key"),
        _ => None,
    };
    let sent = matches!(of, "command" | "fact" | "call");
    let headers = fields.take("headers").filter(|_| sent).map(|n| object(reader, n, "headers"));
    let attempt = fields.take("attempt").map(|n| reader.integer(n, "attempt", 1..1 << 32));
    let times = fields.take("times").map_or(Some(Times::Exactly(1)), |n| times(reader, n));
    fields.finish(reader);
    let Some(what) = what else {
        return several(reader, head);
    };
    let headers = match said(headers)? {
        Some(Value::Object(all)) => all.into_iter().collect(),
        _ => Vec::new(),
    };
    let with = said(with)?;
    let attempt = said(attempt)?;
    Some(Expected { what: what?, with, key, headers, attempt, times: times? })
}

fn several(reader: &mut Reader<'_>, head: Range<usize>) -> Option<Expected> {
    let message = "this message is not one command, fact, call, question or letter";
    let help = "write one of `command: topic/type`, `fact: topic/type`, `call: POST https://…`, \
                `question: who`, `child: saga`, `parent: completed`";
    reader.error(Code::MissingKey, head, message, help)
}

fn what(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    kind: &'static str,
    node: &Node,
) -> Option<What> {
    match kind {
        "command" => reader.address(node, "command").map(What::Command),
        "fact" => reader.address(node, "fact").map(What::Fact),
        "call" => reader.scalar(node, "call").map(|call| What::Call(call.to_owned())),
        "question" => {
            let who = reader.scalar(node, "question").map(str::to_owned);
            let text = text(reader, fields, "text");
            let choices = fields.take("choices").map(|n| words(reader, n));
            Some(What::Question { who: who?, text, choices: said(choices)? })
        }
        "child" => {
            let saga = reader.scalar(node, "child").map(str::to_owned);
            let says = fields.take("says").map(|n| reader.choice(n, "says", &ToChild::SEEN));
            Some(What::Child { saga: saga?, says: said(says)?.unwrap_or(ToChild::Start) })
        }
        "parent" => reader.choice(node, "parent", &ToParent::ALL).map(What::Parent),
        _ => reader.scalar(node, "complaint").map(|words| What::Complaint(words.to_owned())),
    }
}

fn words(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<String>> {
    let Content::List(items) = &node.content else {
        let message = format!("`choices` is {}, not a list", node.kind());
        return reader.error(Code::WrongType, node.span.clone(), message, "write `[ yes, no ]`");
    };
    items.iter().map(|item| reader.scalar(item, "choices").map(str::to_owned)).collect()
}

fn times(reader: &mut Reader<'_>, node: &Node) -> Option<Times> {
    match &node.content {
        Content::Scalar { text, .. } if text == "any" => Some(Times::Any),
        Content::Scalar { .. } | Content::List(_) | Content::Map(_) => {
            reader.integer(node, "times", 1..1 << 32).map(Times::Exactly)
        }
    }
}

//! Writes scenarios as people write them.

use serde_json::Value;

use super::model::{
    Acted, Answers, ChildSays, Does, Expected, Given, Returned, Scenario, Stand, Starter, Times,
    ToChild, Told, What,
};
use crate::engine::{CallOutcome, Verb};

/// The widest line that is written in one piece, in characters.
const COLUMNS_MAX: usize = 100;

/// A scenario as YAML: parsed, it is the same again.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    let mut text = format!("scenario: {}\n", scalar(&scenario.name));
    text.push_str(&given(&scenario.given));
    text.push_str("\nrun:\n");
    if scenario.run.is_empty() {
        return text.replace("\nrun:\n", "\nrun: []\n");
    }
    for step in &scenario.run {
        text.push_str("  - ");
        text.push_str(&does(&step.does, 4));
        text.push('\n');
    }
    text
}

fn given(given: &Given) -> String {
    let mut text = "given:\n".to_owned();
    let mut line = |name: &str, value: &str| {
        for part in ["  ", name, ": ", value, "\n"] {
            text.push_str(part);
        }
    };
    match &given.by {
        Starter::Parent => line("by", "parent"),
        Starter::Event(sent) => {
            line("on", &sent.on.to_string());
            if sent.id != "given" {
                line("id", &scalar(&sent.id));
            }
            if let Some(source) = &sent.source {
                line("source", &scalar(source));
            }
        }
    }
    if let Some(key) = &given.key {
        line("key", &scalar(key));
    }
    text + "  " + &entry("event", &given.body, 2) + "\n"
}

/// A step as it stands behind its dash; its other lines are indented so deep.
pub(super) fn does(does: &Does, indent: usize) -> String {
    match does {
        Does::Expect(all) => expect(all, indent),
        Does::Event(told) => event(told, indent),
        Does::Called(returned) => called(returned, indent),
        Does::Child(says) => child(says, indent),
        Does::Parent(says) => format!("parent: {}", says.text()),
        Does::Held(key) => format!("held: {}", scalar(key)),
        Does::Freed(key) => format!("freed: {}", scalar(key)),
        Does::Rejected(declined) => format!("rejected: {}", declined.text()),
        Does::Pass(span) => format!("pass: {span}"),
        Does::Down(span) => format!("down: {span}"),
        Does::Act(acted) => act(acted, indent),
        Does::End(stand) => end(stand, indent),
        Does::Data(value) => entry("data", value, indent),
    }
}

/// Lines of one step.
fn lines(first: String, more: Vec<String>, indent: usize) -> String {
    let margin = format!("\n{}", " ".repeat(indent));
    std::iter::once(first).chain(more).collect::<Vec<_>>().join(&margin)
}

fn expect(all: &[Expected], indent: usize) -> String {
    let all: Vec<String> = all.iter().map(expected).collect();
    let line = match &all[..] {
        [] => "expect: []".to_owned(),
        all => format!("expect: [ {} ]", all.join(", ")),
    };
    if line.chars().count() + indent <= COLUMNS_MAX {
        return line;
    }
    let entries = all.into_iter().map(|entry| format!("  - {entry}")).collect();
    lines("expect:".to_owned(), entries, indent)
}

fn expected(expected: &Expected) -> String {
    let mut fields = vec![what(&expected.what)];
    if let What::Question { text, choices, .. } = &expected.what {
        fields.extend(text.iter().map(|text| format!("text: {}", scalar(text))));
        let all = choices.iter().map(|all| all.iter().map(|c| scalar(c)).collect::<Vec<_>>());
        fields.extend(all.map(|all| format!("choices: [ {} ]", all.join(", "))));
    }
    fields.extend(expected.key.iter().map(|key| format!("key: {}", scalar(key))));
    let body = if matches!(expected.what, What::Call(_)) { "body" } else { "with" };
    fields.extend(expected.with.iter().map(|with| format!("{body}: {}", flow(with))));
    if !expected.headers.is_empty() {
        let all = Value::Object(expected.headers.iter().cloned().collect());
        fields.push(format!("headers: {}", flow(&all)));
    }
    fields.extend(expected.attempt.iter().map(|attempt| format!("attempt: {attempt}")));
    match expected.times {
        Times::Exactly(1) => {}
        Times::Exactly(times) => fields.push(format!("times: {times}")),
        Times::Any => fields.push("times: any".to_owned()),
    }
    format!("{{ {} }}", fields.join(", "))
}

fn what(what: &What) -> String {
    match what {
        What::Command(to) => format!("command: {to}"),
        What::Fact(to) => format!("fact: {to}"),
        What::Call(line) => format!("call: {}", scalar(line)),
        What::Question { who, .. } => format!("question: {}", scalar(who)),
        What::Child { saga, says: ToChild::Start } => format!("child: {saga}"),
        What::Child { saga, says } => format!("child: {saga}, says: {}", says.text()),
        What::Parent(says) => format!("parent: {}", says.text()),
        What::Complaint(words) => format!("complaint: {}", scalar(words)),
    }
}

fn event(told: &Told, indent: usize) -> String {
    let mut more = Vec::new();
    match &told.answers {
        Answers::Latest => {}
        Answers::ByKey => more.push("by-key: true".to_owned()),
        Answers::Command(id) => more.push(format!("command: {}", scalar(id))),
    }
    more.extend(told.key.iter().map(|key| format!("key: {}", scalar(key))));
    more.extend(told.id.iter().map(|id| format!("id: {}", scalar(id))));
    more.extend(told.source.iter().map(|source| format!("source: {}", scalar(source))));
    more.extend(field("body", &told.body, indent));
    lines(format!("event: {}", told.on), more, indent)
}

fn called(returned: &Returned, indent: usize) -> String {
    let outcome = match &returned.outcome {
        CallOutcome::Failed { reason, unsent: false } => format!("failed: {}", scalar(reason)),
        CallOutcome::Failed { reason, unsent: true } => format!("unsent: {}", scalar(reason)),
        CallOutcome::Answered { status, headers, body } => {
            let mut fields = vec![format!("status: {status}")];
            if !headers.is_empty() {
                let text =
                    |(name, value): &(String, String)| (name.clone(), Value::String(value.clone()));
                let all = Value::Object(headers.iter().map(text).collect());
                fields.push(format!("headers: {}", flow(&all)));
            }
            if *body != Value::Null {
                fields.push(format!("body: {}", flow(body)));
            }
            fields.join(", ")
        }
    };
    let more = returned.command.iter().map(|id| format!("command: {}", scalar(id)));
    lines(format!("called: {{ {outcome} }}"), more.collect(), indent)
}

fn child(says: &ChildSays, indent: usize) -> String {
    let mut more = vec![format!("says: {}", says.says.text())];
    more.extend(field("data", &says.data, indent));
    if says.reason != super::parse::NO_REASON {
        more.push(format!("reason: {}", scalar(&says.reason)));
    }
    lines(format!("child: {}", scalar(&says.step)), more, indent)
}

fn act(acted: &Acted, indent: usize) -> String {
    let Acted { verb, step, by, why } = acted;
    let (word, data) = match verb {
        Verb::Answer { choice, note, data } => {
            let mut more = Vec::new();
            more.extend((!step.is_empty()).then(|| format!("step: {}", scalar(step))));
            more.push(format!("by: {}", scalar(by)));
            more.extend((!note.is_empty()).then(|| format!("note: {}", scalar(note))));
            more.extend(field("data", &Value::Object(data.clone()), indent));
            return lines(format!("answer: {}", scalar(choice)), more, indent);
        }
        Verb::Retry => ("retry", None),
        Verb::Skip => ("skip", None),
        Verb::ResolveDone(data) => ("resolve-done", Some(data)),
        Verb::ResolveNotDone => ("resolve-not-done", None),
        Verb::GoBack => ("go-back", None),
        Verb::Cancel => ("cancel", None),
        Verb::Pause => ("pause", None),
        Verb::Resume => ("resume", None),
        Verb::SetData(data) => ("set-data", Some(data)),
    };
    let step = if step.is_empty() { "~".to_owned() } else { scalar(step) };
    let mut fields = vec![format!("{word}: {step}")];
    let data = data.filter(|data| !data.is_empty()).cloned();
    fields.extend(data.map(|data| format!("data: {}", flow(&Value::Object(data)))));
    fields.push(format!("by: {}", scalar(by)));
    fields.push(format!("why: {}", scalar(why)));
    format!("act: {{ {} }}", fields.join(", "))
}

fn end(stand: &Stand, indent: usize) -> String {
    let Stand { how, at, because, undoing } = stand;
    let mut more = Vec::new();
    more.extend(at.iter().map(|at| format!("at: {}", scalar(at))));
    more.extend(because.iter().map(|because| format!("because: {because}")));
    more.extend(undoing.iter().map(|undoing| format!("undoing: {undoing}")));
    lines(format!("end: {}", how.text()), more, indent)
}

/// A field with an object, if there is something in it.
fn field(name: &str, value: &Value, indent: usize) -> Option<String> {
    let empty = value.as_object().is_some_and(serde_json::Map::is_empty);
    (!empty).then(|| entry(name, value, indent))
}

/// A field with a value: in one line if there is room, else a line for each field of it.
fn entry(name: &str, value: &Value, indent: usize) -> String {
    let line = format!("{name}: {}", flow(value));
    match value {
        Value::Object(fields) if line.chars().count() + indent > COLUMNS_MAX => {
            let all = fields.iter().map(|(key, v)| format!("  {}: {}", scalar(key), flow(v)));
            lines(format!("{name}:"), all.collect(), indent)
        }
        _ => line,
    }
}

/// A value in one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => scalar(text),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let all = fields.iter().map(|(key, v)| format!("{}: {}", scalar(key), flow(v)));
            format!("{{ {} }}", all.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text as YAML, without quotes where it is surely nothing else than text.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-./ :~()".contains(c);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(word)
        && !text.contains(": ")
        && !text.contains("  ")
        && !text.ends_with([' ', ':'])
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// Words that YAML's readers may take for something else than text.
const RESERVED: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

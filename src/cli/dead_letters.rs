//! `segue dead-letters`, `replay`, `discard`: what was put aside, one of it whole, and what is done
//! with it.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::list::array;
use super::output::{FAILED, OUT_OF_TIME, complain};
use super::remote::{Remote, fresh};
use super::table::{Column, column, text};
use super::which::Letters;
use crate::api::{Endpoint, NoAnswer};
use crate::message::read_json;

/// Which dead letters.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One of them, as the list names it: PARTITION/OFFSET
    #[arg(value_parser = place)]
    letter: Option<(i32, i64)>,
    /// How many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Which: open, replayed, discarded or any
    #[arg(long, default_value = "open")]
    state: String,
    #[command(flatten)]
    which: Letters,
    #[command(flatten)]
    remote: Remote,
}

/// Which dead letter something is done with, and how that is sent.
#[derive(Debug, Args)]
pub(super) struct Handling {
    /// The dead letter, as the list names it: PARTITION/OFFSET
    #[arg(value_parser = place)]
    letter: (i32, i64),
    /// Why; everybody who looks at it reads it
    #[arg(long)]
    why: String,
    /// How long to wait until the list says so
    #[arg(long, default_value = "10s")]
    wait: String,
    /// Only say what would be written
    #[arg(long)]
    dry_run: bool,
    /// The act's own id: the same id is obeyed once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// `replay`: what is changed before it is written.
#[derive(Debug, Args)]
pub(super) struct Replaying {
    #[command(flatten)]
    handling: Handling,
    /// Another key, which then decides the partition
    #[arg(long)]
    key: Option<String>,
    /// A header that is set: NAME=VALUE; NAME alone takes it out
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// JSON object: fields of the body that are set, or taken out by null; all others stay
    #[arg(long, conflicts_with = "body")]
    patch: Option<String>,
    /// JSON: another body
    #[arg(long)]
    body: Option<String>,
    /// Also if it was replayed or discarded before
    #[arg(long)]
    again: bool,
}

fn place(text: &str) -> Result<(i32, i64), String> {
    let parts = text.split_once('/');
    let read =
        parts.and_then(|(partition, offset)| Some((partition.parse().ok()?, offset.parse().ok()?)));
    read.ok_or_else(|| "write PARTITION/OFFSET, such as 0/17".to_owned())
}

/// Lists dead letters, or shows one.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 5] = [
        column("LETTER", &["/partition", "/offset"]),
        column("AT", &["/at"]),
        column("INSTANCE", &["/instance"]),
        column("TYPE", &["/event_type"]),
        column("REASON", &["/reason"]),
    ];
    let remote = &arguments.remote;
    if let Some((partition, offset)) = arguments.letter {
        let place = [partition.to_string(), offset.to_string()];
        let endpoint = Endpoint::at(&["dead-letters", &place[0], &place[1]]);
        remote.print(&remote.found(&endpoint)?, whole);
        return Ok(ExitCode::SUCCESS);
    }
    let endpoint = Endpoint::at(&["dead-letters"])
        .with("limit", Some(arguments.limit))
        .with("state", Some(&arguments.state));
    let mut page = remote.found(&arguments.which.of(endpoint))?;
    remote.print_rows(&array(page["letters"].take()), &COLUMNS, "nothing was put aside");
    Ok(ExitCode::SUCCESS)
}

impl Replaying {
    /// Writes it to the topic that it had been read from.
    pub fn send(&self) -> Result<ExitCode, NoAnswer> {
        let mut edit = Map::new();
        for (name, text) in [("patch", &self.patch), ("body", &self.body)] {
            let Some(text) = text else { continue };
            match read_json(text.as_bytes()) {
                Ok(value) => {
                    edit.insert(name.to_owned(), value);
                }
                Err(error) => {
                    complain(&format!("error: --{name} is no JSON: {error}"));
                    return Ok(ExitCode::from(FAILED));
                }
            }
        }
        if let Some(key) = &self.key {
            edit.insert("key".to_owned(), key.as_str().into());
        }
        let mut headers = Map::new();
        for header in &self.headers {
            let (name, value) = match header.split_once('=') {
                Some((name, value)) => (name, value.into()),
                None => (header.as_str(), Value::Null),
            };
            headers.insert(name.to_owned(), value);
        }
        if !headers.is_empty() {
            edit.insert("headers".to_owned(), headers.into());
        }
        let mut body = json!({ "again": self.again });
        if !edit.is_empty() {
            body["edit"] = edit.into();
        }
        self.handling.send("replay", body)
    }
}

impl Handling {
    /// Gives it up.
    pub fn discard(&self) -> Result<ExitCode, NoAnswer> {
        self.send("discard", json!({}))
    }

    fn send(&self, verb: &str, mut body: Value) -> Result<ExitCode, NoAnswer> {
        body["why"] = self.why.as_str().into();
        let place = [self.letter.0.to_string(), self.letter.1.to_string()];
        let (dry, wait) = (self.dry_run.then_some(true), (!self.dry_run).then_some(&self.wait));
        let endpoint = Endpoint::at(&["dead-letters", &place[0], &place[1], verb])
            .with("wait", wait)
            .with("dry-run", dry);
        let client = self.remote.client()?;
        let handled = fresh(client.post(&endpoint, &body, self.id.as_deref())?);
        self.remote.print(&handled, handled_words);
        if handled["disposal"].is_null() && !self.dry_run {
            complain(&format!("the list does not say so within {}; it is written", self.wait));
            return Ok(ExitCode::from(OUT_OF_TIME));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What was done with a dead letter, or would be.
fn handled_words(handled: &Value) -> Vec<String> {
    let letter = text(handled, "/letter");
    let (topic, how) = (text(handled, "/topic"), text(handled, "/how"));
    let to = if topic.is_empty() { String::new() } else { format!(" to {topic}") };
    let would = if handled["is_written"] == true { "" } else { "would be " };
    let mut lines = vec![format!("{letter}  {would}{how}{to}")];
    for edited in handled["edited"].as_array().into_iter().flatten() {
        lines.push(format!("  edited  {}", edited.as_str().unwrap_or_default()));
    }
    lines
}

/// One dead letter, line by line.
fn whole(letter: &Value) -> Vec<String> {
    let mut lines = vec![text(letter, "/row/reason")];
    for (name, at) in [
        ("at", "/row/at"),
        ("read from", "/row/origin"),
        ("instance", "/row/instance"),
        ("key", "/key"),
        ("done", "/row/disposal/how"),
        ("by", "/row/disposal/by"),
        ("why", "/row/disposal/why"),
    ] {
        let value = text(letter, at);
        if !value.is_empty() {
            lines.push(format!("  {name:<10}{value}"));
        }
    }
    let headers = letter["headers"].as_array().map_or(0, Vec::len);
    for place in 0..headers {
        let name = text(letter, &format!("/headers/{place}/0"));
        let value = text(letter, &format!("/headers/{place}/1"));
        lines.push(format!("  {name}: {value}"));
    }
    lines.push(text(letter, "/body"));
    lines
}

//! `segue bulk`: the same act on many instances.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::list::array;
use super::output::{FAILED, complain};
use super::remote::{Remote, fresh};
use super::table::{Column, column, text};
use crate::api::{Endpoint, NoAnswer};
use crate::message::read_json;

/// How soon it is asked again how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// What is done with acts on many instances.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Count the instances and say what would become of the first; with --yes, do it
    Act(Box<Acting>),
    /// Count open dead letters; with --yes, replay or discard them
    Letters(Box<Clearing>),
    /// List them, the newest first
    List(Listing),
    /// Show one: how many of its members are written, and how it ended
    Show(One),
    /// Stop one before its next member
    Stop(One),
}

/// What is done, and about which instances.
#[derive(Debug, Args)]
struct Acting {
    /// What to do about each: retry, skip, resolve-done, resolve-not-done, go-back, cancel, pause,
    /// resume, set-data, answer
    verb: String,
    /// Why; everybody who looks at an instance reads it
    #[arg(long)]
    why: Option<String>,
    /// The step that is acted on; may be left out where one step waits for a person
    #[arg(long)]
    on_step: Option<String>,
    /// The choice, for `answer`
    #[arg(long)]
    choice: Option<String>,
    /// JSON object: what became known
    #[arg(long)]
    data: Option<String>,
    /// Which instances: what they are at, with commas between
    #[arg(long)]
    state: Option<String>,
    /// Their saga
    #[arg(long)]
    saga: Option<String>,
    /// The version of it
    #[arg(long)]
    version: Option<u32>,
    /// The step that is stuck, else under way, else failed
    #[arg(long)]
    step: Option<String>,
    /// The group of their error, as `segue attention -o json` says it
    #[arg(long)]
    error: Option<String>,
    /// What their key begins with
    #[arg(long)]
    key: Option<String>,
    /// They have started at that moment (RFC 3339) or later
    #[arg(long)]
    started_from: Option<String>,
    /// They have started before that moment (RFC 3339)
    #[arg(long)]
    started_before: Option<String>,
    /// What a field is that the saga names under `search`, such as data.total>=100; all of several
    #[arg(long = "where", value_name = "TEST")]
    tests: Vec<String>,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// How many a second
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// Its own id: the same id begins once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// What is done with dead letters, and with which.
#[derive(Debug, Args)]
struct Clearing {
    /// What to do with each: replay or discard
    how: String,
    /// Why; everybody who looks at one of them reads it
    #[arg(long)]
    why: String,
    /// The topic that they were read from
    #[arg(long)]
    topic: Option<String>,
    /// The type of their event
    #[arg(long = "type")]
    event_type: Option<String>,
    /// Words that stand in their reason
    #[arg(long)]
    reason: Option<String>,
    /// They were put aside before that moment (RFC 3339)
    #[arg(long)]
    before: Option<String>,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// How many a second
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// Its own id: the same id begins once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// How they are listed.
#[derive(Debug, Args)]
struct Listing {
    #[command(flatten)]
    remote: Remote,
}

/// Which one.
#[derive(Debug, Args)]
struct One {
    /// Its id
    id: String,
    #[command(flatten)]
    remote: Remote,
}

/// Does what is asked.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, NoAnswer> {
    const COLUMNS: [Column; 7] = [
        column("ID", &["/bulk/id"]),
        column("STATE", &["/state"]),
        column("VERB", &["/bulk/verb"]),
        column("WRITTEN", &["/bulk/written", "/bulk/members"]),
        column("AT", &["/bulk/at"]),
        column("BY", &["/bulk/by"]),
        column("WHY", &["/bulk/why"]),
    ];
    match &arguments.what {
        What::Act(acting) => acting.run(),
        What::Letters(clearing) => clearing.run(),
        What::List(Listing { remote }) => {
            let rows = array(remote.found(&Endpoint::at(&["bulk"]))?);
            remote.print_rows(&rows, &COLUMNS, "nothing was done about many instances");
            Ok(ExitCode::SUCCESS)
        }
        What::Show(One { id, remote }) => {
            remote.print(&remote.found(&Endpoint::at(&["bulk", id]))?, shown);
            Ok(ExitCode::SUCCESS)
        }
        What::Stop(One { id, remote }) => {
            let client = remote.client()?;
            client.post(&Endpoint::at(&["bulk", id, "stop"]), &json!({}), None)?;
            complain(&format!("{id} stops before its next member"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Acting {
    fn run(&self) -> Result<ExitCode, NoAnswer> {
        let Some(body) = self.body() else { return Ok(ExitCode::from(FAILED)) };
        let asked = Asked { endpoint: self.endpoint(), body, id: self.id.as_deref() };
        asked.counted_then_done(&self.remote, self.yes, sampled)
    }

    fn endpoint(&self) -> Endpoint {
        let endpoint = Endpoint::at(&["bulk"])
            .with("state", self.state.as_ref())
            .with("saga", self.saga.as_ref())
            .with("version", self.version)
            .with("step", self.step.as_ref())
            .with("error", self.error.as_ref())
            .with("key", self.key.as_ref())
            .with("started_from", self.started_from.as_ref())
            .with("started_before", self.started_before.as_ref());
        let tests = self.tests.iter();
        tests.fold(endpoint, |endpoint, test| endpoint.with("where", Some(test)))
    }

    fn body(&self) -> Option<Map<String, Value>> {
        let mut body = Map::new();
        body.insert("verb".to_owned(), self.verb.as_str().into());
        body.insert("rate".to_owned(), self.rate.into());
        let texts = [("why", &self.why), ("step", &self.on_step), ("choice", &self.choice)];
        for (name, text) in texts {
            if let Some(text) = text {
                body.insert(name.to_owned(), text.as_str().into());
            }
        }
        if let Some(data) = &self.data {
            match read_json(data.as_bytes()) {
                Ok(data) => {
                    body.insert("data".to_owned(), data);
                }
                Err(error) => {
                    complain(&format!("error: --data is no JSON: {error}"));
                    return None;
                }
            }
        }
        Some(body)
    }
}

impl Clearing {
    fn run(&self) -> Result<ExitCode, NoAnswer> {
        let endpoint = Endpoint::at(&["dead-letters", "bulk"])
            .with("topic", self.topic.as_ref())
            .with("type", self.event_type.as_ref())
            .with("reason", self.reason.as_ref())
            .with("before", self.before.as_ref());
        let mut body = Map::new();
        for (name, text) in [("how", &self.how), ("why", &self.why)] {
            body.insert(name.to_owned(), text.as_str().into());
        }
        body.insert("rate".to_owned(), self.rate.into());
        let asked = Asked { endpoint, body, id: self.id.as_deref() };
        asked.counted_then_done(&self.remote, self.yes, cleared)
    }
}

/// What is asked of the server, first without the count that it answers.
struct Asked<'a> {
    endpoint: Endpoint,
    body: Map<String, Value>,
    id: Option<&'a str>,
}

impl Asked<'_> {
    fn counted_then_done(
        mut self,
        remote: &Remote,
        is_meant: bool,
        words: impl Fn(&Value) -> Vec<String>,
    ) -> Result<ExitCode, NoAnswer> {
        let client = remote.client()?;
        let body = Value::Object(self.body.clone());
        let counted = fresh(client.post(&self.endpoint, &body, self.id)?);
        if counted["is_written"] == true {
            return follow(remote, &text(&counted, "/id"));
        }
        if !is_meant {
            remote.print(&counted, words);
            complain("nothing is written; --yes does it");
            return Ok(ExitCode::SUCCESS);
        }
        self.body.insert("expect".to_owned(), counted["members"].clone());
        let begun = client.post(&self.endpoint, &Value::Object(self.body), self.id)?;
        follow(remote, &text(&fresh(begun), "/id"))
    }
}

/// Tells how far it is until it has ended.
fn follow(remote: &Remote, id: &str) -> Result<ExitCode, NoAnswer> {
    let endpoint = Endpoint::at(&["bulk", id]);
    let (client, mut told) = (remote.client()?, String::new());
    loop {
        let one = match client.get(&endpoint) {
            Ok(mut answer) => answer["found"].take(),
            // The view has not read that it began.
            Err(NoAnswer::Problem(problem)) if problem.status == 404 => Value::Null,
            Err(failure) => return Err(failure),
        };
        let state = text(&one, "/state");
        if !state.is_empty() && state != "running" {
            remote.print(&one, shown);
            let is_done = state == "done";
            return Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
        }
        let (written, members) = (text(&one, "/bulk/written"), text(&one, "/bulk/members"));
        if written != told {
            complain(&format!("{id}: {written} of {members} are written"));
            told = written;
        }
        thread::sleep(LOOK);
    }
}

/// What an act on many instances would do.
fn sampled(counted: &Value) -> Vec<String> {
    let mut lines = vec![format!("{} instances", text(counted, "/members"))];
    for one in counted["sample"].as_array().into_iter().flatten() {
        let instance = text(one, "/instance");
        let refused = text(one, "/foreseen/refused");
        let would = if refused.is_empty() {
            match text(one, "/foreseen/after/state") {
                state if state.is_empty() => "would be forgotten".to_owned(),
                state => format!("would be {state}"),
            }
        } else {
            format!("would refuse it: {refused}")
        };
        lines.push(format!("  {instance}  {would}"));
    }
    lines
}

/// How an act on many instances stands.
fn shown(one: &Value) -> Vec<String> {
    let at = |name: &str| text(one, &format!("/bulk/{name}"));
    let mut lines = vec![
        format!("{}  {}", at("id"), text(one, "/state")),
        format!("  {} of {} are written: {}", at("written"), at("members"), at("verb")),
        format!("  {} by {} at {}", at("why"), at("by"), at("at")),
        format!("  those with {}", at("filter")),
    ];
    let reason = at("ended/reason");
    if !reason.is_empty() {
        lines.push(format!("  {reason}"));
    }
    if text(one, "/state") == "unended" {
        let words = "its server ended in the middle, or is another one; the rest is not written";
        lines.push(format!("  nothing tells of its end: {words}"));
    }
    lines
}

/// What would be done with dead letters.
fn cleared(counted: &Value) -> Vec<String> {
    let mut lines = vec![format!("{} dead letters", text(counted, "/members"))];
    for left in counted["left_out"].as_array().into_iter().flatten() {
        lines.push(format!("  {} stays: {}", text(left, "/letter"), text(left, "/why")));
    }
    lines
}

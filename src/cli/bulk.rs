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
use super::which::{Instances, Letters};
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
    #[command(flatten)]
    which: Instances,
    #[command(flatten)]
    manner: Manner,
}

/// What is done with dead letters, and with which.
#[derive(Debug, Args)]
struct Clearing {
    /// What to do with each: replay or discard
    how: String,
    /// Why; everybody who looks at one of them reads it
    #[arg(long)]
    why: String,
    #[command(flatten)]
    which: Letters,
    #[command(flatten)]
    manner: Manner,
}

/// Whether, how fast and under which id it is done.
#[derive(Debug, Args)]
struct Manner {
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
        self.manner.counted_then_done(&self.which.of(Endpoint::at(&["bulk"])), body, sampled)
    }

    fn body(&self) -> Option<Map<String, Value>> {
        let mut body = Map::new();
        body.insert("verb".to_owned(), self.verb.as_str().into());
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
        let mut body = Map::new();
        for (name, text) in [("how", &self.how), ("why", &self.why)] {
            body.insert(name.to_owned(), text.as_str().into());
        }
        let endpoint = self.which.of(Endpoint::at(&["dead-letters", "bulk"]));
        self.manner.counted_then_done(&endpoint, body, cleared)
    }
}

impl Manner {
    /// Asks first without the count that the server answers.
    fn counted_then_done(
        &self,
        endpoint: &Endpoint,
        mut body: Map<String, Value>,
        words: impl Fn(&Value) -> Vec<String>,
    ) -> Result<ExitCode, NoAnswer> {
        let (remote, id) = (&self.remote, self.id.as_deref());
        let client = remote.client()?;
        body.insert("rate".to_owned(), self.rate.into());
        let counted = fresh(client.post(endpoint, &Value::Object(body.clone()), id)?);
        if counted["is_written"] == true {
            return follow(remote, &text(&counted, "/id"));
        }
        if !self.yes {
            remote.print(&counted, words);
            complain("nothing is written; --yes does it");
            return Ok(ExitCode::SUCCESS);
        }
        body.insert("expect".to_owned(), counted["members"].clone());
        let begun = client.post(endpoint, &Value::Object(body), id)?;
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

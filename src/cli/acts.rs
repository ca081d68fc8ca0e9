//! The verbs that act on an instance over the API, and wait for what comes of it.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use serde_json::{Map, Value};

use super::output::{FAILED, OUT_OF_TIME, complain};
use super::remote::{Remote, fresh};
use super::table::text;
use crate::api::{Endpoint, NoAnswer};
use crate::message::read_json;

/// Which instance, and how the act is sent.
#[derive(Debug, Args)]
pub(super) struct Sending {
    /// The saga
    saga: String,
    /// The instance's key
    key: String,
    /// How long to wait for what comes of it
    #[arg(long, default_value = "10s")]
    wait: String,
    /// Only say what would be sent and where the instance would stand
    #[arg(long)]
    dry_run: bool,
    /// The act's own id: the same id is obeyed once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// `retry`, `skip`: an act on a step.
#[derive(Debug, Args)]
pub(super) struct OnStep {
    #[command(flatten)]
    sending: Sending,
    /// The step; may be left out where one step waits for a person
    #[arg(long)]
    step: Option<String>,
    /// Why; everybody who looks at the instance reads it
    #[arg(long)]
    why: String,
}

/// `cancel`, `pause`, `resume`: an act on the whole instance.
#[derive(Debug, Args)]
pub(super) struct OnWhole {
    #[command(flatten)]
    sending: Sending,
    /// Why; everybody who looks at the instance reads it
    #[arg(long)]
    why: String,
}

/// `set-data`: on the whole instance.
#[derive(Debug, Args)]
pub(super) struct SettingData {
    #[command(flatten)]
    act: OnWhole,
    /// JSON object: the fields and their new values
    data: String,
}

/// `resolve`: whether a step has happened.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whether").required(true)))]
pub(super) struct Resolving {
    #[command(flatten)]
    act: OnStep,
    /// It has happened
    #[arg(long, group = "whether")]
    done: bool,
    /// It has not happened
    #[arg(long, group = "whether")]
    not_done: bool,
    /// JSON object: what became known
    #[arg(long, requires = "done")]
    data: Option<String>,
}

/// `answer`: to the question of an `ask` step.
#[derive(Debug, Args)]
pub(super) struct Answering {
    #[command(flatten)]
    sending: Sending,
    /// The choice, as the question names it
    choice: String,
    /// The step that asks; may be left out where one step asks
    #[arg(long)]
    step: Option<String>,
    /// A note beside the choice
    #[arg(long)]
    note: Option<String>,
    /// JSON object: what became known
    #[arg(long)]
    data: Option<String>,
}

impl OnStep {
    /// Sends the act.
    pub fn send(&self, verb: &str) -> Result<ExitCode, NoAnswer> {
        self.send_with(verb, None)
    }

    fn send_with(&self, verb: &str, data: Option<&str>) -> Result<ExitCode, NoAnswer> {
        let texts = [("step", self.step.as_deref()), ("why", Some(self.why.as_str()))];
        self.sending.send(verb, &texts, data)
    }
}

impl OnWhole {
    /// Sends the act.
    pub fn send(&self, verb: &str) -> Result<ExitCode, NoAnswer> {
        self.send_with(verb, None)
    }

    fn send_with(&self, verb: &str, data: Option<&str>) -> Result<ExitCode, NoAnswer> {
        self.sending.send(verb, &[("why", Some(self.why.as_str()))], data)
    }
}

impl SettingData {
    /// Sends the act.
    pub fn send(&self) -> Result<ExitCode, NoAnswer> {
        self.act.send_with("set-data", Some(&self.data))
    }
}

impl Resolving {
    /// Sends the act.
    pub fn send(&self) -> Result<ExitCode, NoAnswer> {
        let verb = if self.done { "resolve-done" } else { "resolve-not-done" };
        self.act.send_with(verb, self.data.as_deref())
    }
}

impl Answering {
    /// Sends the act.
    pub fn send(&self) -> Result<ExitCode, NoAnswer> {
        let texts = [
            ("choice", Some(self.choice.as_str())),
            ("step", self.step.as_deref()),
            ("note", self.note.as_deref()),
        ];
        self.sending.send("answer", &texts, self.data.as_deref())
    }
}

impl Sending {
    fn send(
        &self,
        verb: &str,
        texts: &[(&str, Option<&str>)],
        data: Option<&str>,
    ) -> Result<ExitCode, NoAnswer> {
        let mut body = Map::new();
        body.insert("verb".to_owned(), verb.into());
        for (name, text) in texts {
            if let Some(text) = text {
                body.insert((*name).to_owned(), (*text).into());
            }
        }
        if let Some(data) = data {
            match read_json(data.as_bytes()) {
                Ok(data) => {
                    body.insert("data".to_owned(), data);
                }
                Err(error) => {
                    complain(&format!("error: the data is no JSON: {error}"));
                    return Ok(ExitCode::from(FAILED));
                }
            }
        }
        let endpoint = Endpoint::at(&["instances", &self.saga, &self.key, "acts"]);
        let (dry, wait) = (self.dry_run.then_some(true), (!self.dry_run).then_some(&self.wait));
        let endpoint = endpoint.with("wait", wait).with("dry-run", dry);
        let client = self.remote.client()?;
        let written = fresh(client.post(&endpoint, &Value::Object(body), self.id.as_deref())?);
        if self.dry_run {
            self.remote.print(&written, foreseen);
            return Ok(ExitCode::SUCCESS);
        }
        self.remote.print(&written, words);
        if written["outcome"].is_null() {
            let id = text(&written, "/id");
            complain(&format!(
                "nothing has come of it within {}; the history will tell, or ask again with \
                 --id {id}",
                self.wait
            ));
            return Ok(ExitCode::from(OUT_OF_TIME));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What came of an act.
fn words(written: &Value) -> Vec<String> {
    let (instance, outcome) = (text(written, "/instance"), &written["outcome"]);
    if outcome.is_null() {
        return vec![format!("{instance}: {} is written", text(written, "/verb"))];
    }
    let mut lines = vec![format!("{instance}  {}", text(outcome, "/status"))];
    lines.extend(notes(outcome));
    lines
}

/// What would come of an act: what the history would tell, then what would be sent.
fn foreseen(written: &Value) -> Vec<String> {
    let (instance, foreseen) = (text(written, "/instance"), &written["foreseen"]);
    let state = match text(foreseen, "/after/state") {
        state if state.is_empty() => "forgotten".to_owned(),
        state => state,
    };
    let mut lines = vec![format!("{instance}  would be {state}; nothing is written")];
    lines.extend(notes(foreseen));
    for sent in foreseen["sent"].as_array().into_iter().flatten() {
        let (what, id) = (text(sent, "/what"), text(sent, "/id"));
        let line = format!("  would send   {what:<20}  {} {id}", text(sent, "/to"));
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn notes(of: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for note in of["notes"].as_array().into_iter().flatten() {
        let (kind, step) = (text(note, "/kind"), text(note, "/step"));
        let line = format!("  {kind:<11}  {step:<20}  {}", text(note, "/words"));
        lines.push(line.trim_end().to_owned());
    }
    lines
}

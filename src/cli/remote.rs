//! How the verbs reach a server of the API, and how they print what it answers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::contexts::{Contexts, Server};
use super::output::{FAILED, NOT_FOUND, REFUSED, complain, say};
use super::table::{Column, table};
use crate::api::{Client, Endpoint, NoAnswer};

/// Where an engine of this machine answers.
const SERVER_DEFAULT: &str = "http://127.0.0.1:8900";
/// A view that is further behind than this is worth a word, in milliseconds.
const BEHIND_MS_MAX: u64 = 5_000;

/// Where the server is, and how its answer is printed.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The server, with the token of `SEGUE_TOKEN`; else that of the context
    #[arg(long, env = "SEGUE_SERVER")]
    server: Option<String>,
    /// The server that `segue context` remembers under that name
    #[arg(long, env = "SEGUE_CONTEXT")]
    context: Option<String>,
    /// What is printed: a table for people, one JSON value, or a JSON value a line
    #[arg(long, short, value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    Table,
    Json,
    Jsonl,
}

impl Remote {
    /// A client for the server.
    pub fn client(&self) -> Result<Client, NoAnswer> {
        let said = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = self.server(said("SEGUE_TOKEN"), said("SEGUE_CA_FILE").map(PathBuf::from))?;
        let by = std::env::var("USER").unwrap_or_default();
        Client::trusting(&server.address, server.token, &by, server.ca_file.as_deref())
    }

    /// The server that is asked. A token that is remembered is shown to its own server alone.
    fn server(&self, token: Option<String>, ca_file: Option<PathBuf>) -> Result<Server, NoAnswer> {
        if let Some(server) = &self.server {
            return Ok(Server { address: server.clone(), token, ca_file });
        }
        let wrong = |error: anyhow::Error| NoAnswer::Context(format!("{error:#}"));
        // Where nobody has a home, nobody has contexts.
        let contexts = match Contexts::file() {
            Ok(file) => Contexts::read(&file).map_err(wrong)?,
            Err(_) => Contexts::default(),
        };
        let found = contexts.find(self.context.as_deref()).map_err(wrong)?.cloned();
        let local = || Server { address: SERVER_DEFAULT.to_owned(), token: None, ca_file: None };
        let found = found.unwrap_or_else(local);
        let (token, ca_file) = (token.or(found.token), ca_file.or(found.ca_file));
        Ok(Server { address: found.address, token, ca_file })
    }

    /// What stands at an endpoint; says so if it is not fresh.
    pub fn found(&self, endpoint: &Endpoint) -> Result<Value, NoAnswer> {
        Ok(fresh(self.client()?.get(endpoint)?))
    }

    /// Whether that is what is printed.
    pub fn is(&self, form: Form) -> bool {
        self.output == form
    }

    /// Prints rows.
    pub fn print_rows(&self, rows: &[Value], columns: &[Column], nothing: &str) {
        match self.output {
            Form::Table if rows.is_empty() => complain(nothing),
            Form::Table => table(rows, columns).iter().for_each(|line| say(line)),
            Form::Json => say(&pretty(&Value::Array(rows.to_vec()))),
            Form::Jsonl => rows.iter().for_each(|row| say(&row.to_string())),
        }
    }

    /// Prints one thing, in words for people.
    pub fn print(&self, value: &Value, words: impl Fn(&Value) -> Vec<String>) {
        match self.output {
            Form::Table => words(value).iter().for_each(|line| say(line)),
            Form::Json => say(&pretty(value)),
            Form::Jsonl => say(&value.to_string()),
        }
    }
}

/// Takes what was found out of an answer; whoever reads an old one is told.
pub(super) fn fresh(mut answer: Value) -> Value {
    let freshness = &answer["freshness"];
    let behind = freshness["behind_ms"].as_u64().unwrap_or_default();
    let records = freshness["behind_records"].as_u64().unwrap_or_default();
    if freshness["is_whole"] == false {
        complain(&format!("the view is not whole yet: {records} records are left to read"));
    } else if behind > BEHIND_MS_MAX {
        let why = freshness["trouble"].as_str().map_or_else(String::new, |why| format!(": {why}"));
        complain(&format!("the view is {} s behind, {records} records{why}", behind / 1_000));
    }
    answer["found"].take()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Tells why a server did not do it, and the exit code that says the same.
pub(super) fn failed(failure: &NoAnswer) -> ExitCode {
    complain(&format!("error: {failure}"));
    let NoAnswer::Problem(told) = failure else { return ExitCode::from(FAILED) };
    for near in &told.near {
        complain(&format!("  near: {near}"));
    }
    ExitCode::from(match told.status {
        404 => NOT_FOUND,
        409 => REFUSED,
        _ => FAILED,
    })
}
